import { randomInt } from 'node:crypto';
import type { Log } from '../observability/log.js';
import { parseDescription } from '../sdp/parse.js';
import { PLUGIN, type RemoteJsep, type SfuPlugin } from '../sfu/plugin.js';
import { checkAttach, checkMessage, checkTrickle, type JsepRequest } from './checks.js';
import type { Connection } from './connection.js';
import { readDocuments } from './documents.js';
import { type Envelope, readEnvelope } from './envelope.js';
import { errorReply, JANUS_ERROR, type JanusError } from './errors.js';
import { handleSink, pluginEvent } from './handle-events.js';
import { type Handle, noSuchHandle, noSuchSession, type Session, type Sessions } from './sessions.js';

export interface ApiParts {
  sessions: Sessions;
  plugin: SfuPlugin;
  /** The fields of `server_info`. */
  info: (state: { acceptingSessions: boolean }) => object;
  log: Log;
  /** Milliseconds, monotonic. */
  now: () => number;
}

/** Documents that one message of a transport may hold. */
const DOCUMENTS_MAX = 100;

/** Verbs by what they need to be addressed to; a verb elsewhere is unknown there (janus-api.md 1.2). */
const SESSION_VERBS = new Set(['keepalive', 'claim', 'attach', 'destroy']);
const HANDLE_VERBS = new Set(['message', 'trickle', 'hangup', 'detach']);

/** The Janus API: takes the text of requests, sends replies and events. */
export class JanusApi {
  readonly #parts: ApiParts;
  #acceptingSessions = true;

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  /**
   * Takes one message of a transport. Every document in it gets exactly one direct reply, perhaps later.
   *
   * @returns how many documents there were, for the transport's rate limit; at least 1
   */
  receive(connection: Connection, text: string): number {
    const read = readDocuments(text);
    if (!read.ok) {
      connection.send(errorReply(read.error, {}));
      return 1;
    }
    if (read.documents.length > DOCUMENTS_MAX) {
      const reason = `Invalid Janus API request - more than ${DOCUMENTS_MAX} requests in one message`;
      connection.send(errorReply({ code: JANUS_ERROR.INVALID_JSON, reason }, {}));
      return 1;
    }
    for (const document of read.documents) this.#handle(connection, document);
    return read.documents.length;
  }

  /** The connection closed: its sessions end, or wait to be claimed. */
  disconnect(connection: Connection): void {
    for (const session of this.#parts.sessions.disconnect(connection, this.#parts.now())) {
      void this.#end(session);
    }
  }

  /** Whether the connection owns a session; one that does not is a stranger. */
  hasSession(connection: Connection): boolean {
    return this.#parts.sessions.ownedBy(connection).length > 0;
  }

  /** Ends what has timed out; to be called every second. */
  sweep(): void {
    for (const { session, cause } of this.#parts.sessions.expire(this.#parts.now())) {
      this.#parts.log('info', 'session expired', { session: session.id, cause });
      session.owner?.send({ janus: 'timeout', session_id: session.id });
      void this.#end(session);
    }
  }

  /** No new sessions from now on. */
  refuseSessions(): void {
    this.#acceptingSessions = false;
  }

  /** Ends all sessions; resolves when their PeerConnections are closed. */
  async endAll(): Promise<void> {
    await Promise.all(this.#parts.sessions.all().map((session) => this.#end(session)));
  }

  #handle(connection: Connection, document: unknown): void {
    const read = readEnvelope(document);
    if (!read.ok) {
      connection.send(errorReply(read.error, { sessionId: read.sessionId }));
      return;
    }
    const { envelope } = read;
    const outcome = this.#dispatch(connection, envelope);
    if (outcome) this.#refuse(connection, envelope, outcome);
  }

  /** Checks 5 to 13 of janus-api.md 3.3, and the verb. Returns the error to answer with, if it comes to one at once. */
  #dispatch(connection: Connection, envelope: Envelope): JanusError | null {
    const { verb, verbText, sessionId, handleId, handleGiven } = envelope;
    if (sessionId === 0 && !handleGiven) return this.#serverVerb(connection, envelope);
    if (sessionId === 0) return { code: JANUS_ERROR.SESSION_NOT_FOUND, reason: 'Session not found' };
    if (handleGiven && handleId === 0) return { code: JANUS_ERROR.HANDLE_NOT_FOUND, reason: 'Handle not found' };
    const session = verb === 'claim' ? this.#claim(connection, sessionId) : this.#find(connection, sessionId);
    if ('code' in session) return session;
    session.lastActivity = this.#parts.now();
    const handle = handleId === 0 ? null : session.handles.get(handleId);
    if (handle === undefined) return noSuchHandle(handleId, session);
    if (SESSION_VERBS.has(verb)) {
      if (handle && (verb === 'attach' || verb === 'destroy')) return unhandled(verbText);
      return this.#sessionVerb(connection, session, envelope);
    }
    if (!HANDLE_VERBS.has(verb)) {
      return { code: JANUS_ERROR.UNKNOWN_REQUEST, reason: `Unknown request '${verbText}'` };
    }
    return handle ? this.#enqueue(connection, handle, envelope) : unhandled(verbText);
  }

  #serverVerb(connection: Connection, envelope: Envelope): JanusError | null {
    const { verb, verbText, transaction, wantedId } = envelope;
    switch (verb) {
      case 'ping':
        connection.send({ janus: 'pong', transaction });
        return null;
      case 'info':
        connection.send({
          janus: 'server_info',
          transaction,
          ...this.#parts.info({ acceptingSessions: this.#acceptingSessions }),
        });
        return null;
      case 'create':
        return this.#create(connection, transaction, wantedId);
      default:
        return unhandled(verbText);
    }
  }

  #create(connection: Connection, transaction: string, wantedId: number): JanusError | null {
    if (!this.#acceptingSessions) {
      return { code: JANUS_ERROR.NOT_ACCEPTING_SESSIONS, reason: 'Currently not accepting new sessions' };
    }
    const session = this.#parts.sessions.create(connection, wantedId, this.#parts.now());
    if ('code' in session) {
      if (session.code !== JANUS_ERROR.SESSION_CONFLICT) return session;
      // The one error to a create that names a session: the id that is taken.
      connection.send(errorReply(session, { sessionId: wantedId, transaction }));
      return null;
    }
    connection.send({ janus: 'success', transaction, data: { id: session.id } });
    return null;
  }

  #find(connection: Connection, id: number): Session | JanusError {
    return this.#parts.sessions.get(id, connection) ?? noSuchSession(id);
  }

  #claim(connection: Connection, id: number): Session | JanusError {
    return this.#parts.sessions.claim(id, connection);
  }

  #sessionVerb(connection: Connection, session: Session, envelope: Envelope): JanusError | null {
    const { verb, transaction } = envelope;
    if (verb === 'attach') return this.#attach(connection, session, envelope);
    const janus = verb === 'keepalive' ? 'ack' : 'success';
    connection.send({ janus, session_id: session.id, transaction });
    if (verb === 'destroy') void this.#end(session);
    return null;
  }

  #attach(connection: Connection, session: Session, envelope: Envelope): JanusError | null {
    const checked = checkAttach(envelope.fields);
    if (!checked.ok) return checked.error;
    const { plugin } = checked.value;
    if (plugin !== PLUGIN) {
      return { code: JANUS_ERROR.PLUGIN_NOT_FOUND, reason: `No such plugin '${plugin.slice(0, 100)}'` };
    }
    const handle = this.#parts.sessions.addHandle(session);
    if ('code' in handle) return handle;
    const sdpSession = String(randomInt(1, 2 ** 47));
    handle.plugin = this.#parts.plugin.attach(handleSink(handle), {
      session,
      loopback: connection.loopback,
      sdpSession,
    });
    const { transaction } = envelope;
    connection.send({ janus: 'success', session_id: session.id, transaction, data: { id: handle.id } });
    return null;
  }

  /** Requests of a handle run one after the other; one that ends what another waits for lets it end early. */
  #enqueue(connection: Connection, handle: Handle, envelope: Envelope): JanusError | null {
    const { verb } = envelope;
    if (handle.plugin && (verb === 'detach' || verb === 'hangup')) this.#parts.plugin.interrupt(handle.plugin);
    const queued = handle.queue.push(async () => {
      const { plugin, session } = handle;
      // A request before this one, or a kick, may have ended the handle.
      if (!plugin || plugin.gone || !session.handles.has(handle.id)) {
        this.#refuse(connection, envelope, noSuchHandle(handle.id, session));
        return;
      }
      try {
        const error = await this.#handleVerb(connection, handle, envelope);
        if (error) this.#refuse(connection, envelope, error);
      } catch (error) {
        this.#parts.log('error', 'a request failed', { verb, error: String(error) });
        const reason = 'The server failed to process this request; its log says why.';
        this.#refuse(connection, envelope, { code: JANUS_ERROR.UNKNOWN, reason });
      }
    });
    if (queued) return null;
    return { code: JANUS_ERROR.UNKNOWN, reason: 'Too many requests wait on this handle; send fewer at once.' };
  }

  async #handleVerb(connection: Connection, handle: Handle, envelope: Envelope): Promise<JanusError | null> {
    const { plugin } = this.#parts;
    const { session } = handle;
    const { verb, transaction, fields } = envelope;
    const sfuHandle = handle.plugin;
    if (!sfuHandle) return noSuchHandle(handle.id, session);
    const success = { janus: 'success', session_id: session.id, transaction };
    switch (verb) {
      case 'trickle': {
        const error = checkTrickle(fields, sfuHandle.peer !== null);
        if (error) return error;
        connection.send({ janus: 'ack', session_id: session.id, transaction });
        return null;
      }
      case 'hangup': {
        connection.send(success);
        if ((await plugin.hangup(sfuHandle)) && !sfuHandle.gone) sfuHandle.sink.hangup('Janus API');
        return null;
      }
      case 'detach': {
        connection.send(success);
        await plugin.detach(sfuHandle);
        sfuHandle.sink.detached();
        return null;
      }
      default:
        return this.#message(connection, handle, envelope);
    }
  }

  async #message(connection: Connection, handle: Handle, envelope: Envelope): Promise<JanusError | null> {
    const { session, plugin: sfuHandle } = handle;
    if (!sfuHandle) return noSuchHandle(handle.id, session);
    const checked = checkMessage(envelope.fields);
    if (!checked.ok) return checked.error;
    const { body, jsep: requested } = checked.value;
    const jsep = requested && readJsep(requested);
    if (jsep && 'code' in jsep) return jsep;
    const refusal = jsep && this.#parts.plugin.checkJsep(sfuHandle, jsep);
    if (refusal) return refusal;
    const { transaction } = envelope;
    connection.send({ janus: 'ack', session_id: session.id, transaction, hint: 'Processing.' });
    const reply = await this.#parts.plugin.message(sfuHandle, body, jsep);
    if (!sfuHandle.gone) session.owner?.send(pluginEvent(handle, reply.data, reply.jsep, transaction));
    return null;
  }

  /** Ends a session and all its handles, without a word to its client. */
  async #end(session: Session): Promise<void> {
    this.#parts.sessions.remove(session);
    const handles = [...session.handles.values()];
    session.handles.clear();
    const ended = handles.map(({ plugin }) => plugin && this.#parts.plugin.detach(plugin));
    const failed = (await Promise.allSettled(ended)).find((one) => one.status === 'rejected');
    if (failed) this.#parts.log('error', 'a handle did not end cleanly', { error: String(failed.reason) });
  }

  #refuse(connection: Connection, envelope: Envelope, error: JanusError): void {
    const { sessionId, transaction, verbText: verb } = envelope;
    this.#parts.log('debug', 'request refused', { connection: connection.id, verb, code: error.code });
    connection.send(errorReply(error, { sessionId, transaction }));
  }
}

function unhandled(verb: string): JanusError {
  return { code: JANUS_ERROR.INVALID_REQUEST_PATH, reason: `Unhandled request '${verb}' at this path` };
}

function readJsep({ type, sdp }: JsepRequest): RemoteJsep | JanusError {
  const parsed = parseDescription(sdp);
  return parsed.ok ? { type, description: parsed.description } : { code: parsed.code, reason: parsed.reason };
}

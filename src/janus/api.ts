import { randomInt } from 'node:crypto';
import type { Log } from '../observability/log.js';
import type { SdpLimits } from '../sdp/intake.js';
import { PLUGIN, type SfuPlugin } from '../sfu/plugin.js';
import type { Authority } from './authority.js';
import { checkAttach } from './checks.js';
import type { Connection, Service } from './connection.js';
import { readDocuments } from './documents.js';
import { type Fields, field, readEnvelope } from './envelope.js';
import { errorReply, JANUS_ERROR, type JanusError, UNAUTHORIZED } from './errors.js';
import { HandleEvents } from './handle-events.js';
import { HandleVerbs } from './handle-verbs.js';
import { type Request, refuse } from './request.js';
import { RequestTally } from './request-tally.js';
import { noSuchHandle, noSuchSession, type Session, type Sessions } from './sessions.js';
import type { TimeoutEvent } from './wire.js';

export interface ApiParts {
  sessions: Sessions;
  plugin: SfuPlugin;
  authority: Authority;
  /** The fields of `server_info`. */
  info: () => object;
  /** Whether events say their handle's `opaque_id`. */
  opaqueIds: boolean;
  /** Most that a client's description may have; the usual unless told. */
  sdpLimits?: SdpLimits;
  log: Log;
  /** Milliseconds, monotonic. */
  now: () => number;
}

/** All verbs; `other` is one that there is not, or a request that could not be read. */
const VERBS = 'info ping create keepalive claim attach destroy message trickle hangup detach other'.split(' ');

/** The verbs that are addressed to a session alone; a verb elsewhere is unknown there (janus-api.md 1.2). */
const SESSION_VERBS = new Set(['keepalive', 'claim', 'attach', 'destroy']);

/** The Janus API: takes requests, sends replies and events. */
export class JanusApi implements Service {
  readonly #parts: ApiParts;
  readonly tally = new RequestTally(VERBS);
  readonly #events: HandleEvents;
  readonly #handles: HandleVerbs;
  #accepting = true;
  /** Whether it is being drained, and takes nobody. */
  #closed = false;
  /** Told when the last session has ended; null = the server is not drained. */
  #drained: (() => void) | null = null;

  constructor(parts: ApiParts) {
    this.#parts = parts;
    this.#events = new HandleEvents(({ session }, event) => this.#tell(session, event), parts.opaqueIds);
    this.#handles = new HandleVerbs({ ...parts, events: this.#events });
  }

  /** Whether `create` is served. It may be turned off and on, but a server that is being drained serves none. */
  get acceptingSessions(): boolean {
    return this.#accepting && !this.#closed;
  }

  set acceptingSessions(accepting: boolean) {
    this.#accepting = accepting;
  }

  /**
   * Takes no new sessions from now on, for good. Resolves when those that there are have ended.
   *
   * @param closed false = takes new ones all the same: they are of clients that belong here
   */
  drain(closed = true): Promise<void> {
    return new Promise((resolve) => {
      this.#closed = closed;
      this.#drained = resolve;
      if (this.#parts.sessions.size === 0) resolve();
    });
  }

  /** @inheritdoc */
  receive(connection: Connection, text: string): number {
    const reply = (message: object) => connection.send(message);
    const read = readDocuments(text);
    if (!read.ok) {
      this.tally.add('other', read.error.code);
      reply(errorReply(read.error, {}));
      return 1;
    }
    for (const document of read.documents) this.request(connection, document, reply);
    return read.documents.length;
  }

  /** @inheritdoc */
  request(connection: Connection, document: unknown, reply: (message: object) => void): void {
    const read = readEnvelope(document);
    if (!read.ok) {
      this.tally.add('other', read.error.code);
      reply(errorReply(read.error, { sessionId: read.sessionId }));
      return;
    }
    const { envelope } = read;
    const request: Request = { connection, envelope, reply: this.tally.counting(envelope.verb, reply) };
    const error = this.#dispatch(request);
    if (!error) return;
    const { verbText: verb } = envelope;
    this.#parts.log('debug', 'request refused', { connection: connection.id, verb, code: error.code });
    refuse(request, error);
  }

  /**
   * Asks whether an HTTP client may wait for a session's events; if so, that counts as activity.
   *
   * @param auth what the poll carries: `apisecret`, `token`
   */
  poll(connection: Connection, sessionId: number, auth: Fields): 'ok' | 'unauthorized' | 'unknown' {
    if (!this.#parts.authority.allows(auth)) return 'unauthorized';
    const session = this.#parts.sessions.get(sessionId, connection);
    if (!session) return 'unknown';
    session.lastActivity = this.#parts.now();
    return 'ok';
  }

  /** The connection closed: its sessions end, or wait to be claimed. */
  disconnect(connection: Connection): void {
    for (const session of this.#parts.sessions.disconnect(connection, this.#parts.now())) {
      void this.end(session);
    }
  }

  /** @inheritdoc */
  hasSession(connection: Connection): boolean {
    return this.#parts.sessions.ownedBy(connection).length > 0;
  }

  /** @inheritdoc */
  overflow(connection: Connection): void {
    for (const session of this.#parts.sessions.ownedBy(connection)) this.#overflow(session);
  }

  /** Ends what has timed out; to be called every second. */
  sweep(): void {
    for (const { session, cause } of this.#parts.sessions.expire(this.#parts.now())) {
      this.#parts.log('info', 'session expired', { session: session.id, cause });
      session.owner?.send({ janus: 'timeout', session_id: session.id } satisfies TimeoutEvent);
      void this.end(session);
    }
  }

  /** Ends all sessions; resolves when their PeerConnections are closed. */
  async endAll(): Promise<void> {
    await Promise.all(this.#parts.sessions.all().map((session) => this.end(session)));
  }

  /** Ends a session and all its handles, without a word to its client. */
  async end(session: Session): Promise<void> {
    this.#parts.sessions.remove(session);
    const handles = [...session.handles.values()];
    session.handles.clear();
    const ended = handles.map(({ plugin }) => plugin && this.#parts.plugin.detach(plugin));
    const failed = (await Promise.allSettled(ended)).find((one) => one.status === 'rejected');
    if (failed) this.#parts.log('error', 'a handle did not end cleanly', { error: String(failed.reason) });
    if (this.#drained && this.#parts.sessions.size === 0) this.#drained();
  }

  /** What the Admin API does to handles. */
  get handleVerbs(): Pick<HandleVerbs, 'hangup' | 'refused' | 'descriptionsRefused'> {
    return this.#handles;
  }

  /** Checks 5 to 13 of janus-api.md 3.3, and the verb. Returns the error to answer with, if it comes to one at once. */
  #dispatch(request: Request): JanusError | null {
    const { connection, envelope } = request;
    const { verb, verbText, sessionId, handleId, handleGiven, fields } = envelope;
    if (sessionId === 0 && handleId === 0) return this.#serverVerb(request);
    if (sessionId === 0) return { code: JANUS_ERROR.SESSION_NOT_FOUND, reason: 'Session not found' };
    if (handleGiven && handleId === 0) return { code: JANUS_ERROR.HANDLE_NOT_FOUND, reason: 'Handle not found' };
    // Before anything is looked up: a stranger must not learn which sessions there are.
    if (!this.#parts.authority.allows(fields)) return UNAUTHORIZED;
    const { sessions } = this.#parts;
    const session = verb === 'claim' ? sessions.find(sessionId) : sessions.get(sessionId, connection);
    if (!session) return noSuchSession(sessionId);
    session.lastActivity = this.#parts.now();
    const handle = handleId === 0 ? null : session.handles.get(handleId);
    if (handle === undefined) return noSuchHandle(handleId, session);
    if (SESSION_VERBS.has(verb)) {
      if (handle && (verb === 'attach' || verb === 'destroy')) return unhandled(verbText);
      return this.#sessionVerb(request, session);
    }
    if (!this.#handles.has(verb)) {
      return { code: JANUS_ERROR.UNKNOWN_REQUEST, reason: `Unknown request '${verbText}'` };
    }
    return handle ? this.#handles.enqueue(request, handle) : unhandled(verbText);
  }

  #serverVerb(request: Request): JanusError | null {
    const { verb, verbText, transaction } = request.envelope;
    switch (verb) {
      case 'ping':
        request.reply({ janus: 'pong', transaction });
        return null;
      case 'info':
        request.reply({ janus: 'server_info', transaction, ...this.#parts.info() });
        return null;
      case 'create':
        return this.#create(request);
      default:
        return unhandled(verbText);
    }
  }

  #create({ connection, envelope, reply }: Request): JanusError | null {
    const { transaction, wantedId, fields } = envelope;
    if (!this.acceptingSessions) {
      return { code: JANUS_ERROR.NOT_ACCEPTING_SESSIONS, reason: 'Currently not accepting new sessions' };
    }
    if (!this.#parts.authority.allows(fields)) return UNAUTHORIZED;
    const session = this.#parts.sessions.create(connection, wantedId, this.#parts.now());
    if ('code' in session) {
      if (session.code !== JANUS_ERROR.SESSION_CONFLICT) return session;
      // The one error to a create that names a session: the id that is taken.
      reply(errorReply(session, { sessionId: wantedId, transaction }));
      return null;
    }
    reply({ janus: 'success', transaction, data: { id: session.id } });
    return null;
  }

  #sessionVerb(request: Request, session: Session): JanusError | null {
    const { verb, transaction } = request.envelope;
    if (verb === 'attach') return this.#attach(request, session);
    const refusal = verb === 'claim' ? this.#parts.sessions.claim(session, request.connection) : null;
    if (refusal) return refusal;
    const janus = verb === 'keepalive' ? 'ack' : 'success';
    request.reply({ janus, session_id: session.id, transaction });
    if (verb === 'destroy') void this.end(session);
    if (verb === 'claim') this.#deliver(session);
    return null;
  }

  #attach(request: Request, session: Session): JanusError | null {
    const { connection, envelope, reply } = request;
    const checked = checkAttach(envelope.fields);
    if (!checked.ok) return checked.error;
    const { plugin, opaqueId, loopIndex } = checked.value;
    if (plugin !== PLUGIN) {
      return { code: JANUS_ERROR.PLUGIN_NOT_FOUND, reason: `No such plugin '${plugin}'` };
    }
    const given = field(envelope.fields, 'token');
    const token = typeof given === 'string' ? given : null;
    if (token !== null && !this.#parts.authority.mayUse(token, plugin)) {
      const reason = `Provided token can't access plugin '${plugin}'`;
      return { code: JANUS_ERROR.UNAUTHORIZED_PLUGIN, reason };
    }
    const handle = this.#parts.sessions.addHandle(session, { opaqueId, token }, this.#parts.now());
    if ('code' in handle) return handle;
    const { loopback, room } = connection;
    const sdpSession = String(randomInt(1, 2 ** 47));
    const client = {
      session,
      loopback,
      sdpSession,
      room,
      loopIndex,
      visitor: () => session.owner?.visitor ?? null,
      reconnect: (reason: string) => {
        const { owner } = session;
        owner?.reconnect?.(reason);
        return owner?.reconnect !== undefined;
      },
    };
    handle.plugin = this.#parts.plugin.attach(this.#events.sink(handle), client);
    const { transaction } = envelope;
    reply({ janus: 'success', session_id: session.id, transaction, data: { id: handle.id } });
    return null;
  }

  /** Brings what was kept while nobody owned the session to the one who claimed it. */
  #deliver(session: Session): void {
    const { mailbox } = session;
    session.mailbox = null;
    for (const event of mailbox?.take(mailbox.size) ?? []) this.#tell(session, event);
  }

  #tell(session: Session, event: object): void {
    if (!this.#parts.sessions.tell(session, event)) this.#overflow(session);
  }

  #overflow(session: Session): void {
    this.#parts.sessions.counters.overflowed += 1;
    this.#parts.log('warn', 'session ended: too many of its events wait for its client', { session: session.id });
    void this.end(session);
  }
}

function unhandled(verb: string): JanusError {
  return { code: JANUS_ERROR.INVALID_REQUEST_PATH, reason: `Unhandled request '${verb}' at this path` };
}

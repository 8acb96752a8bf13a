import { sameText } from '../authority.js';
import type { Connection, Service } from '../connection.js';
import { readDocuments } from '../documents.js';
import { type Envelope, field, isObject, readEnvelope } from '../envelope.js';
import { errorReply, JANUS_ERROR, type JanusError, missing, UNAUTHORIZED } from '../errors.js';
import { RequestTally } from '../request-tally.js';
import { noSuchHandle, noSuchSession, type Session } from '../sessions.js';
import { ClusterVerbs, clusterVerbs } from './cluster-verbs.js';
import { AdminError } from './fields.js';
import type { AdminParts, Answer, HandleVerb, ServerVerb, SessionVerb } from './parts.js';
import { serverVerbs } from './server-verbs.js';
import { handleVerbs, sessionVerbs } from './session-verbs.js';
import { settingVerbs } from './setting-verbs.js';
import { tokenVerbs } from './token-verbs.js';

/** The verbs that change nothing. */
const READING = /^(list|get|query|handle_info|loops_info|message_plugin|resolve_address|test_stun)/;

const NO_SESSION: JanusError = { code: JANUS_ERROR.SESSION_NOT_FOUND, reason: 'Session not found' };
const FAILED: JanusError = {
  code: JANUS_ERROR.UNKNOWN,
  reason: 'The server failed to process this request; its log says why.',
};

/** The Admin / Monitor API (janus-api.md 8): for those who know the secret. It counts as no session's activity. */
export class AdminApi implements Service {
  readonly #parts: AdminParts;
  readonly #secret: string;
  readonly #serverVerbs: ReadonlyMap<string, ServerVerb>;
  readonly #sessionVerbs: ReadonlyMap<string, SessionVerb>;
  readonly #handleVerbs: ReadonlyMap<string, HandleVerb>;
  readonly #cluster: ClusterVerbs | null;
  readonly tally: RequestTally;

  /** @param secret what every request but `info` and `ping` must carry as `admin_secret` */
  constructor(secret: string, parts: AdminParts) {
    this.#secret = secret;
    this.#parts = parts;
    this.#cluster = parts.cluster && new ClusterVerbs(parts.cluster, parts.log);
    this.#serverVerbs = new Map(
      Object.entries({ ...serverVerbs(parts), ...settingVerbs(parts), ...tokenVerbs(parts), ...clusterVerbs(parts) }),
    );
    this.#sessionVerbs = new Map(Object.entries(sessionVerbs(parts)));
    this.#handleVerbs = new Map(Object.entries(handleVerbs(parts)));
    const verbs = [this.#serverVerbs, this.#sessionVerbs, this.#handleVerbs].flatMap((some) => [...some.keys()]);
    this.tally = new RequestTally(['info', 'ping', ...verbs, 'other']);
  }

  /** @inheritdoc */
  receive(connection: Connection, text: string): number {
    const reply = (message: object) => connection.send(message);
    const read = readDocuments(text);
    if (!read.ok) {
      // What is no JSON has no transaction either: that is all that Janus says here.
      this.tally.add('other', JANUS_ERROR.MISSING_MANDATORY_ELEMENT);
      reply(errorReply(missing('transaction'), {}));
      return 1;
    }
    for (const document of read.documents) this.request(connection, document, reply);
    return read.documents.length;
  }

  /** @inheritdoc */
  request(connection: Connection, document: unknown, reply: (message: object) => void): void {
    // Here `id` means nothing, whatever it is.
    const read = readEnvelope(isObject(document) ? { ...document, id: 0 } : document);
    if (!read.ok) {
      this.tally.add('other', read.error.code);
      reply(errorReply(read.error, { sessionId: read.sessionId }));
      return;
    }
    const { envelope } = read;
    const answer = this.tally.counting(envelope.verb, reply);
    void this.#serve(connection, envelope).then(answer, (thrown) => answer(this.#failure(envelope, thrown)));
  }

  /** Serves a request that another node of the cluster passes on: it has asked for the secret. Never rejects. */
  async passedOn(document: unknown): Promise<object> {
    const read = readEnvelope(isObject(document) ? { ...document, id: 0 } : document);
    if (!read.ok) return errorReply(read.error, { sessionId: read.sessionId });
    try {
      return await this.#serve(null, read.envelope);
    } catch (thrown) {
      return this.#failure(read.envelope, thrown);
    }
  }

  #failure({ sessionId, transaction }: Envelope, thrown: unknown): object {
    const error = thrown instanceof AdminError ? thrown.error : FAILED;
    if (error === FAILED) this.#parts.log('error', 'an admin request failed', { error: String(thrown) });
    return errorReply(error, { sessionId, transaction });
  }

  /** Who asks here owns nothing that ends with the connection. */
  disconnect(): void {}

  hasSession(): boolean {
    return false;
  }

  overflow(): void {}

  /** Who looks leaves no trace; who acts does, but for what was said: it may hold a token. */
  #note(connection: Connection, { verb, verbText, sessionId, handleId }: Envelope): void {
    const level = READING.test(verb) ? 'debug' : 'info';
    const { id, address } = connection;
    const about = { ...(sessionId > 0 ? { session: sessionId } : {}), ...(handleId > 0 ? { handle: handleId } : {}) };
    this.#parts.log(level, 'admin request', { connection: id, address, verb: verbText, ...about });
  }

  async #serve(connection: Connection | null, envelope: Envelope): Promise<object> {
    const alone = connection === null;
    const { verb, transaction, sessionId, handleId, fields } = envelope;
    const ofServer = sessionId === 0 && handleId === 0;
    if (ofServer && verb === 'ping') return { janus: 'pong', transaction };
    if (ofServer && verb === 'info') return { janus: 'server_info', transaction, ...this.#parts.info() };
    // An address that can't be: both ids are needed to be a handle's. Here null is an id too, and a wrong one.
    const handleGiven = field(fields, 'handle_id') !== undefined;
    if (!ofServer && (sessionId === 0 || (handleGiven && handleId === 0))) throw new AdminError(NO_SESSION);
    if (connection) {
      this.#authorize(connection, envelope);
      this.#note(connection, envelope);
    }
    const here = async () => this.#ofServer(envelope);
    const cluster = alone ? null : this.#cluster;
    if (ofServer) return { janus: 'success', transaction, ...(await (cluster?.ofServer(envelope, here) ?? here())) };
    const session = this.#parts.sessions.find(sessionId);
    if (!session) {
      const elsewhere = await cluster?.ofSession(envelope);
      if (!elsewhere) throw new AdminError(noSuchSession(sessionId));
      return { janus: 'success', session_id: sessionId, transaction, ...elsewhere };
    }
    const answer = handleGiven ? this.#ofHandle(session, envelope) : this.#ofSession(session, envelope);
    return { janus: 'success', session_id: session.id, transaction, ...(await answer) };
  }

  #authorize(connection: Connection, { fields, verbText: verb }: Envelope): void {
    const secret = field(fields, 'admin_secret');
    if (typeof secret === 'string' && sameText(secret, this.#secret)) return;
    const { id, address } = connection;
    this.#parts.log('warn', 'an admin request without the secret', { connection: id, address, verb });
    throw new AdminError(UNAUTHORIZED);
  }

  #ofServer({ verb, verbText, fields }: Envelope): Answer {
    const run = this.#serverVerbs.get(verb);
    if (!run) throw new AdminError(unhandled(verbText));
    return run(fields);
  }

  #ofSession(session: Session, { verb, verbText, fields }: Envelope): Answer {
    const run = this.#sessionVerbs.get(verb);
    if (!run) throw new AdminError(unhandled(verbText));
    return run(session, fields);
  }

  #ofHandle(session: Session, { verb, verbText, handleId, fields }: Envelope): Answer {
    const handle = session.handles.get(handleId);
    if (!handle) throw new AdminError(noSuchHandle(handleId, session));
    const run = this.#handleVerbs.get(verb);
    if (!run) throw new AdminError(unhandled(verbText));
    return run(handle, fields);
  }
}

function unhandled(verb: string): JanusError {
  return { code: JANUS_ERROR.INVALID_REQUEST_PATH, reason: `Unhandled request '${verb}' at this path` };
}

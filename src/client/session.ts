import type { HandleEvent, ServerMessage, Verb, VerbFields } from '../janus/wire.js';
import type { PluginName } from '../sfu/wire.js';
import { BACK_OFF, type BackOff, Pauses, retryDelay } from './back-off.js';
import { Connection, isHandleEvent } from './connection.js';
import { Emitter } from './emitter.js';
import { type Environment, socketClass } from './environment.js';
import { asError, Closed, ConnectionLost, JanusRefusal, NoAnswer, SessionLost, SfuError } from './errors.js';
import { Handle } from './handle.js';
import { type Reply, Requests } from './requests.js';

const PLUGIN: PluginName = 'janus.plugin.sfu';

export interface SessionOptions extends Environment {
  /** The server's API_SECRET, if it has one. */
  apiSecret?: string;
  /** A token for the Janus API (TOKEN_AUTH), not the one for a room. */
  apiToken?: string;
  /** Milliseconds until opening a WebSocket has failed; 8000. */
  openTimeoutMs?: number;
  /** Milliseconds until a request without an answer fails; 15000. */
  answerTimeoutMs?: number;
  /** Milliseconds between keepalives; 25000. The server ends a session after 60 s of silence. */
  keepaliveMs?: number;
  /** Most requests that wait for answers; 256. */
  waitingMax?: number;
  /** Most of those that wait for the connection to be back; 64. */
  queuedMax?: number;
  /** Whether to connect again when the socket breaks; default true. If not, the session is over then. */
  reconnect?: boolean;
  /** The pauses before attempts to be connected again. */
  backOff?: BackOff;
}

/** What a handle may be given when it is made. */
export interface AttachOptions {
  /** What the server's log and Admin API call the handle. */
  opaqueId?: string;
  /** A hint for where the server places the handle's PeerConnection: handles with one number go together. */
  loopIndex?: number;
}

/** What a session tells. */
export interface SessionEvents {
  /** The connection is lost, or an attempt to have it back failed: the next one is in `retryMs`. */
  away: { problem: Error; retryMs: number };
  /** Connected again, with all that the session had: its handles, their rooms and PeerConnections. */
  claimed: { sessionId: number };
  /** Connected again, by a new session: the handles of the one before have ended. */
  renewed: { sessionId: number };
  /** Over: closed here (`problem` null), or refused for good. */
  closed: { problem: Error | null };
}

/** Connected, on the way back, or over. */
export type SessionState = 'open' | 'away' | 'closed';

/**
 * A Janus session, over as many WebSockets as it takes: when one breaks the session is claimed on the next, and where the
 * server does not know it any more a new one takes its place.
 */
export class Session extends Emitter<SessionEvents> {
  readonly url: string;
  readonly #options: SessionOptions;
  readonly #requests: Requests;
  readonly #handles = new Map<number, Handle>();
  readonly #pauses = new Pauses();
  #connection: Connection | null = null;
  #state: SessionState = 'away';
  #id = 0;
  #keepalive: ReturnType<typeof setInterval> | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  private constructor(url: string, options: SessionOptions) {
    super();
    this.url = url;
    this.#options = options;
    this.#requests = new Requests({
      answerTimeoutMs: options.answerTimeoutMs ?? 15_000,
      waitingMax: options.waitingMax ?? 256,
      queuedMax: options.queuedMax ?? 64,
    });
  }

  /**
   * Connects and creates the session; from then on it keeps itself connected.
   *
   * @throws {SignallingUnreachable} if the socket doesn't open in time, {JanusRefusal} e.g. for a wrong secret, {Unsupported}
   *   without a WebSocket class
   */
  static async open(url: string, options: SessionOptions = {}): Promise<Session> {
    const session = new Session(url, options);
    const connection = await session.#connect();
    try {
      await session.#create(connection);
    } catch (error) {
      session.#end(asError(error));
      connection.close();
      throw error;
    }
    session.#opened();
    session.#keepalive = setInterval(() => session.#keepAlive(), options.keepaliveMs ?? 25_000);
    return session;
  }

  /** The session's id at the server; another one after `renewed`. */
  get id(): number {
    return this.#id;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The platform's classes, as given or found. */
  get environment(): Environment {
    return this.#options;
  }

  /** A new handle of the plugin. */
  async attach({ opaqueId, loopIndex }: AttachOptions = {}): Promise<Handle> {
    const reply = await this.request('attach', {
      plugin: PLUGIN,
      ...(opaqueId === undefined ? {} : { opaque_id: opaqueId }),
      ...(loopIndex === undefined ? {} : { loop_index: loopIndex }),
    });
    const id = idOf(reply);
    if (id === null) throw new NoAnswer('attach', 'the reply names no handle');
    const handle = new Handle(id, this, () => this.#handles.delete(id));
    this.#handles.set(id, handle);
    return handle;
  }

  /**
   * Sends a verb and waits for its reply; of `message`, for the event after the ack. Without a connection it waits for the
   * next one.
   *
   * @throws {JanusRefusal} on an error reply, {NoAnswer} when the time is over, {SessionLost}, {Closed}, {TooManyRequests}
   */
  async request<V extends Verb>(verb: V, fields: VerbFields[V] & { handle_id?: number }): Promise<Reply> {
    if (this.#state === 'closed') throw new Closed('session');
    const reply = this.#requests.add(verb, fields, performance.now());
    this.#watch();
    if (this.#state === 'open' && this.#connection) this.#flush(this.#connection);
    return reply;
  }

  /** Ends the session and its handles, and waits for nothing: also right when the page goes away. */
  close(): void {
    if (this.#state === 'open') this.request('destroy', {}).catch(() => {});
    this.#end(null);
  }

  async #connect(): Promise<Connection> {
    const { openTimeoutMs = 8_000 } = this.#options;
    const connection = await Connection.open(this.url, socketClass(this.#options), openTimeoutMs);
    if (this.#state === 'closed') {
      connection.close();
      throw new Closed('session');
    }
    this.#connection = connection;
    connection.onMessage = (message) => {
      if (this.#connection === connection) this.#receive(message);
    };
    connection.closed.then((reason) => {
      if (this.#connection === connection) this.#lost(reason);
    });
    return connection;
  }

  async #create(connection: Connection): Promise<void> {
    this.#id = 0;
    const id = idOf(await this.#ask(connection, 'create'));
    if (id === null) throw new NoAnswer('create', 'the reply names no session');
    this.#id = id;
  }

  /** A request past the queue: what has to be settled before anything else can be. */
  #ask(connection: Connection, verb: 'create' | 'claim'): Promise<Reply> {
    const { request, reply } = this.#requests.addSent(verb, performance.now());
    this.#watch();
    connection.send({ ...request, ...this.#address() });
    return reply;
  }

  #address(): { session_id?: number; apisecret?: string; token?: string } {
    const { apiSecret, apiToken } = this.#options;
    return {
      ...(this.#id === 0 ? {} : { session_id: this.#id }),
      ...(apiSecret === undefined ? {} : { apisecret: apiSecret }),
      ...(apiToken === undefined ? {} : { token: apiToken }),
    };
  }

  #flush(connection: Connection): void {
    for (const request of this.#requests.takeQueued()) connection.send({ ...request, ...this.#address() });
  }

  #opened(): void {
    this.#state = 'open';
    if (this.#connection) this.#flush(this.#connection);
  }

  #receive(message: ServerMessage): void {
    if (message.janus === 'timeout') {
      if (message.session_id === this.#id && this.#connection) void this.#renew(this.#connection);
      return;
    }
    if (!isHandleEvent(message)) {
      this.#requests.settle(message);
      return;
    }
    // An answer that came too late is nobody's any more.
    if (message.janus === 'event' && message.transaction !== undefined) this.#requests.settle(message);
    else this.#pass(message);
  }

  #pass(event: HandleEvent): void {
    if (event.session_id === this.#id) this.#handles.get(event.sender)?.receive(event);
  }

  /** The socket broke. */
  #lost(reason: string): void {
    this.#connection = null;
    this.#requests.interrupt();
    // Before the session is open, whoever opens it learns of it by the request that it waits for.
    if (this.#state !== 'open') return;
    const problem = new ConnectionLost(reason);
    if (this.#options.reconnect === false) {
      this.#end(problem);
      return;
    }
    this.#state = 'away';
    void this.#reconnect(problem);
  }

  async #reconnect(cause: Error): Promise<void> {
    let problem = cause;
    for (let failures = 0; this.#state === 'away'; failures += 1) {
      const retryMs = retryDelay(failures, Math.random(), this.#options.backOff ?? BACK_OFF);
      this.emit('away', { problem, retryMs });
      await this.#pauses.wait(retryMs);
      if (this.#state !== 'away') return;
      try {
        const connection = await this.#connect();
        await this.#resume(connection);
        return;
      } catch (error) {
        problem = asError(error);
        this.#drop();
        if (problem instanceof SfuError && problem.final) this.#end(problem);
      }
    }
  }

  /** Claims the session on a new connection, or begins another. */
  async #resume(connection: Connection): Promise<void> {
    try {
      await this.#ask(connection, 'claim');
    } catch (error) {
      if (!(error instanceof JanusRefusal) || error.final) throw error;
      await this.#replace(connection);
      return;
    }
    this.#opened();
    this.emit('claimed', { sessionId: this.#id });
  }

  /** The server ended the session while the socket is open. */
  async #renew(connection: Connection): Promise<void> {
    this.#state = 'away';
    try {
      await this.#replace(connection);
    } catch (error) {
      if (this.#state !== 'away') return;
      this.#drop();
      void this.#reconnect(asError(error));
    }
  }

  async #replace(connection: Connection): Promise<void> {
    this.#abandon(new SessionLost());
    await this.#create(connection);
    this.#opened();
    this.emit('renewed', { sessionId: this.#id });
  }

  /** Nothing of the session before is of use any more. */
  #abandon(reason: Error): void {
    this.#requests.fail(reason);
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    for (const handle of handles) handle.end(reason);
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.close();
  }

  #end(problem: Error | null): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearInterval(this.#keepalive);
    clearTimeout(this.#expiry);
    this.#pauses.cut();
    this.#drop();
    this.#abandon(problem ?? new Closed('session'));
    this.emit('closed', { problem });
  }

  #keepAlive(): void {
    if (this.#state !== 'open') return;
    const connection = this.#connection;
    this.request('keepalive', {}).catch((error) => {
      // A socket that is open but leads nowhere any more.
      if (error instanceof NoAnswer && connection && this.#connection === connection) {
        connection.close();
        this.#lost('no answer to a keepalive');
      }
    });
  }

  /** Sees to it that requests without an answer fail in time. */
  #watch(): void {
    clearTimeout(this.#expiry);
    const now = performance.now();
    const next = this.#requests.expire(now);
    if (next !== null) this.#expiry = setTimeout(() => this.#watch(), Math.ceil(next - now));
  }
}

function idOf(reply: Reply): number | null {
  return reply.janus === 'success' ? (reply.data?.id ?? null) : null;
}

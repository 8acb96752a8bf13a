import { JanusError, NoAnswer, Refused, SignallingUnreachable } from './errors.js';

const OPEN_TIMEOUT_MS = 8_000;
const ANSWER_TIMEOUT_MS = 15_000;
/** The server drops a session after 60 s of silence. */
const KEEPALIVE_MS = 25_000;
const PLUGIN = 'janus.plugin.sfu';

export interface Jsep {
  type: 'offer' | 'answer';
  sdp: string;
}

/** What the plugin is asked; an empty one comes with a description. */
export interface PluginRequest {
  kind?: 'join' | 'block' | 'unblock';
  room_id?: string;
  user_id?: string;
  subscribe?: { notifications?: boolean; data?: boolean; media?: string };
  token?: string;
  whom?: string;
}

/** What the plugin says: the answer to a message, or news of the room. */
export interface PluginData {
  success?: boolean;
  response?: { users?: Record<string, string[]> };
  error?: { msg?: string };
  event?: string;
  user_id?: string;
  room_id?: string;
  by?: string;
  from?: string;
  body?: string;
}

/** Anything the server sends. */
export interface Signal {
  janus: string;
  transaction?: string;
  session_id?: number;
  sender?: number;
  data?: { id?: number };
  error?: { code: number; reason: string };
  plugindata?: { plugin: string; data: PluginData };
  jsep?: Jsep;
  reason?: string;
}

interface Waiting {
  verb: string;
  resolve: (signal: Signal) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

/**
 * One WebSocket with one Janus session on it (Janus API: create, attach, message, trickle, keepalive, detach, destroy).
 * Lives until the socket closes; a new one is made to reconnect, nothing is claimed.
 */
export class JanusConnection {
  /** Resolves when the socket is closed, by whomever, with a word why. */
  readonly closed: Promise<string>;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, Waiting>();
  readonly #handles = new Map<number, JanusHandle>();
  #session: number | null = null;
  #lastTransaction = 0;
  #keepalive: ReturnType<typeof setInterval> | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', (event) => {
        clearInterval(this.#keepalive);
        for (const { verb, reject, timer } of this.#waiting.values()) {
          clearTimeout(timer);
          reject(new NoAnswer(verb, 'the connection to the server was closed'));
        }
        this.#waiting.clear();
        resolve(event.reason || `WebSocket closed with code ${event.code}`);
      });
    });
    socket.addEventListener('message', (event) => this.#receive(String(event.data)));
  }

  /**
   * Opens the socket and creates the session.
   * @throws {SignallingUnreachable} if the socket doesn't open within 8 s
   */
  static async open(url: string): Promise<JanusConnection> {
    const socket = new WebSocket(url, 'janus-protocol');
    await new Promise<void>((resolve, reject) => {
      const fail = () => {
        clearTimeout(timer);
        socket.close();
        reject(new SignallingUnreachable(url));
      };
      const timer = setTimeout(fail, OPEN_TIMEOUT_MS);
      socket.addEventListener('error', fail, { once: true });
      socket.addEventListener(
        'open',
        () => {
          clearTimeout(timer);
          socket.removeEventListener('error', fail);
          resolve();
        },
        { once: true },
      );
    });
    const connection = new JanusConnection(socket);
    const created = await connection.request('create');
    connection.#session = created.data?.id ?? null;
    connection.#keepalive = setInterval(() => {
      connection.request('keepalive').catch(() => socket.close());
    }, KEEPALIVE_MS);
    return connection;
  }

  async attach(): Promise<JanusHandle> {
    const attached = await this.request('attach', { plugin: PLUGIN });
    const id = attached.data?.id;
    if (id === undefined) throw new NoAnswer('attach', 'the reply names no handle');
    const handle = new JanusHandle(this, id);
    this.#handles.set(id, handle);
    return handle;
  }

  /**
   * Sends a verb and waits for its reply; of `message`, for the event after the ack.
   * @throws {JanusError} on an error reply, {NoAnswer} after 15 s or when the socket closes
   */
  request(verb: string, fields: object = {}): Promise<Signal> {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new NoAnswer(verb, 'the connection to the server is closed'));
    }
    this.#lastTransaction += 1;
    const transaction = String(this.#lastTransaction);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(transaction);
        reject(new NoAnswer(verb, `${ANSWER_TIMEOUT_MS / 1000} s passed`));
      }, ANSWER_TIMEOUT_MS);
      this.#waiting.set(transaction, { verb, resolve, reject, timer });
      const session = this.#session === null ? {} : { session_id: this.#session };
      this.#socket.send(JSON.stringify({ janus: verb, transaction, ...session, ...fields }));
    });
  }

  /** Ends the session and the socket, and waits for neither. */
  close(): void {
    this.request('destroy').catch(() => {});
    this.#socket.close(1000);
  }

  /** Handles are forgotten when detached: their late events go nowhere. */
  forget(handle: number): void {
    this.#handles.delete(handle);
  }

  #receive(text: string): void {
    const signal: Signal = JSON.parse(text);
    if (signal.transaction !== undefined) this.#settle(signal.transaction, signal);
    if (signal.janus === 'timeout') this.#socket.close();
    if (signal.sender !== undefined) this.#handles.get(signal.sender)?.receive(signal);
  }

  #settle(transaction: string, signal: Signal): void {
    const waiting = this.#waiting.get(transaction);
    if (!waiting || (signal.janus === 'ack' && waiting.verb === 'message')) return;
    this.#waiting.delete(transaction);
    clearTimeout(waiting.timer);
    if (signal.janus === 'error') {
      waiting.reject(new JanusError(waiting.verb, signal.error?.code ?? 0, signal.error?.reason ?? 'no reason given'));
    } else {
      waiting.resolve(signal);
    }
  }
}

/** One attachment to the plugin: at most one PeerConnection, and its messages. */
export class JanusHandle {
  readonly id: number;
  readonly #connection: JanusConnection;
  /** Unasked events: the plugin's (without transaction) and Janus' own (webrtcup, media, slowlink, hangup, detached). */
  onSignal: (signal: Signal) => void = () => {};

  constructor(connection: JanusConnection, id: number) {
    this.#connection = connection;
    this.id = id;
  }

  /**
   * Sends a message to the plugin and waits for its event.
   * @throws {Refused} if the plugin answers without success
   */
  async message(body: PluginRequest, jsep?: Jsep): Promise<{ data: PluginData; jsep: Jsep | undefined }> {
    const signal = await this.#connection.request('message', {
      handle_id: this.id,
      body,
      ...(jsep ? { jsep: { type: jsep.type, sdp: jsep.sdp } } : {}),
    });
    const data = signal.plugindata?.data ?? {};
    if (data.success === false) throw new Refused(body.kind ?? 'negotiate', data.error?.msg ?? 'no reason given');
    return { data, jsep: signal.jsep };
  }

  /** Sends a candidate, or that there are no more; a lost one does no harm, so nobody waits. */
  trickle(candidate: RTCIceCandidate | null): void {
    const payload = candidate ?? { completed: true };
    this.#connection.request('trickle', { handle_id: this.id, candidate: payload }).catch(() => {});
  }

  detach(): void {
    this.#connection.forget(this.id);
    this.#connection.request('detach', { handle_id: this.id }).catch(() => {});
  }

  receive(signal: Signal): void {
    if (signal.transaction === undefined) this.onSignal(signal);
  }
}

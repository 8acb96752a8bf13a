/** A small Janus client over ws, for tests that look at single messages. */
import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';

/** A message of the server, as it came. */
export type Received = Record<string, unknown> & {
  janus?: string;
  transaction?: string;
  session_id?: number;
  sender?: number;
  data?: { id: number };
  error?: { code: number; reason: string };
  plugindata?: { plugin: string; data: Record<string, unknown> };
  jsep?: { type: string; sdp: string };
};

export interface ClientHandle {
  session: number;
  id: number;
}

const WAIT_LIMIT = 20_000;

export class JanusClient {
  /** All that came, in order. */
  readonly received: Received[] = [];
  readonly socket: WebSocket;
  #transactions = 0;
  #arrived: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, binary) => {
      if (binary) throw new Error('the server sent a binary message');
      this.received.push(JSON.parse(data.toString()));
      for (const wake of this.#arrived.splice(0)) wake();
    });
    socket.on('close', () => {
      for (const wake of this.#arrived.splice(0)) wake();
    });
  }

  static async connect(url: string, subprotocol = 'janus-protocol', options: ClientOptions = {}): Promise<JanusClient> {
    const socket = new WebSocket(url, subprotocol, options);
    const client = new JanusClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Sends an object as it is. */
  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Waits for a message, also one that has come already. Rejects with all that came instead. */
  async until(match: (message: Received) => boolean, what: string, from = 0): Promise<Received> {
    const end = performance.now() + WAIT_LIMIT;
    for (;;) {
      const found = this.received.slice(from).find(match);
      if (found) return found;
      const left = end - performance.now();
      if (left <= 0 || this.socket.readyState > WebSocket.OPEN) {
        throw new Error(`${what} did not come, only: ${JSON.stringify(this.received.slice(from), null, 1)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#arrived.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Sends a request under a transaction of its own, and waits for its direct reply. */
  async request(message: Record<string, unknown>): Promise<Received> {
    this.#transactions += 1;
    const transaction = `t${this.#transactions}`;
    this.send({ transaction, ...message });
    return this.until((one) => one.transaction === transaction && one.janus !== 'event', `the reply to ${transaction}`);
  }

  async create(): Promise<number> {
    const reply = await this.request({ janus: 'create' });
    if (!reply.data) throw new Error(`create failed: ${JSON.stringify(reply)}`);
    return reply.data.id;
  }

  async attach(session: number): Promise<ClientHandle> {
    const reply = await this.request({ janus: 'attach', session_id: session, plugin: 'janus.plugin.sfu' });
    if (!reply.data) throw new Error(`attach failed: ${JSON.stringify(reply)}`);
    return { session, id: reply.data.id };
  }

  /** A request to a handle. */
  toHandle(handle: ClientHandle, fields: Record<string, unknown>): Promise<Received> {
    return this.request({ session_id: handle.session, handle_id: handle.id, ...fields });
  }

  /** Sends a message to the plugin and waits for its event. */
  async message(handle: ClientHandle, body: unknown, jsep?: { type: string; sdp: string }): Promise<Received> {
    const reply = await this.toHandle(handle, { janus: 'message', body, ...(jsep && { jsep }) });
    if (reply.janus !== 'ack') return reply;
    const { transaction } = reply;
    return this.until((one) => one.janus === 'event' && one.transaction === transaction, `the event of ${transaction}`);
  }

  /** A new handle that has joined. */
  async join(room: string, user: string, subscribe?: object, token?: string): Promise<ClientHandle> {
    const handle = await this.attach(await this.create());
    const event = await this.message(handle, { kind: 'join', room_id: room, user_id: user, subscribe, token });
    if (event.plugindata?.data.success !== true) throw new Error(`join failed: ${JSON.stringify(event)}`);
    return handle;
  }

  /** The plugin events of a handle that answer nothing, so far. */
  pushed(handle: ClientHandle): Record<string, unknown>[] {
    return this.received
      .filter((one) => one.janus === 'event' && one.sender === handle.id && one.transaction === undefined)
      .map((one) => one.plugindata?.data ?? {});
  }

  /** Waits until everything that the server sent before this call has come: it answers in order. */
  async settled(): Promise<void> {
    await this.request({ janus: 'ping' });
  }

  /** Closes, and waits for it. Returns the close code. */
  async close(): Promise<number> {
    if (this.socket.readyState === WebSocket.CLOSED) return -1;
    const closed = once(this.socket, 'close');
    this.socket.close();
    const [code] = await closed;
    return Number(code);
  }
}

/** The data of a plugin event. */
export function dataOf(message: Received): Record<string, unknown> {
  return message.plugindata?.data ?? {};
}

/** The text of a plugin's refusal, or null for a success. */
export function refusalOf(message: Received): string | null {
  const { error } = dataOf(message);
  return typeof error === 'object' && error !== null && 'msg' in error ? String(error.msg) : null;
}

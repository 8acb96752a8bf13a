/** A Janus client of the least cost: one WebSocket, requests and their replies. */
import { once } from 'node:events';
import WebSocket from 'ws';

export interface Message {
  janus: string;
  transaction?: string;
  sender?: number;
  data?: { id: number };
  jsep?: { type: string; sdp: string };
  plugindata?: { data: Record<string, unknown> };
  error?: { code: number; reason: string };
}

export interface Handle {
  session: number;
  id: number;
}

/** One WebSocket. It keeps nothing but what it waits for: thousands of them must fit into one process. */
export class SignallingClient {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, { resolve: (message: Message) => void; reject: (error: Error) => void }>();
  /** Called with what answers no request. */
  onEvent: (message: Message) => void = () => {};
  #transactions = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (text) => this.#receive(JSON.parse(String(text))));
    socket.on('close', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the server closed the socket with ${code}`));
      this.#waiting.clear();
    });
  }

  static async open(url: string): Promise<SignallingClient> {
    const socket = new WebSocket(url, 'janus-protocol');
    await once(socket, 'open');
    return new SignallingClient(socket);
  }

  /** Sends a request whose reply nobody waits for. */
  tell(fields: Record<string, unknown>): void {
    this.#transactions += 1;
    this.#socket.send(JSON.stringify({ ...fields, transaction: String(this.#transactions) }));
  }

  /** @returns the reply; for a `message` the event that answers it. Rejects with the server's error. */
  request(fields: Record<string, unknown>): Promise<Message> {
    this.#transactions += 1;
    const transaction = String(this.#transactions);
    return new Promise((resolve, reject) => {
      this.#waiting.set(transaction, { resolve, reject });
      this.#socket.send(JSON.stringify({ ...fields, transaction }));
    });
  }

  async create(): Promise<number> {
    return (await this.request({ janus: 'create' })).data?.id ?? 0;
  }

  async join(session: number, room: string, user: string): Promise<Handle> {
    const { data } = await this.request({ janus: 'attach', session_id: session, plugin: 'janus.plugin.sfu' });
    const handle = { session, id: data?.id ?? 0 };
    const subscribe = { data: true, notifications: true };
    await this.message(handle, { kind: 'join', room_id: room, user_id: user, subscribe });
    return handle;
  }

  async message({ session, id }: Handle, body: Record<string, unknown>): Promise<void> {
    const { plugindata } = await this.request({ janus: 'message', session_id: session, handle_id: id, body });
    if (plugindata?.data.success !== true) throw new Error(`refused: ${JSON.stringify(plugindata?.data)}`);
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #receive(message: Message): void {
    if (message.transaction === undefined) {
      this.onEvent(message);
      return;
    }
    const waiting = this.#waiting.get(message.transaction);
    if (!waiting || message.janus === 'ack') return;
    this.#waiting.delete(message.transaction);
    if (message.error) waiting.reject(new Error(`${message.error.code} ${message.error.reason}`));
    else waiting.resolve(message);
  }
}

/**
 * A Janus session on a WebSocket of its own, for peers under load: it passes on what comes and waits as long as it takes.
 * (Tests that look at single messages have test/support/janus-client.ts, which keeps them all.)
 */

import { EventEmitter, once } from 'node:events';
import WebSocket from 'ws';
import { type Deferred, deferred } from './deferred.js';

export interface Jsep {
  type: 'offer' | 'answer';
  sdp: string;
}

export interface JanusMessage {
  janus: string;
  transaction?: string;
  sender?: number;
  session_id?: number;
  data?: { id: number };
  plugindata?: { plugin: string; data: Record<string, unknown> };
  jsep?: Jsep;
  error?: { code: number; reason: string };
  reason?: string;
  [extra: string]: unknown;
}

export class JanusLink {
  readonly socket: WebSocket;
  readonly handles = new Map<number, JanusHandle>();
  /** Everything that came unasked, in order. */
  readonly events: JanusMessage[] = [];
  session = 0;
  #transactions = new Map<string, Deferred<JanusMessage>>();
  #next = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (text) => this.#receive(JSON.parse(String(text))));
    socket.on('close', (code) => {
      for (const { reject } of this.#transactions.values()) reject(new Error(`the socket was closed with ${code}`));
      this.#transactions.clear();
    });
  }

  static async open(url: string): Promise<JanusLink> {
    const socket = new WebSocket(url, 'janus-protocol');
    const link = new JanusLink(socket);
    await once(socket, 'open');
    link.session = (await link.request({ janus: 'create' })).data?.id ?? 0;
    return link;
  }

  async attach(): Promise<JanusHandle> {
    const reply = await this.request({ janus: 'attach', plugin: 'janus.plugin.sfu' });
    const handle = new JanusHandle(this, reply.data?.id ?? 0);
    this.handles.set(handle.id, handle);
    return handle;
  }

  /** Sends a request and waits for its reply: for a `message`, the event that answers it. */
  request(message: Record<string, unknown>): Promise<JanusMessage> {
    const transaction = String(this.#next++);
    const reply = deferred<JanusMessage>();
    this.#transactions.set(transaction, reply);
    const session = this.session > 0 ? { session_id: this.session } : {};
    this.socket.send(JSON.stringify({ ...message, ...session, transaction }));
    return reply.promise;
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.close();
    await once(this.socket, 'close');
  }

  #receive(message: JanusMessage): void {
    if (message.janus === 'ack' && message.transaction !== undefined) {
      const waiting = this.#transactions.get(message.transaction);
      // A keepalive and a trickle end with the ack, a message with its event.
      if (waiting && message.hint === undefined) {
        this.#transactions.delete(message.transaction);
        waiting.resolve(message);
      }
      return;
    }
    const waiting = message.transaction === undefined ? undefined : this.#transactions.get(message.transaction);
    if (waiting && message.transaction !== undefined) {
      this.#transactions.delete(message.transaction);
      if (message.janus === 'error') waiting.reject(new Error(`${message.error?.code} ${message.error?.reason}`));
      else waiting.resolve(message);
      return;
    }
    this.events.push(message);
    this.handles.get(message.sender ?? 0)?.emit('event', message);
  }
}

export class JanusHandle extends EventEmitter<{ event: [JanusMessage] }> {
  readonly link: JanusLink;
  readonly id: number;

  constructor(link: JanusLink, id: number) {
    super();
    this.link = link;
    this.id = id;
  }

  /** @returns the answering event; rejects if the plugin says `success: false` */
  async message(body: Record<string, unknown>, jsep?: Jsep): Promise<JanusMessage> {
    const event = await this.link.request({ janus: 'message', handle_id: this.id, body, ...(jsep ? { jsep } : {}) });
    const data = event.plugindata?.data;
    if (data?.success === false) throw new Error((data.error as { msg: string }).msg);
    return event;
  }

  request(janus: string, extra: Record<string, unknown> = {}): Promise<JanusMessage> {
    return this.link.request({ janus, handle_id: this.id, ...extra });
  }
}

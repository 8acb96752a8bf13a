/**
 * Many signalling clients that lose their connections together and come back together, as after a restart of the server or of a
 * network; and what it costs when they come one after the other. No media.
 */
import { once } from 'node:events';
import WebSocket from 'ws';
import { inLanes } from './lanes.js';

interface Message {
  janus: string;
  transaction?: string;
  session_id?: number;
  data?: { id: number };
  plugindata?: { data: { success?: boolean; event?: string; user_id?: string; from?: string; body?: unknown } };
  error?: { code: number; reason: string };
}

/** Times that a client tries to connect, and milliseconds from one to the next, as many more each time. */
const ATTEMPTS = 5;
const RETRY_MS = 50;

/** What a client hears of the others in its room. */
export type Heard = (event: string, user: string, body: unknown) => void;

/** One user on a socket of its own; it comes back as the same user. */
class StormClient {
  readonly user: string;
  readonly #url: string;
  readonly #room: string;
  readonly #heard: Heard;
  #socket: WebSocket | null = null;
  #session = 0;
  #handle = 0;

  constructor(url: string, room: string, user: string, heard: Heard) {
    this.#url = url;
    this.#room = room;
    this.user = user;
    this.#heard = heard;
  }

  /** Connects, and is in its room when it resolves: four round trips. Where the server is too busy to accept it tries again. */
  async join(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#joinOnce();
        return;
      } catch (error) {
        if (attempt === ATTEMPTS || !(error instanceof Error && 'code' in error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt));
      }
    }
  }

  async #joinOnce(): Promise<void> {
    const socket = new WebSocket(this.#url, 'janus-protocol', { perMessageDeflate: false });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      const send = (fields: object) => socket.send(JSON.stringify(fields));
      socket.on('open', () => send({ janus: 'create', transaction: 'create' }));
      socket.on('error', reject);
      socket.on('close', (code) => reject(new Error(`the server closed the socket with ${code}`)));
      socket.on('message', (text) => {
        const message = JSON.parse(String(text)) as Message;
        const { transaction, data, plugindata, error } = message;
        if (error) reject(new Error(`${error.code} ${error.reason}`));
        else if (transaction === 'create') {
          this.#session = data?.id ?? 0;
          send({ janus: 'attach', session_id: this.#session, plugin: 'janus.plugin.sfu', transaction: 'attach' });
        } else if (transaction === 'attach') {
          this.#handle = data?.id ?? 0;
          const subscribe = { data: true, notifications: true };
          this.message({ kind: 'join', room_id: this.#room, user_id: this.user, subscribe }, 'join');
        } else if (message.janus === 'event' && transaction === 'join') {
          if (plugindata?.data.success === true) resolve();
          else reject(new Error(`refused: ${JSON.stringify(plugindata?.data)}`));
        } else if (plugindata?.data.event !== undefined) {
          const { event, user_id, from, body } = plugindata.data;
          this.#heard(event, user_id ?? from ?? '', body);
        }
      });
    });
  }

  message(body: object, transaction: string): void {
    const fields = { janus: 'message', session_id: this.#session, handle_id: this.#handle, body, transaction };
    this.#socket?.send(JSON.stringify(fields));
  }

  /** The connection ends without a word. */
  cut(): void {
    this.#socket?.removeAllListeners('close').on('error', () => {});
    this.#socket?.terminate();
  }

  /** Resolves when the server is gone. */
  async cutOff(): Promise<void> {
    const socket = this.#socket;
    if (socket && socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
  }
}

export interface StormFigures {
  clients: number;
  /** Milliseconds from the cut of all connections until half of the clients, and the last one, are back in their rooms. */
  half: number;
  all: number;
  /** Users whom the one in their room who stayed did not see leave once and then join once. */
  seenWrong: number;
}

/** Clients in their rooms, and one more in each room who stays and watches. */
export class Storm {
  readonly #url: string;
  readonly #clients: StormClient[] = [];
  readonly #witnesses: StormClient[] = [];
  /** What the witnesses saw since the last cut, by user. */
  readonly #seen = new Map<string, string[]>();
  #onData: (body: unknown) => void = () => {};
  #changed = () => {};

  /** @param roomSize clients of each room, the witness not counted */
  constructor(url: string, clients: number, roomSize: number) {
    this.#url = url;
    for (let index = 0; index < clients; index += 1) {
      const room = `room ${Math.floor(index / roomSize)}`;
      if (index % roomSize === 0) this.#witnesses.push(this.#client(room, `witness of ${room}`, true));
      this.#clients.push(this.#client(room, `user ${index}`, false));
    }
  }

  get size(): number {
    return this.#clients.length;
  }

  /** Witnesses come. */
  async watch(): Promise<void> {
    await inLanes(this.#witnesses.length, 20, (index) => this.#witnesses[index]?.join());
  }

  /** All come, a few at a time. */
  async enter(): Promise<void> {
    await inLanes(this.#clients.length, 20, (index) => this.#clients[index]?.join());
  }

  /** All connections are cut, and all come back at once. */
  async reconnect(): Promise<StormFigures> {
    await this.#settled();
    this.#seen.clear();
    const began = performance.now();
    for (const client of this.#clients) client.cut();
    const times = await this.rejoin(began);
    await this.#settled();
    const expected = ['leave', 'join'].join();
    const seenWrong = this.#clients.filter(({ user }) => this.#seen.get(user)?.join() !== expected).length;
    return { ...times, seenWrong };
  }

  /** All come at once, to a server that lost them. */
  async rejoin(began = performance.now()): Promise<Omit<StormFigures, 'seenWrong'>> {
    const times = await Promise.all(
      this.#clients.map(async (client) => {
        await client.join();
        return performance.now() - began;
      }),
    );
    times.sort((a, b) => a - b);
    return { clients: times.length, half: times[times.length >> 1] ?? 0, all: times.at(-1) ?? 0 };
  }

  /** Resolves when the server has cut everybody off. */
  async cutOff(): Promise<void> {
    await Promise.all([...this.#clients, ...this.#witnesses].map((client) => client.cutOff()));
  }

  /**
   * Lets clients say something to their rooms.
   *
   * @param rate messages a second, of all together
   * @returns milliseconds from each sending to each receiving, sorted
   */
  async talk(rate: number, seconds: number, receivers: number): Promise<number[]> {
    const times: number[] = [];
    let expected = Number.POSITIVE_INFINITY;
    const all = new Promise<void>((resolve) => {
      this.#onData = (body) => {
        times.push(performance.now() - Number(body));
        if (times.length >= expected) resolve();
      };
    });
    const began = performance.now();
    let sent = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(performance.now() - began, seconds * 1000) * (rate / 1000);
        for (; sent < due; sent += 1) {
          // Next to each other in time, apart in rooms.
          const client = this.#clients[(sent * 7) % this.#clients.length];
          client?.message({ kind: 'data', body: String(performance.now()) }, 'talk');
        }
        if (performance.now() - began < seconds * 1000) return;
        clearInterval(timer);
        resolve();
      }, 2);
    });
    expected = sent * receivers;
    if (times.length < expected) await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 2000))]);
    return times.sort((a, b) => a - b);
  }

  close(): void {
    for (const client of [...this.#clients, ...this.#witnesses]) client.cut();
  }

  #client(room: string, user: string, witness: boolean): StormClient {
    return new StormClient(this.#url, room, user, (event, about, body) => {
      if (event === 'data') this.#onData(body);
      if (!witness || event === 'data') return;
      const seen = this.#seen.get(about) ?? [];
      this.#seen.set(about, [...seen, event]);
      this.#changed();
    });
  }

  /** The last event of the last client may still be on its way to a witness. */
  async #settled(): Promise<void> {
    const end = performance.now() + 2000;
    const complete = () => this.#clients.every(({ user }) => this.#seen.get(user)?.includes('join'));
    while (!complete() && performance.now() < end) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** Faults of a real server, from inside it: threads that stand still or die, callbacks that throw, clocks that jump. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A thread: the main one, or a shard's worker. */
export type Place = 'main' | number;

export type Fault =
  /** The thread does nothing for so long; then it may die. */
  | { do: 'stall'; milliseconds: number; thenDie?: boolean }
  /** An error that nobody catches. */
  | { do: 'die' }
  /** The next callback of this kind throws. */
  | { do: 'throw'; where: CallbackKind }
  /** Workers that start from now on die at once. */
  | { do: 'die-at-start'; on: boolean }
  /** Workers that start from now on can't make their certificate. */
  | { do: 'no-certificate'; on: boolean }
  /** The wall clock is off by so much. */
  | { do: 'clock'; milliseconds: number }
  /** No fault: what the thread holds, after a collection of garbage. */
  | { do: 'figures' };

export const CALLBACK_KINDS = [
  'packet',
  'channel message',
  'channel open',
  'channel closed',
  'connected',
  'state change',
  'data channel',
] as const;
export type CallbackKind = (typeof CALLBACK_KINDS)[number];

export interface ThreadFigures {
  /** Bytes. */
  heapUsed: number;
  external: number;
  arrayBuffers: number;
  /** What keeps the thread alive, by kind: `Timeout`, `TCPSocketWrap`, … */
  resources: Record<string, number>;
}

export interface FaultReply {
  id: number;
  figures: ThreadFigures | null;
}

export class Faults {
  readonly #path = path.join(os.tmpdir(), `janus-sfu-faults-${randomUUID()}`);
  #socket: Socket | null = null;
  #replies = new Map<number, (reply: FaultReply) => void>();
  #commands = 0;

  /** What the server's environment needs beside its settings. */
  get env(): Record<string, string> {
    const inside = new URL('./faults-inside.js', import.meta.url).href;
    return { NODE_OPTIONS: `--import=${inside}`, FAULTS_SOCKET: this.#path };
  }

  /** Resolves when the thread has been told; what it does then, it does at once. */
  async inject(at: Place, fault: Fault): Promise<void> {
    await this.#ask(at, fault);
  }

  async figures(at: Place): Promise<ThreadFigures> {
    const { figures } = await this.#ask(at, { do: 'figures' });
    if (!figures) throw new Error('a thread had no figures');
    return figures;
  }

  close(): void {
    this.#socket?.destroy();
    rmSync(this.#path, { force: true });
  }

  async #ask(at: Place, fault: Fault): Promise<FaultReply> {
    const socket = await this.#connected();
    this.#commands += 1;
    const id = this.#commands;
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      socket.write(`${JSON.stringify({ id, at, fault })}\n`);
    });
  }

  async #connected(): Promise<Socket> {
    if (this.#socket) return this.#socket;
    const socket = connect(this.#path);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.on('error', () => {});
    createInterface(socket).on('line', (line) => {
      const reply = JSON.parse(line) as FaultReply;
      this.#replies.get(reply.id)?.(reply);
      this.#replies.delete(reply.id);
    });
    this.#socket = socket;
    return socket;
  }
}

/** Asks a Node process that was started with `--inspect` about its memory, by the inspector's protocol. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { residentBytes } from './process-stats.js';

export interface Memory {
  /** Bytes of JavaScript objects of the main thread that are in use, after a garbage collection. */
  heap: number;
  /** Resident memory of the process, bytes. */
  resident: number;
}

export class Inspector {
  readonly #socket: WebSocket;
  readonly #pid: number;
  #requests = 0;

  private constructor(socket: WebSocket, pid: number) {
    this.#socket = socket;
    this.#pid = pid;
  }

  /** @param output what the process has written: it says there where it listens */
  static async attach(output: string, pid: number): Promise<Inspector> {
    const url = /Debugger listening on (ws:\S+)/.exec(output)?.[1];
    if (!url) throw new Error(`no inspector: start the process with NODE_OPTIONS=--inspect=127.0.0.1:0\n${output}`);
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new Inspector(socket, pid);
  }

  /** Collects the main thread's garbage, and says what is left. */
  async memory(): Promise<Memory> {
    await this.#ask('HeapProfiler.collectGarbage');
    const { usedSize } = (await this.#ask('Runtime.getHeapUsage')) as { usedSize: number };
    return { heap: usedSize, resident: residentBytes(this.#pid) };
  }

  close(): void {
    this.#socket.terminate();
  }

  async #ask(method: string): Promise<unknown> {
    this.#requests += 1;
    const id = this.#requests;
    this.#socket.send(JSON.stringify({ id, method }));
    for (;;) {
      const [text] = await once(this.#socket, 'message');
      const reply = JSON.parse(String(text));
      if (reply.id === id) return reply.result;
    }
  }
}

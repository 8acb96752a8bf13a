/** The soak's side of a crowd: starts its process, gives it orders, kills it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrowdCounts, CrowdOrder, CrowdReport } from './crowd.js';

export class CrowdProcess {
  /** What all processes of this crowd did. */
  readonly counts: CrowdCounts = {};
  readonly #url: string;
  readonly #room: string;
  #seed: number;
  #child: ChildProcess;
  #last: CrowdReport = { resting: false, counts: {} };
  #ended: CrowdCounts = {};

  constructor(url: string, room: string, seed: number) {
    this.#url = url;
    this.#room = room;
    this.#seed = seed;
    this.#child = this.#start();
  }

  /** All its users leave; resolves when they have. */
  async rest(): Promise<void> {
    this.#send('rest');
    while (!this.#last.resting) await once(this.#child, 'message');
  }

  goOn(): void {
    this.#last = { ...this.#last, resting: false };
    this.#send('go on');
  }

  /** SIGKILL, and another one in its place. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
    this.#child = this.#start();
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  #start(): ChildProcess {
    this.#seed += 1;
    this.#last = { resting: false, counts: {} };
    const file = fileURLToPath(new URL('./crowd.js', import.meta.url));
    const child = fork(file, [this.#url, this.#room, String(this.#seed)]);
    child.on('message', (report: CrowdReport) => {
      this.#last = report;
      Object.assign(this.counts, sum(this.#ended, report.counts));
    });
    return child;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#ended = sum(this.#ended, this.#last.counts);
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  #send(order: CrowdOrder): void {
    this.#child.send(order);
  }
}

function sum(a: CrowdCounts, b: CrowdCounts): CrowdCounts {
  const total = { ...a };
  for (const [what, count] of Object.entries(b)) total[what] = (total[what] ?? 0) + count;
  return total;
}

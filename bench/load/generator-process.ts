/** The parent's side of the load generator: starts it, gives it commands, takes its replies. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ConnectReport, LoadCommand, LoadReply, LoadTarget, Pace, Rates } from './protocol.js';
import type { Shape } from './shape.js';
import type { LoadMeasurement } from './tally.js';

/** One command at a time; each rejects with what the generator says went wrong. It ends with its parent. */
export class GeneratorProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./generator.js', import.meta.url)), [], {
      // JSON knows no NaN, which is the latency where nothing came.
      serialization: 'advanced',
    });
  }

  async connect(target: LoadTarget): Promise<void> {
    await this.#command({ type: 'connect', target });
  }

  /** Connects the senders. @param options `room`: what the rooms' names begin with; `data`: with a data channel */
  async publish(shape: Shape, options: { room?: string; data?: boolean } & Pace = {}): Promise<ConnectReport> {
    return connectedIn(await this.#command({ type: 'publish', shape, ...options }));
  }

  /** Connects the next subscriptions, all that are left unless a `count` is told. */
  async subscribe(options: { count?: number } & Pace = {}): Promise<ConnectReport> {
    return connectedIn(await this.#command({ type: 'subscribe', ...options }));
  }

  /** Starts sending, or goes on at other rates. */
  async send(rates: Rates): Promise<void> {
    await this.#command({ type: 'send', ...rates });
  }

  async begin(): Promise<void> {
    await this.#command({ type: 'begin-measuring' });
  }

  /** What was measured up to now; packets that are on their way count as expected. */
  async look(): Promise<LoadMeasurement> {
    return measurementIn(await this.#command({ type: 'look' }));
  }

  async end(): Promise<LoadMeasurement> {
    return measurementIn(await this.#command({ type: 'end-measuring' }));
  }

  /** Closes all peers and ends the process. */
  async stop(): Promise<void> {
    await this.#command({ type: 'close' });
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }

  /**
   * Stops the process where it stands: its peers stay connected and cost nothing, for the 30 s until their ICE consent is over
   * (RFC 7675 5.1). Only `kill` is left to do with it then.
   */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #command(command: LoadCommand): Promise<Extract<LoadReply, { ok: true }>> {
    const aborted = new AbortController();
    const ended = once(this.#child, 'exit', { signal: aborted.signal }).then(([code]) => {
      throw new Error(`the load generator ended with ${code} at ${command.type}`);
    });
    ended.catch(() => {});
    try {
      const replied = once(this.#child, 'message', { signal: aborted.signal });
      replied.catch(() => {});
      this.#child.send(command);
      const [reply] = (await Promise.race([replied, ended])) as [LoadReply];
      if (!reply.ok) throw new Error(`load generator, ${command.type}: ${reply.error}`);
      return reply;
    } finally {
      aborted.abort();
    }
  }
}

function connectedIn({ connected }: Extract<LoadReply, { ok: true }>): ConnectReport {
  if (!connected) throw new Error('the load generator did not say how connecting went');
  return connected;
}

function measurementIn({ measurement }: Extract<LoadReply, { ok: true }>): LoadMeasurement {
  if (!measurement) throw new Error('the load generator measured nothing');
  return measurement;
}

/** The parent's side of the load generator: starts it, gives it commands, takes its replies. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadCommand, LoadMeasurement, LoadReply } from './protocol.js';

export class GeneratorProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./generator.js', import.meta.url)));
  }

  /** Resolves when the command is carried out, one at a time; rejects with what the generator says went wrong. */
  async command(command: LoadCommand): Promise<LoadMeasurement | undefined> {
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
      return reply.measurement;
    } finally {
      aborted.abort();
    }
  }

  /** Closes all peers and ends the process. */
  async stop(): Promise<void> {
    await this.command({ type: 'close' });
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

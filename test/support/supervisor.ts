/** Starts the server again whenever it ends, as systemd does with Restart=always; always on the same ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export class Supervisor {
  /** How the server ended, each time: a signal, or an exit code. */
  readonly ends: (NodeJS.Signals | number)[] = [];
  readonly #env: Record<string, string>;
  readonly #pause: number;
  #child: ChildProcess | null = null;
  #output = '';
  #starts = 0;
  #ready: ((starts: number) => void)[] = [];
  #stopped = false;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param env settings; with fixed ports
   * @param pause milliseconds between an end and the next start (systemd: RestartSec)
   */
  constructor(env: Record<string, string>, pause: number) {
    this.#env = env;
    this.#pause = pause;
    this.#start();
  }

  output(): string {
    return this.#output;
  }

  /** Resolves when the server is ready for the n-th time. */
  async ready(times: number): Promise<void> {
    while (this.#starts < times) await new Promise<number>((resolve) => this.#ready.push(resolve));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends the server, for good. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  #start(): void {
    const child = spawn(process.execPath, [MAIN, 'start'], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let said = '';
    const read = (chunk: Buffer) => {
      const before = said.includes('is ready');
      said += chunk.toString();
      this.#output += chunk.toString();
      if (before || !said.includes('is ready')) return;
      this.#starts += 1;
      for (const wake of this.#ready.splice(0)) wake(this.#starts);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', (code, signal) => {
      this.ends.push(signal ?? code ?? -1);
      if (!this.#stopped) this.#timer = setTimeout(() => this.#start(), this.#pause);
    });
  }
}

/**
 * Starts the server again whenever it ends, as systemd does with Restart=always; always on the same ports, whose sockets it may
 * hold open meanwhile, as systemd does for a socket unit. A shell does it: it accepts no connection by mistake.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from './project.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const LOOP = `
while :; do
  sh -c 'echo "supervisor: start $$"; LISTEN_PID=$$ exec "$0" "$@"' "$@"
  echo "supervisor: end $?"
  sleep "$PAUSE"
done`;

export class Supervisor {
  /** How the server ended, each time: a signal, or an exit code. */
  readonly ends: (NodeJS.Signals | number)[] = [];
  readonly #shell: ChildProcess;
  #pid = 0;
  #output = '';
  #lines = '';
  #starts = 0;
  #changed: (() => void)[] = [];

  /**
   * @param env settings; with fixed ports
   * @param pause milliseconds between an end and the next start (systemd: RestartSec)
   * @param held listening sockets, the WebSocket port's first; they are the supervisor's from now on
   */
  constructor(env: Record<string, string>, pause: number, held: readonly HeldSocket[] = []) {
    this.#shell = spawn('sh', ['-c', LOOP, 'sh', process.execPath, MAIN, 'start'], {
      env: { ...process.env, ...env, PAUSE: String(pause / 1000), LISTEN_FDS: String(held.length) },
      stdio: ['ignore', 'pipe', 'pipe', ...held.map(({ fd }) => fd)],
    });
    for (const { server } of held) server.close();
    this.#shell.stdout?.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
    this.#shell.stderr?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
    });
  }

  output(): string {
    return this.#output;
  }

  /** Resolves when the server is ready for the n-th time. */
  async ready(times: number): Promise<void> {
    while (this.#starts < times) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** Ends the server, for good. */
  async stop(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return;
    const ended = once(this.#shell, 'close');
    this.#shell.kill('SIGKILL');
    if (this.#pid > 0) this.kill('SIGTERM');
    await ended;
  }

  #read(text: string): void {
    this.#output += text;
    this.#lines += text;
    const lines = this.#lines.split('\n');
    this.#lines = lines.pop() ?? '';
    for (const line of lines) {
      const [, what, value] = /^supervisor: (start|end) (\d+)$/.exec(line) ?? [];
      if (what === 'start') this.#pid = Number(value);
      if (what === 'end') {
        this.#pid = 0;
        this.ends.push(endOf(Number(value)));
      }
      if (line.includes('is ready')) this.#starts += 1;
    }
    for (const wake of this.#changed.splice(0)) wake();
  }
}

/** A shell says 128 and the signal's number. */
function endOf(status: number): NodeJS.Signals | number {
  const [signal] = Object.entries(os.constants.signals).find(([, number]) => number === status - 128) ?? [];
  return (signal as NodeJS.Signals | undefined) ?? status;
}

/** A listening socket, and its file descriptor. */
export interface HeldSocket {
  server: Server;
  fd: number;
  port: number;
}

/** Opens a listening socket for a supervisor to hold. */
export async function holdSocket(): Promise<HeldSocket> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const handle: unknown = Reflect.get(server, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : null;
  if (typeof fd !== 'number' || typeof address !== 'object' || !address)
    throw new Error('a socket without a descriptor');
  return { server, fd, port: address.port };
}

/** The pause that the unit file of the project sets, in milliseconds. */
export function restartPause(): number {
  const unit = readFileSync(path.join(projectRoot, 'deploy/systemd/janus-sfu.service'), 'utf8');
  const [, pause] = /^RestartSec=(\d+)ms$/m.exec(unit) ?? [];
  if (!/^Restart=always$/m.test(unit) || pause === undefined) throw new Error('the unit does not start it again');
  return Number(pause);
}

export async function freeUdpPort(): Promise<string> {
  const socket = createSocket('udp4').bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return String(port);
}

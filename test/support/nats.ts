/** A NATS server with JetStream, where there is one: scripts/nats-server.mjs says how to get it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './project.js';

const module: { natsServerPath(): string | null } = await import(
  pathToFileURL(path.join(projectRoot, 'scripts/nats-server.mjs')).href
);
const executable = module.natsServerPath();

/** Why a test that needs NATS is skipped, on a developer's machine without it; false: it runs, and in CI it fails. */
export function natsMissing(): string | false {
  const missing = 'no nats-server found: install Debian’s package nats-server, or set NATS_SERVER=/path/to/nats-server';
  return executable === null && !process.env.CI ? missing : false;
}

/** A TCP port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

const START_LIMIT = 10_000;
export const NATS_USER = { name: 'sfu', password: 'known to the nodes alone' };

export class NatsServer {
  readonly port: number;
  readonly url: string;
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(port: number) {
    this.port = port;
    this.url = this.urlAt(port);
    this.#folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-nats-'));
  }

  static async start(): Promise<NatsServer> {
    const server = new NatsServer(await freePort());
    await server.run();
    return server;
  }

  /** Where it is reached through another port of this machine. */
  urlAt(port: number): string {
    return `nats://${NATS_USER.name}:${encodeURIComponent(NATS_USER.password)}@127.0.0.1:${port}`;
  }

  /** Starts it, for the first time or again: with all that it has kept. */
  async run(): Promise<void> {
    if (executable === null) throw new Error('no nats-server found');
    const config = path.join(this.#folder, 'nats.conf');
    writeFileSync(
      config,
      `listen: "127.0.0.1:${this.port}"\njetstream { store_dir: ${JSON.stringify(this.#folder)} }\n` +
        `authorization { user: ${JSON.stringify(NATS_USER.name)}, password: ${JSON.stringify(NATS_USER.password)} }\n`,
    );
    const child = spawn(executable, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nats-server was not ready in time:\n${said}`)), START_LIMIT);
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (!said.includes('Server is ready')) return;
        clearTimeout(timer);
        said = '';
        resolve();
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  }

  /** Stops it for good, and forgets what it kept. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

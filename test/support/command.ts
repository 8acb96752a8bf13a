/** Runs `janus-sfu` as a user would: a process of its own, in a folder, with nothing in its environment but what is said. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  env?: Record<string, string>;
  /** The current folder; that for temporary files unless told. */
  folder?: string;
}

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const LIMIT = 60_000;

export async function runCommand(args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { env = {}, folder = os.tmpdir() } = options;
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT,
  });
  const result: CommandResult = { code: null, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      result[name] += chunk;
    });
  }
  [result.code] = (await once(child, 'close')) as [number | null];
  return result;
}

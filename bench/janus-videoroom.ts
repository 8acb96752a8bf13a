/**
 * Debian's Janus (`apt-get install janus`) with its own videoroom as a contender: two event loops, nothing else of
 * it loaded, in a network of the bench's own (own-network.ts). Its configuration is made for each run; the package's own service and folder are not touched.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as elapse } from 'node:timers/promises';
import { endWithUs } from './children.js';
import type { Contender } from './contenders.js';
import { OWN_ADDRESS } from './own-network.js';

const START_LIMIT_MS = 10_000;
const START_LOOK_MS = 50;
/** Debian's folder has the machine's triplet below it: /usr/lib/x86_64-linux-gnu/janus. */
const LIBRARY_FOLDERS = ['/usr/lib', '/usr/local/lib'];
const PLUGIN = 'libjanus_videoroom.so';
const TRANSPORT = 'libjanus_websockets.so';

/** What to do where `janusVersion` finds none. */
export const HOW_TO_INSTALL =
  'apt-get install --no-install-recommends janus (Debian), then disable its service if it starts one';

/** The version of the `janus` on the PATH; null where there is none. */
export function janusVersion(): string | null {
  const { error, stdout } = spawnSync('janus', ['--version'], { encoding: 'utf8' });
  if (error) return null;
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? 'of unknown version';
}

/** The folder with `plugins` and `transports`. */
function librariesFolder(): string {
  const folders = LIBRARY_FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) => [
    path.join(folder, 'janus'),
    ...readdirSync(folder).map((name) => path.join(folder, name, 'janus')),
  ]);
  const found = folders.find((folder) => existsSync(path.join(folder, 'plugins', PLUGIN)));
  if (!found) throw new Error(`janus is on the PATH, but ${PLUGIN} is not below ${LIBRARY_FOLDERS.join(' or ')}`);
  return found;
}

function othersThan(kept: string, folder: string): string {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.so') && name !== kept)
    .join(',');
}

function configuration(libraries: string, port: number): Record<string, string> {
  const [plugins, transports] = [path.join(libraries, 'plugins'), path.join(libraries, 'transports')];
  return {
    'janus.jcfg': `general: {
  plugins_folder = "${plugins}"
  transports_folder = "${transports}"
  debug_level = 2
  event_loops = 2
  session_timeout = 0
  interface = "127.0.0.1"
}
nat: { ice_enforce_list = "${OWN_ADDRESS}" }
plugins: { disable = "${othersThan(PLUGIN, plugins)}" }
transports: { disable = "${othersThan(TRANSPORT, transports)}" }
`,
    'janus.transport.websockets.jcfg': `general: {
  json = "compact"
  ws = true
  ws_port = ${port}
  ws_interface = "lo"
}
`,
    'janus.plugin.videoroom.jcfg': '',
  };
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port is free');
  return address.port;
}

async function listening(child: ChildProcess, port: number, output: () => string): Promise<void> {
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`janus ended with ${child.exitCode} at its start:\n${output()}`);
    const socket = createConnection({ port, host: '127.0.0.1' });
    try {
      await once(socket, 'connect');
      return;
    } catch {
      if (performance.now() > until) throw new Error(`janus does not listen on ${port}:\n${output()}`);
      await elapse(START_LOOK_MS);
    } finally {
      socket.destroy();
    }
  }
}

/** @throws where there is no Janus that starts: ask `janusVersion` before */
export async function startVideoroom(): Promise<Contender> {
  const folder = mkdtempSync(path.join(tmpdir(), 'janus-videoroom-'));
  const port = await freeTcpPort();
  for (const [name, text] of Object.entries(configuration(librariesFolder(), port))) {
    writeFileSync(path.join(folder, name), text);
  }
  const child = spawn('janus', ['-F', folder, '-C', path.join(folder, 'janus.jcfg')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithUs(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-2000);
    });
  }
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await listening(child, port, () => output);
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `ws://127.0.0.1:${port}`;
  return {
    name: 'Janus videoroom',
    pid: child.pid ?? 0,
    target: { kind: 'videoroom', url, bindAddress: OWN_ADDRESS },
    stop,
  };
}

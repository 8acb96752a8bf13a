/**
 * A network of the bench's own (Linux namespaces): Janus takes no loopback address for media, so it gets one of an interface
 * that exists only there. Nothing leaves the namespace: it has no route to anywhere.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { endWithUs } from './children.js';

/** Of the range for benches (RFC 2544). */
export const OWN_ADDRESS = '198.18.0.1';

/** `veth` because every kernel with containers has it. */
const SET_UP = [
  'ip link set lo up',
  'ip link add bench0 type veth peer name bench1',
  `ip addr add ${OWN_ADDRESS}/32 dev bench0`,
  'ip link set bench0 up',
  'ip link set bench1 up',
  'exec "$@"',
].join(' && ');

/** Without root, by a user namespace: where the kernel's settings let it. */
const NAMESPACES = ['--user', '--map-root-user', '--net', '--kill-child'];

/** Whether this process runs in such a network. */
export function inOwnNetwork(): boolean {
  return Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.address === OWN_ADDRESS);
}

/** Whether one can be made here; null if so, else why not. */
export async function ownNetworkProblem(): Promise<string | null> {
  const child = spawn('unshare', [...NAMESPACES, 'sh', '-c', SET_UP, 'sh', 'true'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  try {
    const [code] = await once(child, 'close');
    return code === 0 ? null : said.trim();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Runs this process' own command line once more, in such a network. Returns its exit code. */
export async function runInOwnNetwork(): Promise<number> {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', [...NAMESPACES, 'sh', '-c', SET_UP, 'sh', ...command], { stdio: 'inherit' });
  endWithUs(child);
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

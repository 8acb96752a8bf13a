// Finds nats-server for the tests of the cluster; in CI it takes it out of Debian's package.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTool, inCi, takeFromPackage } from './tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const cached = path.join(root, 'node_modules/.cache/nats-server/nats-server');

/** The path of nats-server, or null. `NATS_SERVER` in the environment wins, and must exist if set. */
export const natsServerPath = () => findTool('NATS_SERVER', ['nats-server'], ['/usr/sbin/nats-server', cached]);

/**
 * The path of nats-server; in CI, on Debian, it is fetched if missing.
 * Missing elsewhere: one line says how to get it, and null is returned (its tests are skipped; in CI they fail).
 */
export function ensureNatsServer() {
  const found = natsServerPath();
  if (found) return found;
  if (inCi() && takeFromPackage('nats-server', 'usr/sbin/nats-server', cached)) return cached;
  console.log(
    'janus-sfu: no nats-server found, the tests of the cluster need it: ' +
      'apt-get install nats-server (Debian), or set NATS_SERVER=/path/to/nats-server.',
  );
  return null;
}

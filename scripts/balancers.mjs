// Finds the balancers that deploy/cluster/ has settings for; in CI nginx is taken out of Debian's package.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTool, inCi, takeFromPackage } from './tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const cached = path.join(root, 'node_modules/.cache/nginx/nginx');

/** The path of `nginx`, `caddy` or `haproxy`, or null. `NGINX` (`CADDY`, `HAPROXY`) in the environment wins, and must exist if set. */
export const balancerPath = (name) =>
  findTool(
    name.toUpperCase(),
    [name],
    [`/usr/sbin/${name}`, cached].filter((file) => file.endsWith(name)),
  );

/**
 * The path of nginx; in CI, on Debian, it is fetched if missing.
 * Missing elsewhere: one line says how to get it, and null is returned (its test is skipped; in CI it fails).
 */
export function ensureNginx() {
  const found = balancerPath('nginx');
  if (found) return found;
  if (inCi() && takeFromPackage('nginx', 'usr/sbin/nginx', cached)) return cached;
  console.log(
    'janus-sfu: no nginx found, the test of balancers before a cluster needs it: ' +
      'apt-get install nginx (Debian), or set NGINX=/path/to/nginx.',
  );
  return null;
}

// Finds promtool, Prometheus' checker of metrics and rules; in CI it takes it out of Debian's package prometheus, without
// installing that: it would start a server.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTool, inCi, takeFromPackage } from './tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const cached = path.join(root, 'node_modules/.cache/promtool/promtool');

/** The path of promtool, or null. `PROMTOOL` in the environment wins, and must exist if set. */
export const promtoolPath = () => findTool('PROMTOOL', ['promtool'], [cached]);

/**
 * The path of promtool; in CI, on Debian, it is fetched if missing.
 * Missing elsewhere: one line says how to get it, and null is returned (its tests are skipped; in CI they fail).
 */
export function ensurePromtool() {
  const found = promtoolPath();
  if (found) return found;
  if (inCi() && takeFromPackage('prometheus', 'usr/bin/promtool', cached)) return cached;
  console.log(
    'janus-sfu: no promtool found, some tests of the metrics need it: ' +
      'apt-get install prometheus (Debian), or set PROMTOOL=/path/to/promtool.',
  );
  return null;
}

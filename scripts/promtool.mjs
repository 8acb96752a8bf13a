// Finds promtool, Prometheus' checker of metrics and rules; in CI it takes it out of Debian's package prometheus, without
// installing that: it would start a server.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { executable, findTool, inCi } from './tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = path.join(root, 'node_modules/.cache/promtool');
const cached = path.join(folder, 'promtool');

/** The path of promtool, or null. `PROMTOOL` in the environment wins, and must exist if set. */
export const promtoolPath = () => findTool('PROMTOOL', ['promtool'], [cached]);

const run = (command, args, cwd) =>
  spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;

/** Downloads Debian's package and takes promtool out of it. Returns whether it is there now. */
function takeFromPackage() {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(path.join(folder, 'package-'));
  try {
    const download = () => run('apt-get', ['-q', 'download', 'prometheus'], work);
    // Lists may be missing or old; to fetch them one must be root.
    if (!download() && !(run('apt-get', ['-q', 'update'], work) && download())) return false;
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (!archive || !run('dpkg-deb', ['-x', archive, 'unpacked'], work)) return false;
    renameSync(path.join(work, 'unpacked/usr/bin/promtool'), cached);
    return executable(cached);
  } catch (error) {
    console.log(`janus-sfu: promtool could not be taken out of Debian's package: ${error.message}`);
    return false;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The path of promtool; in CI, on Debian, it is fetched if missing.
 * Missing elsewhere: one line says how to get it, and null is returned (its tests are skipped; in CI they fail).
 */
export function ensurePromtool() {
  const found = promtoolPath();
  if (found) return found;
  if (inCi() && takeFromPackage()) return cached;
  console.log(
    'janus-sfu: no promtool found, some tests of the metrics need it: ' +
      'apt-get install prometheus (Debian), or set PROMTOOL=/path/to/promtool.',
  );
  return null;
}

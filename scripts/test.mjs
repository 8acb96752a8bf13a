// `npm test [-- FILTER …]`: installs and builds what is missing, checks the style, then runs the tests whose path
// contains one of the filters (all of them without a filter): those that may run at the same time do, the others run
// alone (scripts/rows.mjs).
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ensureNginx } from './balancers.mjs';
import { ensureChromium } from './chromium.mjs';
import { ensureNatsServer } from './nats-server.mjs';
import { prepare, root } from './prepare.mjs';
import { ensurePromtool } from './promtool.mjs';
import { runTests } from './rows.mjs';

prepare();
await ensureChromium();
ensurePromtool();
ensureNatsServer();
ensureNginx();

const filters = process.argv.slice(2);
const names = readdirSync(path.join(root, 'dist/test'), { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.test.js') && (filters.length === 0 || filters.some((part) => name.includes(part))))
  .sort();
if (names.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`);
  process.exit(1);
}

if (filters.length === 0) {
  const style = spawnSync(path.join(root, 'node_modules/.bin/biome'), ['check', '.'], { cwd: root, stdio: 'inherit' });
  if (style.status !== 0) process.exit(style.status ?? 1);
}
process.chdir(root);
// The processes of the files are given this one's flags.
process.execArgv.push('--enable-source-maps');
process.exit((await runTests(root, names)) ? 0 : 1);

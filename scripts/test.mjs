// `npm test [-- FILTER …]`: installs and builds what is missing, checks the style, then runs the tests whose path
// contains one of the filters (all of them without a filter), one file after the other: several measure time.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ensureChromium } from './chromium.mjs';
import { prepare, root } from './prepare.mjs';
import { ensurePromtool } from './promtool.mjs';

prepare();
await ensureChromium();
ensurePromtool();

const filters = process.argv.slice(2);
const folder = path.join(root, 'dist/test');
const files = readdirSync(folder, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.test.js') && (filters.length === 0 || filters.some((part) => name.includes(part))))
  .sort()
  .map((name) => path.join('dist/test', name));
if (files.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`);
  process.exit(1);
}

if (filters.length === 0) {
  const style = spawnSync(path.join(root, 'node_modules/.bin/biome'), ['check', '.'], { cwd: root, stdio: 'inherit' });
  if (style.status !== 0) process.exit(style.status ?? 1);
}
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=1', '--test-reporter=spec', ...files],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);

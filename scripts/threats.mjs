// `npm run test:threats [-- ROW …]`: runs the tests that are named by a row of the threats (all, or of these rows), and
// writes what came of them into docs/reliability.md when all rows were run.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureChromium } from './chromium.mjs';
import { prepare, root } from './prepare.mjs';

prepare();
await ensureChromium();
const { namesOfTests, rowsOf, withResults } = await import(
  pathToFileURL(path.join(root, 'dist/test/support/threats.js')).href
);

const wanted = process.argv.slice(2);
const isWanted = (name) => rowsOf(name).some((row) => wanted.length === 0 || wanted.includes(row));
// In test/threats names are made of parts, too: the pattern below finds them.
const files = [...namesOfTests()]
  .filter(([file, names]) => file.includes('/threats/') || names.some(isWanted))
  .map(([file]) => file);
const rows = wanted.length === 0 ? String.raw`[A-Z]\d+` : `(${wanted.join('|')})`;
const found = path.join(root, 'artefacts/threats.jsonl');
mkdirSync(path.dirname(found), { recursive: true });
const { status } = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    '--test-concurrency=1',
    String.raw`--test-name-pattern=^([A-Z]\d+, )*${rows}(, [A-Z]\d+)*: `,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${pathToFileURL(path.join(root, 'scripts/row-reporter.mjs')).href}`,
    `--test-reporter-destination=${found}`,
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
);
if (wanted.length === 0) {
  const results = readFileSync(found, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const page = path.join(root, 'docs/reliability.md');
  writeFileSync(page, withResults(readFileSync(page, 'utf8'), results));
}
process.exit(status ?? 1);

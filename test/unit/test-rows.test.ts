/** Where `npm test` puts a file (scripts/rows.mjs). */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../support/project.js';

const { rowOf }: { rowOf(name: string, source: string): string } = await import(
  pathToFileURL(path.join(projectRoot, 'scripts/rows.mjs')).href
);

const ALONE = '/** Delays. */\n// Runs alone: it measures milliseconds.\nimport …';
const BESIDE = '// Runs beside others: it waits for its own server.\nimport …';

test('a test file runs in the row of its folder, and alone where the folder has none', () => {
  assert.deepEqual(
    ['unit/sdp.test.ts', 'fuzz\\sdp.test.ts', 'browser/page.test.ts', 'interop/relay.test.ts', 'new/one.test.ts'].map(
      (name) => rowOf(name, 'import …'),
    ),
    ['together', 'together', 'browsers', 'peers', 'alone'],
  );
});

test('a test file that says so runs alone, or beside others, wherever it is', () => {
  assert.equal(rowOf('unit/sdp.test.ts', ALONE), 'alone');
  assert.equal(rowOf('new/one.test.ts', BESIDE), 'together');
});

test('a line that gives no reason, or says it in passing, moves no file', () => {
  for (const source of ['// Runs alone\n', '// Runs alone: \n', 'const text = "// Runs alone: why";\n']) {
    assert.equal(rowOf('unit/sdp.test.ts', source), 'together');
  }
});

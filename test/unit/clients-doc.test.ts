import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/project.js';

const page = readFileSync(path.join(projectRoot, 'docs/clients.md'), 'utf8');
const tests = path.join(projectRoot, 'test');

test('the matrix of clients names files and tests that exist', () => {
  for (const [, file = ''] of page.matchAll(/`(test\/[\w./-]+\.ts)`/g)) {
    assert.ok(existsSync(path.join(projectRoot, file)), `${file} is not there`);
  }
  const sources = readdirSync(tests, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(tests, name), 'utf8'))
    .join('\n');
  const letters = page.slice(page.indexOf('The letters are tests'), page.indexOf('## What they need to know'));
  const names = [...letters.replaceAll(/\s+/g, ' ').matchAll(/"(?:… )?([^"]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(names.length > 10);
  for (const name of names) assert.ok(sources.includes(name), `no test is called "${name}"`);
});

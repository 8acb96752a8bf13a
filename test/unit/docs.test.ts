import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { readConfig } from '../../src/config.js';
import { projectRoot } from '../support/project.js';

const read = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8');

describe('the documentation', () => {
  test('lists every setting, and none that does not exist', () => {
    const result = readConfig({
      AUTH_KEY: 'x',
      BIND: '127.0.0.1',
      API_SECRET: 'x',
      TOKEN_AUTH: 'true',
      TOKEN_AUTH_SECRET: 'x',
      ADMIN_SECRET: 'x',
      ALLOW_ORIGIN: 'x',
    });
    assert.ok(result.ok);
    const settings = new Set(Object.keys(result.config));
    const rows = read('docs/configuration.md').match(/^\|[^|]*\|/gm) ?? [];
    const documented = new Set(
      rows.flatMap((row) => [...row.matchAll(/`([A-Z][A-Z_]+)`/g)].map((match) => match[1] ?? '')),
    );
    for (const alias of ['HOST', 'EVENT_LOOPS']) documented.delete(alias);
    assert.deepEqual([...documented].sort(), [...settings].sort());
  });

  test('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/performance.md']) {
      for (const [, name = ''] of read(file).matchAll(/npm run ([\w:-]+)/g)) {
        assert.ok(scripts[name], `${file} shows npm run ${name}`);
      }
    }
  });
});

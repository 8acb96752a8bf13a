import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { configurationPage } from '../../src/config/page.js';
import { projectRoot } from '../support/project.js';

const read = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8');

describe('the documentation', () => {
  test('of the settings is what their schema says: npm run docs writes it', () => {
    assert.equal(read('docs/configuration.md'), configurationPage());
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

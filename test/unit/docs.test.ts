import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Command } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { configurationPage } from '../../src/config/page.js';
import { flagOf, variables } from '../../src/config/schema.js';
import { LOCATIONS } from '../../src/config/sources.js';
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

  test('shows only commands and flags that exist, and each flag of each command', async () => {
    const commands = new Map<string, Command>();
    for (const [name, load] of Object.entries(COMMANDS)) commands.set(name, await load());
    const common = ['--help', '--version'];
    const settings = [...variables(), ...Object.keys(LOCATIONS)].map(flagOf);
    for (const file of ['README.md', 'docs/commands.md', 'docs/configuration.md', 'docs/deployment.md']) {
      for (const [line, words = ''] of read(file).matchAll(/(?:^ {4}|`|npx )janus-sfu (?!\()([^`\n|]*)/gm)) {
        const [first = '', ...rest] = words.split(' ');
        const command = commands.get(first.startsWith('-') || first === '' ? 'start' : first);
        assert.ok(command, `${file}: ${line}`);
        const own = command.options.map(({ name }) => `--${name}`);
        for (const flag of [first, ...rest].filter((word) => word.startsWith('--'))) {
          assert.ok([...own, ...common, ...(command.settings ? settings : [])].includes(flag), `${file}: ${line}`);
        }
      }
    }
    const text = read('docs/commands.md');
    for (const { name, options } of commands.values()) {
      assert.match(text, new RegExp(`^## .*\\b${name}\\b`, 'm'));
      for (const option of options) assert.ok(text.includes(`--${option.name}`), `${name} --${option.name}`);
    }
  });
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Command } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { configurationPage } from '../../src/config/page.js';
import { flagOf, variables } from '../../src/config/schema.js';
import { LOCATIONS } from '../../src/config/sources.js';
import { readToken } from '../../src/sfu/token.js';
import { examplesOf } from '../support/examples.js';
import { projectRoot } from '../support/project.js';

/** Pages for people who set a server up, or write a client. */
const GUIDES = ['docs/moving-from-janus.md', 'docs/tokens.md', 'docs/api.md', 'docs/troubleshooting.md'];

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

  test('names only settings that exist', () => {
    const settings = [...variables(), ...Object.keys(LOCATIONS)];
    for (const file of ['README.md', ...GUIDES]) {
      const named = [...read(file).matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name);
      assert.deepEqual(
        named.filter((name) => !settings.includes(name)),
        [],
        file,
      );
    }
  });

  test('leads to pages and headings that exist', () => {
    const anchorsOf = (text: string) =>
      [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      );
    for (const file of ['README.md', 'examples/networked-aframe/README.md', ...GUIDES]) {
      for (const [, target = ''] of read(file).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
        const [page = '', anchor] = target.split('#');
        const led = page === '' ? file : path.posix.join(path.posix.dirname(file), page);
        assert.ok(existsSync(path.join(projectRoot, led)), `${file}: ${target}`);
        if (anchor) assert.ok(anchorsOf(read(led)).includes(anchor), `${file}: ${target}`);
      }
    }
  });

  test('of tokens makes them as the server wants them', () => {
    mkdirSync(path.join(projectRoot, 'artefacts'), { recursive: true });
    // Within the project, where the example finds its library.
    const folder = mkdtempSync(path.join(projectRoot, 'artefacts', 'tokens-'));
    try {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      mkdirSync(path.join(folder, 'keys'));
      writeFileSync(path.join(folder, 'keys/private.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const code = `${examplesOf('docs/tokens.md')[0]}\nprocess.stdout.write(roomToken('ann', ['lobby']));`;
      const options = { cwd: folder, encoding: 'utf8', timeout: 60_000 } as const;
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], options);
      const grant = { joinHub: true, kickUsers: false, rooms: ['lobby'], user: 'ann' };
      const { expires, ...read } = readToken(stdout, publicKey, Math.floor(Date.now() / 1000)) ?? { expires: 0 };
      assert.ok(expires > Date.now() / 1000, stderr);
      assert.deepEqual(read, grant);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('shows only commands and flags that exist, and each flag of each command', async () => {
    const commands = new Map<string, Command>();
    for (const [name, load] of Object.entries(COMMANDS)) commands.set(name, await load());
    const common = ['--help', '--version'];
    const settings = [...variables(), ...Object.keys(LOCATIONS)].map(flagOf);
    for (const file of ['README.md', 'docs/commands.md', 'docs/configuration.md', 'docs/deployment.md', ...GUIDES]) {
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

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { projectRoot } from '../support/project.js';

interface Locked {
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
  link?: boolean;
}

const { packages } = JSON.parse(readFileSync(path.join(projectRoot, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const locked = Object.entries(packages).filter(([folder]) => folder !== '');

describe('the dependencies', () => {
  test('have licences that somebody has allowed, and docs/licences.md lists them', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/licences.mjs', '--check'], {
      cwd: projectRoot,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });

  test('are locked by the hash of what is installed, from nowhere but the registry', () => {
    assert.ok(locked.length > 100);
    for (const [folder, { resolved, integrity, link }] of locked) {
      assert.ok(!link, folder);
      assert.match(integrity ?? '', /^sha512-/, folder);
      assert.ok(resolved === undefined || resolved.startsWith('https://registry.npmjs.org/'), `${folder}: ${resolved}`);
    }
  });

  test('run no scripts at their installation but those that find a binary that is there already', () => {
    const scripts = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([folder]) => folder);
    assert.deepEqual(scripts, ['node_modules/lmdb', 'node_modules/msgpackr-extract']);
  });
});

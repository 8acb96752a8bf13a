import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/project.js';

test('every export of the client has a docstring, and a page that is made of it', { timeout: 180_000 }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/docs-api.mjs'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  for (const page of ['index', 'classes/Room', 'interfaces/RoomOptions']) {
    assert.ok(existsSync(path.join(projectRoot, 'artefacts/api', `${page}.html`)), page);
  }
});

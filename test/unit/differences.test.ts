import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/project.js';

test('the table of differences is made of the deviations that the conformance test allows, each with its reason', () => {
  const script = path.join(projectRoot, 'scripts/docs.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

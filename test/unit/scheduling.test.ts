import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readCpuList, stayOnProcessor } from '../../workers/scheduling.js';

const allowedNow = () =>
  readCpuList(/^Cpus_allowed_list:(.*)$/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))?.[1] ?? '');

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('scheduling', () => {
  test('a list of processors is read as the kernel writes it', () => {
    for (const [list, numbers] of [
      ['0', [0]],
      ['0-2,5\n', [0, 1, 2, 5]],
      [' 3,7-8', [3, 7, 8]],
      ['', []],
    ] as const) {
      assert.deepEqual(readCpuList(list), numbers);
    }
  });

  test('a thread stays on one of the processors that it had, or runs on as before where that is not to be had', () => {
    if (process.platform !== 'linux') {
      assert.equal(stayOnProcessor(0), false);
      return;
    }
    const before = allowedNow();
    const done = stayOnProcessor(1);
    const after = allowedNow();
    assert.equal(done, hasTaskset());
    assert.equal(after.length, done ? 1 : before.length);
    assert.ok(after.every((processor) => before.includes(processor)));
  });
});

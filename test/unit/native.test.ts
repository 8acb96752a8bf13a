import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { guard } from '../../workers/native.js';

describe('guard', () => {
  test('passes arguments through and reports nothing when all is well', async () => {
    const calls: unknown[] = [];
    const reports: string[] = [];
    guard(
      'here',
      (where) => reports.push(where),
      (...args: unknown[]) => void calls.push(args),
    )(1, 'two');
    await new Promise(setImmediate);
    assert.deepEqual([calls, reports], [[[1, 'two']], []]);
  });

  test('never throws into native code: what was thrown is reported on a later turn, whatever it is', async () => {
    for (const thrown of [new Error('broken'), 'text', undefined, null, { odd: true }]) {
      const reported = new Promise<[string, Error]>((resolve) => {
        const call = guard(
          'packet',
          (where, error) => resolve([where, error]),
          () => {
            throw thrown;
          },
        );
        assert.doesNotThrow(call);
      });
      const [where, error] = await reported;
      assert.equal(where, 'packet');
      assert.ok(error instanceof Error);
    }
  });
});

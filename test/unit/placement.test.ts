import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { choosePlacement } from '../../src/shards/placement.js';

describe('choosePlacement', () => {
  test('takes the room’s home first, then the session’s own shards, then the least loaded', () => {
    assert.equal(choosePlacement('auto', { home: 2, near: [1] }, [0, 5, 9], 0), 2);
    assert.equal(choosePlacement('auto', { near: [1] }, [0, 5, 9], 0), 1);
    assert.equal(choosePlacement('auto', {}, [3, 1, 9], 0), 1);
  });

  test('never chooses a shard that is down', () => {
    assert.equal(choosePlacement('auto', { home: 0, near: [0] }, [null, 5], 0), 1);
    assert.equal(choosePlacement('together', {}, [null, 5], 0), 1);
    assert.throws(() => choosePlacement('auto', {}, [null, null], 0), /No shard is running/);
  });

  test('spreads handles over all shards in turn, hints or not', () => {
    const chosen = [0, 1, 2, 3, 4, 5].map((turn) => choosePlacement('spread', { home: 0 }, [0, null, 0, 0], turn));
    assert.deepEqual(chosen, [0, 2, 3, 0, 2, 3]);
  });
});

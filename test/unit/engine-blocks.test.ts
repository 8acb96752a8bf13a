import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as layout from '../../assembly/layout.js';
import { readCounters } from '../../workers/engine.js';
import { Stage } from '../support/engine.js';
import { Random } from '../support/random.js';

const pair = (a: number, b: number) => `${Math.min(a, b)} ${Math.max(a, b)}`;

describe('the block set', () => {
  test('knows a pair in both orders, and forgets it', async () => {
    const { engine } = await Stage.open();
    assert.equal(engine.isBlocked(1, 2), false);
    assert.equal(engine.setBlocked(1, 2, true), true);
    assert.equal(engine.setBlocked(2, 1, true), true);
    assert.deepEqual([engine.isBlocked(1, 2), engine.isBlocked(2, 1), engine.isBlocked(1, 3)], [true, true, false]);
    engine.setBlocked(2, 1, false);
    assert.equal(engine.isBlocked(1, 2), false);
  });

  test('never blocks a user from himself', async () => {
    const { engine } = await Stage.open();
    engine.setBlocked(1, 2, true);
    assert.equal(engine.setBlocked(5, 5, true), true);
    assert.equal(engine.isBlocked(5, 5), false);
  });

  test('agrees with a plain set after any blocks and unblocks', async () => {
    const stage = await Stage.open();
    const model = new Set<string>();
    const user = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(65536, 2 ** 31 - 1));
    fc.assert(
      fc.property(user, user, fc.boolean(), (a, b, blocked) => {
        stage.engine.setBlocked(a, b, blocked);
        if (a !== b && blocked) model.add(pair(a, b));
        else if (a !== b) model.delete(pair(a, b));
        for (let i = 1; i < 7; i++) {
          for (let j = 1; j < 7; j++) assert.equal(stage.engine.isBlocked(i, j), model.has(pair(i, j)));
        }
        assert.equal(readCounters(stage.memory).blockedPairs, model.size);
      }),
      { seed: 1, numRuns: 3000 },
    );
  });

  test('takes 65,536 pairs and refuses more, counted, until one is forgotten', async () => {
    const { engine, memory } = await Stage.open();
    const random = new Random(65536);
    const pairs: [number, number][] = [];
    while (pairs.length < layout.BLOCK_PAIRS_MAX) {
      const [a, b] = [1 + random.below(2 ** 31 - 1), 1 + random.below(2 ** 31 - 1)];
      if (a === b || engine.isBlocked(a, b)) continue;
      assert.equal(engine.setBlocked(a, b, true), true);
      pairs.push([a, b]);
    }
    assert.equal(engine.setBlocked(1, 2, true), false);
    assert.equal(readCounters(memory).blockTableFull, 1);
    assert.equal(engine.setBlocked(...(pairs[0] ?? [0, 0]), true), true, 'known already');
    const kept = pairs.filter((_, i) => i % 3 === 0);
    for (const [i, [a, b]] of pairs.entries()) if (i % 3 !== 0) engine.setBlocked(a, b, false);
    for (const [i, [a, b]] of pairs.entries()) assert.equal(engine.isBlocked(a, b), i % 3 === 0);
    assert.equal(readCounters(memory).blockedPairs, kept.length);
    assert.equal(engine.setBlocked(1, 2, true), true);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limit, MissedLimit, shownOnce } from '../support/attempts.js';

/** Measures the given figures, one for each attempt, against a limit of 10. */
async function measuring(figures: number[]) {
  const told: string[] = [];
  let measured = 0;
  const outcome = await shownOnce({ diagnostic: (line) => told.push(line) }, async () => {
    const figure = figures[measured++] ?? Number.NaN;
    limit(figure < 10, `${figure} ms`);
    return figure;
  }).catch((error: unknown) => error);
  return { told, measured, outcome };
}

describe('a measurement on a busy machine', () => {
  test('is repeated until it keeps its limits, and each miss is told', async () => {
    const { told, outcome } = await measuring([30, 9, 1]);
    assert.equal(outcome, 9);
    assert.deepEqual(told, ['attempt 1 of 3: 30 ms']);
  });

  test('fails with its last figures when no attempt keeps them', async () => {
    const { told, measured, outcome } = await measuring([30, 20, 11, 1]);
    assert.ok(outcome instanceof MissedLimit);
    assert.equal(outcome.message, '11 ms');
    assert.deepEqual([measured, told.length], [3, 3]);
  });

  test('is not repeated for what no load excuses', async () => {
    let measured = 0;
    const wrong = shownOnce({ diagnostic: () => {} }, async () => {
      measured += 1;
      assert.equal(measured, 'the right answer');
    });
    await assert.rejects(wrong, /right answer/);
    assert.equal(measured, 1);
  });
});

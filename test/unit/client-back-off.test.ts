import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pauses, retryDelay } from '../../src/client/back-off.js';

test('pauses between attempts double until the longest one', () => {
  const backOff = { firstMs: 100, longestMs: 1_000 };
  const pauses = Array.from({ length: 7 }, (_, failures) => Math.round(retryDelay(failures, 0.5, backOff)));
  assert.deepEqual(pauses, [100, 200, 400, 800, 1_000, 1_000, 1_000]);
});

test('a pause is never more than 30 % off, however often it failed', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
      const pause = retryDelay(failures, random);
      const middle = Math.min(8_000, 500 * 2 ** failures);
      assert.ok(pause >= 0.7 * middle && pause < 1.3 * middle, `${pause} ms`);
    }),
    { seed: 20_261_122 },
  );
});

test('clients that lost the same server spread out', () => {
  const pauses = [0, 0.25, 0.5, 0.75].map((random) => retryDelay(0, random));
  assert.equal(new Set(pauses).size, 4);
  assert.ok((pauses[3] ?? 0) - (pauses[0] ?? 0) > 200);
});

test('pauses end early when they are cut', async () => {
  const pauses = new Pauses();
  const both = Promise.all([pauses.wait(1_000_000), pauses.wait(2_000_000)]);
  pauses.cut();
  await both;
});

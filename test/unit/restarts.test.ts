import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Restarts } from '../../src/shards/restarts.js';

test('F5: what dies soon after each start is started after longer and longer waits, up to half a minute', () => {
  const restarts = new Restarts();
  const waits: number[] = [];
  let now = 0;
  for (let death = 0; death < 10; death += 1) {
    restarts.started(now);
    restarts.ended(now + 100);
    waits.push(restarts.wait);
    now += 100 + restarts.wait;
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  restarts.started(now);
  restarts.ended(now + 20_000);
  assert.equal(restarts.wait, 0, 'it ran for a while');
});

test('what does not even start counts as dead at once', () => {
  const restarts = new Restarts();
  restarts.started(0);
  restarts.ended(60_000);
  assert.equal(restarts.wait, 0);
  restarts.ended(60_200);
  restarts.ended(60_900);
  assert.equal(restarts.wait, 1000);
});

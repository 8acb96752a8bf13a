import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeats } from '../../src/shards/heartbeats.js';

test('a worker is stale when it has not beaten for three seconds, or is not running', () => {
  const heartbeats = new Heartbeats();
  assert.deepEqual(heartbeats.stale([5, 7], 0), []);
  assert.deepEqual(heartbeats.stale([6, 7], 2900), [], 'not long enough');
  assert.deepEqual(heartbeats.stale([7, 7], 3001), [1]);
  assert.deepEqual(heartbeats.stale([8, 8], 3002), [], 'it beats again');
  assert.deepEqual(heartbeats.stale([null, 9], 3003), [0]);
  assert.deepEqual(heartbeats.stale([0, 10], 3004), [], 'a new worker starts at nothing');
  assert.deepEqual(heartbeats.stale([0, 11], 7000), [0]);
});

test('a long time without a look is not held against a worker that has beaten meanwhile', () => {
  const heartbeats = new Heartbeats();
  assert.deepEqual(heartbeats.stale([1], 0), []);
  assert.deepEqual(heartbeats.stale([2], 3_600_000), []);
});

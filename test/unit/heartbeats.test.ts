import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeats } from '../../src/shards/heartbeats.js';

test('a worker is stale when it has not beaten for one and a half seconds, or is not running', () => {
  const heartbeats = new Heartbeats();
  assert.deepEqual(heartbeats.stale([5, 7], 0), []);
  assert.deepEqual(heartbeats.stale([6, 7], 1400), [], 'not long enough');
  assert.deepEqual(heartbeats.stale([7, 7], 1501), [1]);
  assert.deepEqual(heartbeats.stale([8, 8], 1502), [], 'it beats again');
  assert.deepEqual(heartbeats.stale([null, 9], 1503), [0]);
  assert.deepEqual(heartbeats.stale([0, 10], 1504), [], 'a new worker starts at nothing');
  assert.deepEqual(heartbeats.stale([0, 11], 3500), [0]);
});

test('a long time without a look is not held against a worker that has beaten meanwhile', () => {
  const heartbeats = new Heartbeats();
  assert.deepEqual(heartbeats.stale([1], 0), []);
  assert.deepEqual(heartbeats.stale([2], 3_600_000), []);
});

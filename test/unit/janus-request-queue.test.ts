import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RequestQueue } from '../../src/janus/request-queue.js';
import { TokenBucket } from '../../src/janus/transports/token-bucket.js';

describe('the queue of a handle', () => {
  test('runs tasks one after the other, the first at once', async () => {
    const queue = new RequestQueue(10);
    const log: string[] = [];
    let finish = () => {};
    const done = new Promise<void>((resolve) => {
      queue.push(async () => {
        log.push('a starts');
        await new Promise<void>((go) => {
          finish = go;
        });
        log.push('a ends');
      });
      queue.push(() => {
        log.push('b');
        resolve();
      });
    });
    assert.deepEqual(log, ['a starts']);
    finish();
    await done;
    assert.deepEqual(log, ['a starts', 'a ends', 'b']);
  });

  test('takes only so many that wait', () => {
    const queue = new RequestQueue(2);
    const never = () => new Promise<void>(() => {});
    assert.deepEqual(
      [1, 2, 3, 4].map(() => queue.push(never)),
      [true, true, true, false],
    );
  });
});

describe('the rate limit of a connection', () => {
  test('lets a burst through, then so many a second', () => {
    const bucket = new TokenBucket(100, 200, 0);
    bucket.take(200, 0);
    assert.equal(bucket.wait(0), 10);
    assert.equal(bucket.wait(10), 0);
    bucket.take(1, 10);
    assert.equal(bucket.wait(10), 10);
  });

  test('counts a message with many requests as many, and saves up no more than the burst', () => {
    const bucket = new TokenBucket(100, 200, 0);
    bucket.take(300, 0);
    assert.equal(bucket.wait(0), 1010);
    assert.equal(bucket.wait(1_000_000), 0);
    bucket.take(200, 1_000_000);
    assert.ok(bucket.wait(1_000_000) > 0);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Arrivals } from '../../src/sfu/arrivals.js';
import { Interned } from '../../src/sfu/numbers.js';

describe('waiting for a publisher', () => {
  const patient = new AbortController().signal;

  test('ends when the user comes, not when another one does', async () => {
    const arrivals = new Arrivals();
    const waits = arrivals.next('ann', 10_000, patient);
    arrivals.announce('bob');
    arrivals.announce('ann');
    assert.equal(await waits, true);
  });

  test('ends when the time is over', async () => {
    assert.equal(await new Arrivals().next('ann', 5, patient), false);
    assert.equal(await new Arrivals().next('ann', 0, patient), false);
  });

  test('ends when something more important is next', async () => {
    const stop = new AbortController();
    const waits = new Arrivals().next('ann', 10_000, stop.signal);
    stop.abort();
    assert.equal(await waits, false);
  });
});

describe('interned numbers', () => {
  test('a key keeps its number while somebody uses it, and gets another one afterwards', () => {
    const numbers = new Interned<string>(100);
    assert.deepEqual(numbers.acquire('__proto__'), { number: 1, first: true });
    assert.deepEqual(numbers.acquire('__proto__'), { number: 1, first: false });
    assert.deepEqual(numbers.acquire('b'), { number: 2, first: true });
    assert.equal(numbers.release('__proto__'), false);
    assert.equal(numbers.release('__proto__'), true);
    assert.equal(numbers.get('__proto__'), undefined);
    assert.deepEqual(numbers.acquire('__proto__'), { number: 3, first: true });
  });

  test('at the end of the range the free ones come again, never one in use', () => {
    const numbers = new Interned<number>(3);
    for (const key of [10, 20, 30]) numbers.acquire(key);
    assert.throws(() => numbers.acquire(40), RangeError);
    numbers.release(20);
    assert.equal(numbers.acquire(40).number, 2);
  });
});

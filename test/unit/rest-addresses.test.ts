import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Addresses } from '../../src/janus/transports/rest-addresses.js';

const settings = { requestRate: 10, requestBurst: 20, sessionsPerAddress: 2 };

describe('what an address may use', () => {
  test('lets a burst of requests through at once, delays what follows, and refuses what would wait over 2 s', () => {
    const addresses = new Addresses(settings);
    const waits = Array.from({ length: 60 }, () => addresses.request('a', 0));
    assert.ok(waits.slice(0, 20).every((wait) => wait === 0));
    assert.deepEqual(waits.slice(20, 23), [100, 200, 300]);
    assert.equal(waits[39], 2000);
    assert.ok(waits.slice(40).every((wait) => wait === null));
  });

  test('refuses without a debt: who was refused is served as soon as the others were', () => {
    const addresses = new Addresses(settings);
    for (let n = 0; n < 1000; n += 1) addresses.request('a', 0);
    assert.equal(addresses.request('a', 4000), 0);
  });

  test('is counted for each address alone', () => {
    const addresses = new Addresses(settings);
    for (let n = 0; n < 100; n += 1) addresses.request('a', 0);
    assert.equal(addresses.request('b', 0), 0);
  });

  test('includes so many sessions, and again when one has ended', () => {
    const addresses = new Addresses(settings);
    addresses.countSession('a', 1, 0);
    assert.ok(addresses.mayHaveSession('a'));
    addresses.countSession('a', 1, 0);
    assert.equal(addresses.mayHaveSession('a'), false);
    assert.ok(addresses.mayHaveSession('b'));
    addresses.countSession('a', -1, 0);
    assert.ok(addresses.mayHaveSession('a'));
  });

  test('is forgotten when the address has no session and its bucket is full again', () => {
    const addresses = new Addresses(settings);
    for (let n = 0; n < 500; n += 1) addresses.request(`a${n}`, 0);
    addresses.countSession('a7', 1, 0);
    addresses.request('b', 11_000);
    assert.equal(addresses.size, 2);
    addresses.countSession('a7', -1, 12_000);
    addresses.request('b', 22_000);
    assert.equal(addresses.size, 1);
  });

  test('is remembered for so many addresses only; strangers beyond are refused, those known are served', () => {
    const addresses = new Addresses(settings);
    for (let n = 0; n < 100_000; n += 1) addresses.request(`a${n}`, 0);
    assert.equal(addresses.request('b', 0), null);
    assert.equal(addresses.request('a5', 0), 0);
    assert.equal(addresses.size, 100_000);
    assert.equal(addresses.request('b', 20_000), 0);
  });
});

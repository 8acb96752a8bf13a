import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { announcedCandidates } from '../../src/sdp/candidates.js';
import type { LocalCandidate } from '../../workers/protocol.js';

function host(address: string, index = 0): LocalCandidate {
  return { foundation: String(index + 1), priority: 2122317823 - index, address, port: 51611 };
}

const LOCAL = ['192.0.2.2', '10.0.0.5', '2001:db8::2', 'fe80::1'].map(host);

function addresses(options: { publicIps?: string[]; ownIps?: string[]; loopback?: boolean }, local = LOCAL): string[] {
  const announced = announcedCandidates(local, { publicIps: [], loopback: false, ...options });
  return announced.map(({ address }) => address);
}

describe('Announced candidates', () => {
  test("are the shard's own, but link-local ones", () => {
    assert.deepEqual(addresses({}), ['192.0.2.2', '10.0.0.5', '2001:db8::2']);
  });

  test('of a family with a public address are that address, once each', () => {
    assert.deepEqual(addresses({ publicIps: ['203.0.113.9'] }), ['203.0.113.9', '2001:db8::2']);
    assert.deepEqual(addresses({ publicIps: ['203.0.113.9', '203.0.113.10', '2001:db8::99', '203.0.113.9'] }), [
      '203.0.113.9',
      '203.0.113.10',
      '2001:db8::99',
    ]);
  });

  test('of the machine are those of the interfaces that may be used; public addresses stand above that', () => {
    assert.deepEqual(addresses({ ownIps: ['10.0.0.5', '2001:db8::2'] }), ['10.0.0.5', '2001:db8::2']);
    assert.deepEqual(addresses({ ownIps: ['10.0.0.5'], publicIps: ['203.0.113.9'] }), ['203.0.113.9']);
    assert.deepEqual(addresses({ ownIps: ['10.0.0.5'], loopback: true }), ['10.0.0.5', '127.0.0.1']);
  });

  test('end with 127.0.0.1 for clients of this machine', () => {
    assert.deepEqual(addresses({ loopback: true }), ['192.0.2.2', '10.0.0.5', '2001:db8::2', '127.0.0.1']);
    assert.deepEqual(addresses({ publicIps: ['203.0.113.9'], loopback: true }, [host('10.0.0.5')]), [
      '203.0.113.9',
      '127.0.0.1',
    ]);
  });

  test('of a machine without a network are 127.0.0.1, and 127.0.0.1 is never there twice', () => {
    assert.deepEqual(addresses({}, [host('127.0.0.1')]), ['127.0.0.1']);
    assert.deepEqual(addresses({ loopback: true }, [host('127.0.0.1')]), ['127.0.0.1']);
    assert.deepEqual(addresses({}, [host('fe80::1')]), ['127.0.0.1']);
    assert.deepEqual(addresses({ loopback: true }, []), []);
  });

  test("have the shard's port, distinct foundations and falling priorities of host candidates", () => {
    const announced = announcedCandidates(LOCAL, { publicIps: [], loopback: true });
    assert.ok(announced.every(({ port }) => port === 51611));
    assert.equal(new Set(announced.map(({ foundation }) => foundation)).size, announced.length);
    const priorities = announced.map(({ priority }) => priority);
    assert.deepEqual(
      priorities,
      [...priorities].sort((a, b) => b - a),
    );
    assert.equal(new Set(priorities).size, priorities.length);
    assert.equal(priorities[0], 2130706431);
    assert.ok(priorities.every((priority) => priority >>> 24 === 126 && priority % 256 === 255));
  });
});

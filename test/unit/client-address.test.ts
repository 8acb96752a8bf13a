import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { readConfig } from '../../src/config/read.js';
import { addressBehind } from '../../src/http/client-address.js';

/** A request from an address, with what its X-Forwarded-For says. */
function request(peer: string, forwarded?: string): IncomingMessage {
  const message = new IncomingMessage(Object.defineProperty(new Socket(), 'remoteAddress', { value: peer }));
  if (forwarded !== undefined) message.headers['x-forwarded-for'] = forwarded;
  return message;
}

describe('whose a request is', () => {
  const behind = addressBehind(['127.0.0.1', '10.0.0.0/8', '2001:db8::/32']);
  for (const [what, peer, forwarded, expected] of [
    ['is the other end of the connection', '198.51.100.7', undefined, '198.51.100.7'],
    ['is nobody else because a stranger says so', '198.51.100.7', '203.0.113.9', '198.51.100.7'],
    ['is what a proxy says', '127.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['is what a proxy says on a socket for both families', '::ffff:127.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['is what the first of several proxies says', '10.1.2.3', '203.0.113.9, 10.9.9.9, 2001:db8::5', '203.0.113.9'],
    ['is not what a client wrote before its proxy did', '127.0.0.1', '192.0.2.1, 203.0.113.9', '203.0.113.9'],
    ['is the proxy itself where nobody is named', '127.0.0.1', undefined, '127.0.0.1'],
    ['is a proxy where all that are named are', '127.0.0.1', '10.0.0.1', '10.0.0.1'],
    ['is the last one that is known where the rest is nonsense', '127.0.0.1', 'x, 10.0.0.1', '10.0.0.1'],
    ['is the proxy where a name stands for an address', '127.0.0.1', 'unknown', '127.0.0.1'],
    ['may be an IPv6 address', '127.0.0.1', '2001:470::1', '2001:470::1'],
  ] as const) {
    test(what, () => assert.equal(behind(request(peer, forwarded)), expected));
  }

  test('without proxies is never what a header says', () => {
    assert.equal(addressBehind([])(request('127.0.0.1', '203.0.113.9')), '127.0.0.1');
  });

  test('is found in a header as long as the parser takes', () => {
    const long = `${'192.0.2.1,'.repeat(1500)}203.0.113.9`;
    assert.equal(behind(request('127.0.0.1', long)), '203.0.113.9');
    assert.equal(behind(request('127.0.0.1', `203.0.113.9${',10.0.0.1'.repeat(1500)}`)), '10.0.0.1');
  });
});

test('TRUSTED_PROXIES takes addresses and networks, and refuses what is none', () => {
  const read = readConfig({ TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,2001:db8::/32' });
  assert.deepEqual(read.ok && read.config.TRUSTED_PROXIES, ['127.0.0.1', '10.0.0.0/8', '2001:db8::/32']);
  for (const wrong of ['10.0.0.0/33', 'localhost', '10.0.0.0/', '2001:db8::/129', '10.0.0.0/8/8']) {
    assert.ok(!readConfig({ TRUSTED_PROXIES: wrong }).ok, wrong);
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { enforcedAddresses, type Machine } from '../../src/config/machine.js';
import { readSettings } from '../../src/config/read.js';
import { environmentSource, flagSource } from '../../src/config/source.js';
import { unreachable, warningsOf } from '../../src/config/warnings.js';

const machine: Machine = {
  cores: 4,
  interfaces: new Map([
    ['lo', ['127.0.0.1', '::1']],
    ['eth0', ['10.0.0.5', '2001:db8::5']],
    ['eth1', ['10.1.0.5']],
  ]),
};

function warnings(env: Record<string, string>, flags: Record<string, string> = {}): string[] {
  const read = readSettings([flagSource(new Map(Object.entries(flags))), environmentSource(env)], machine);
  assert.ok(read.ok);
  return warningsOf(read.config, read.values, machine).map(({ setting, text }) => `${setting}: ${text}`);
}

const SECRET = '5f1d3c0a9b7e4d2f8a6c';

describe('an operator is warned', () => {
  test('of nothing where all is well', () => {
    const env = { ADMIN_SECRET: SECRET, API_SECRET: SECRET, PUBLIC_IP: '8.8.8.8,2a00::1', SFU_WORKERS: '4' };
    assert.deepEqual(warnings(env), []);
    assert.deepEqual(warnings({}), []);
  });

  test('of webhooks that cross the network unencrypted, without the address, which may hold a secret', () => {
    const text = 'WEBHOOK_URL: events and ids of users cross the network unencrypted; use https://';
    for (const [url, wanted] of [
      ['http://example.org/?key=hidden', [text]],
      ['https://example.org/', []],
      ['http://localhost:9000/', []],
      ['http://127.0.0.1:9000/', []],
      ['http://[::1]:9000/', []],
    ] as const) {
      assert.deepEqual(warnings({ WEBHOOK_URL: url, WEBHOOK_SECRET: SECRET }), wanted);
    }
  });

  test('of secrets that are well known or short, without saying them', () => {
    const [known, short, ...more] = warnings({ ADMIN_SECRET: 'JanusOverlord', API_SECRET: 'abc123' }).sort();
    assert.match(known ?? '', /^ADMIN_SECRET: is a well-known example; .*openssl rand/);
    assert.match(short ?? '', /^API_SECRET: is shorter than 16 characters/);
    assert.doesNotMatch(`${known}${short}`, /overlord|abc123/i);
    assert.deepEqual(more, []);
  });

  test('of a secret among the flags, which everybody on the machine sees', () => {
    assert.match(warnings({}, { API_SECRET: SECRET }).join(), /^API_SECRET: is a flag/);
  });

  test('of a PUBLIC_IP that clients will not reach', () => {
    assert.deepEqual(warnings({ PUBLIC_IP: '8.8.8.8,192.168.1.7' }), [
      'PUBLIC_IP: 192.168.1.7 is private (RFC 1918): clients elsewhere will not reach it',
    ]);
  });

  test('of more workers than cores', () => {
    assert.match(warnings({ SFU_WORKERS: '5' }).join(), /^SFU_WORKERS: 5 workers share 4 cores/);
  });

  test('of an Admin API that others reach without TLS', () => {
    for (const host of ['0.0.0.0', '::', '10.0.0.5']) {
      assert.match(warnings({ ADMIN_SECRET: SECRET, ADMIN_BIND: host }).join(), /^ADMIN_BIND: .*unencrypted/);
      assert.deepEqual(warnings({ ADMIN_BIND: host }), [], 'it is off');
    }
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      assert.deepEqual(warnings({ ADMIN_SECRET: SECRET, ADMIN_BIND: host }), []);
    }
  });

  test('of settings for tokens on a server without a key', () => {
    for (const name of ['BAN_KICKED_TOKENS', 'TOKEN_USER_REQUIRED']) {
      assert.match(warnings({ [name]: 'true' }).join(), new RegExp(`^${name}: has no effect: without AUTH_KEY`));
      assert.deepEqual(warnings({ [name]: 'true', AUTH_KEY: 'public.pem' }), []);
    }
  });

  test('of a cookie for other sites on a server without TLS', () => {
    const cluster = { NATS_URL: 'nats://10.0.0.2:4222', CLUSTER_SECRET: SECRET + SECRET, CLUSTER_COOKIE: 'none' };
    assert.match(warnings(cluster).join(), /^CLUSTER_COOKIE: browsers keep .* over TLS alone/);
    assert.deepEqual(warnings({ ...cluster, TRUSTED_PROXIES: '10.0.0.3' }), []);
    assert.deepEqual(warnings({ ...cluster, CLUSTER_COOKIE: 'lax' }), []);
  });

  test('of settings of Janus that have no effect here', () => {
    assert.match(warnings({ MESSAGE_THREADS: '3' }).join(), /^MESSAGE_THREADS: has no effect/);
  });
});

test('addresses that clients elsewhere can not reach are known by their ranges', () => {
  const cannot = ['10.0.0.1', '172.16.0.1', '172.31.255.1', '192.168.0.1', '100.64.0.1', '100.127.1.1', '169.254.1.1'];
  const nowhere = ['127.0.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '192.0.2.1', '198.51.100.1', '203.0.113.1'];
  const six = ['::', '::1', 'fe80::1', 'FEBF::1', 'fd00::1', 'fc00::1', 'ff02::1', '2001:db8::1'];
  for (const address of [...cannot, ...nowhere, ...six]) assert.ok(unreachable(address), address);
  const can = ['8.8.8.8', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '192.167.0.1', '2a00:1450::1'];
  for (const address of can) assert.equal(unreachable(address), null, address);
});

test('NETWORK_INTERFACE takes names of interfaces and beginnings of addresses, as Janus’ ice_enforce_list', () => {
  assert.equal(enforcedAddresses([], machine), null);
  assert.deepEqual(enforcedAddresses(['eth0'], machine), ['10.0.0.5', '2001:db8::5']);
  assert.deepEqual(enforcedAddresses(['10.'], machine), ['10.0.0.5', '10.1.0.5']);
  assert.deepEqual(enforcedAddresses(['eth1', '2001:'], machine), ['2001:db8::5', '10.1.0.5']);
  assert.deepEqual(enforcedAddresses(['eth'], machine), []);
});

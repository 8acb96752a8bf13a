import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { readConfig } from '../../src/config/read.js';
import { IceServers, turnCredentials } from '../../src/http/ice-servers.js';

const NOW = 1_800_000_000_000;
const STUN = ['stun:stun.example.org:3478'];
const TURN = ['turn:turn.example.org:3478?transport=udp', 'turns:turn.example.org:5349?transport=tcp'];

function servers(change: Partial<ConstructorParameters<typeof IceServers>[0]> = {}) {
  const settings = { stunUrls: STUN, turnUrls: TURN, turnSecret: 'north', turnTtl: 600_000, ...change };
  return new IceServers(settings, () => NOW);
}

describe('TURN credentials', () => {
  test('are expiry and user, and their HMAC-SHA1 in base64, as a TURN server computes it', () => {
    const { username, credential } = turnCredentials('north', 'ann', 1_800_000_600);
    assert.equal(username, '1800000600:ann');
    assert.equal(credential, createHmac('sha1', 'north').update('1800000600:ann').digest('base64'));
    // Fixed bytes, so that a change of the algorithm is seen: openssl dgst -sha1 -hmac north -binary | base64
    assert.equal(turnCredentials('north', null, 1_433_895_918).credential, '3dkl8uIBelQlraT8v9eCSJTyt+U=');
  });

  test('leave out users whose ids a TURN server could misread', () => {
    for (const user of ['a:b', '', 'a b', 'ü', 'x'.repeat(65), 'a\r\nb', null]) {
      assert.equal(turnCredentials('north', user, 5).username, '5');
    }
  });

  test('expire after the time that is set', () => {
    assert.deepEqual(servers().withCredentials('ann'), [
      { urls: STUN },
      { urls: TURN, ...turnCredentials('north', 'ann', NOW / 1000 + 600) },
    ]);
  });

  test('are for nobody where no TURN server is set; STUN needs none', () => {
    assert.deepEqual(servers({ turnUrls: [] }).withCredentials('ann'), [{ urls: STUN }]);
    assert.deepEqual(servers().open, [{ urls: STUN }]);
    assert.deepEqual(servers({ turnUrls: [], stunUrls: [] }).withCredentials(null), []);
  });
});

describe('settings of ICE servers', () => {
  const problems = (env: Record<string, string>) => {
    const read = readConfig(env);
    return read.ok ? [] : read.problems;
  };

  test('take addresses of both kinds, by name and by number', () => {
    const read = readConfig({
      STUN_URLS: 'stun:a.example, stuns:b.example:5349',
      TURN_URLS: `${TURN.join(',')},turn:[2001:db8::1]:3478`,
      TURN_SECRET: 'north',
    });
    assert.ok(read.ok);
    assert.deepEqual(read.config.STUN_URLS, ['stun:a.example', 'stuns:b.example:5349']);
    assert.equal(read.config.TURN_URLS.length, 3);
    assert.equal(read.config.TURN_TTL, 6 * 3_600_000);
  });

  test('refuse what is none, and TURN without a secret', () => {
    for (const [variable, value] of [
      ['STUN_URLS', 'turn:a.example'],
      ['STUN_URLS', 'stun:a.example?transport=udp'],
      ['TURN_URLS', 'https://a.example'],
      ['TURN_URLS', 'turn:a.example?transport=sctp'],
      ['SIGNALLING_URL', 'https://a.example/'],
      ['SIGNALLING_URL', "wss://a.example/'; script-src *"],
    ] as const) {
      assert.match(
        problems({ [variable]: value, TURN_SECRET: 'north' }).join(),
        new RegExp(`^${variable}=.*should be`),
      );
    }
    assert.deepEqual(problems({ TURN_URLS: 'turn:a.example' }), ['TURN_URLS: needs TURN_SECRET']);
  });

  test('refuse half of a TLS pair', () => {
    assert.deepEqual(problems({ TLS_CERT: 'a' }), ['TLS_CERT: needs TLS_KEY']);
    assert.deepEqual(problems({ TLS_KEY: 'a' }), ['TLS_KEY: needs TLS_CERT']);
  });
});

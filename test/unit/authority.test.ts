import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { Authority, type AuthoritySettings, sameText } from '../../src/janus/authority.js';

const NOW = 1_700_000_000;
const PLUGIN = 'janus.plugin.sfu';
const KEY = 'k3y';

function authority(settings: Partial<AuthoritySettings> = {}): Authority {
  const none = { apiSecret: undefined, tokenAuth: false, tokenSecret: undefined, tokensMax: 3 };
  return new Authority({ ...none, ...settings }, () => NOW);
}

function sign(content: string, key = KEY, algorithm = 'sha1'): string {
  return `${content}:${createHmac(algorithm, key).update(content).digest('base64')}`;
}

describe('the authority', () => {
  test('without a secret or tokens lets everybody in, whatever they carry', () => {
    for (const fields of [{}, { apisecret: 'x' }, { token: 'x' }, { token: 7 }]) {
      assert.equal(authority().allows(fields), true);
    }
  });

  test('with a secret wants exactly that, as a text', () => {
    const secret = authority({ apiSecret: 's3cret' });
    assert.equal(secret.allows({ apisecret: 's3cret' }), true);
    for (const apisecret of ['', 's3cre', 's3cret ', 'S3cret', 5, null, ['s3cret'], { toString: () => 's3cret' }]) {
      assert.equal(secret.allows({ apisecret }), false, JSON.stringify(apisecret));
    }
    assert.equal(secret.allows({ token: 's3cret' }), false);
    assert.equal(secret.allows(Object.create({ apisecret: 's3cret' })), false, 'only what the request itself says');
  });

  test('with secret and tokens is content with one of them', () => {
    const both = authority({ apiSecret: 's3cret', tokenAuth: true });
    both.addToken('tok', [PLUGIN]);
    assert.equal(both.allows({ apisecret: 's3cret' }), true);
    assert.equal(both.allows({ token: 'tok' }), true);
    assert.equal(both.allows({ apisecret: 'wrong', token: 'tok' }), true);
    assert.equal(both.allows({ apisecret: 's3cret', token: 'wrong' }), true);
    assert.equal(both.allows({ apisecret: 'wrong', token: 'wrong' }), false);
    assert.equal(both.allows({}), false);
  });

  test('compares texts of any length', () => {
    assert.equal(sameText('', ''), true);
    assert.equal(sameText('a', ''), false);
    assert.equal(sameText('ä'.repeat(5000), 'ä'.repeat(5000)), true);
  });
});

describe('stored tokens', () => {
  test('may attach to the plugins that they were given, until these are taken away', () => {
    const stored = authority({ tokenAuth: true });
    assert.equal(stored.allows({ token: 'tok' }), false);
    assert.deepEqual(stored.addToken('tok', [PLUGIN]), [PLUGIN]);
    assert.equal(stored.mayUse('tok', PLUGIN), true);
    assert.equal(stored.mayUse('tok', 'janus.plugin.other'), false);
    assert.equal(stored.mayUse('other', PLUGIN), false);
    assert.deepEqual(stored.disallow('tok', [PLUGIN]), []);
    assert.equal(stored.mayUse('tok', PLUGIN), false);
    assert.equal(stored.allows({ token: 'tok' }), true, 'a token without plugins still creates sessions');
    assert.deepEqual(stored.tokens(), [{ token: 'tok', plugins: [] }]);
    assert.equal(stored.removeToken('tok'), true);
    assert.equal(stored.removeToken('tok'), false);
    assert.equal(stored.allows({ token: 'tok' }), false);
    assert.equal(stored.disallow('tok', [PLUGIN]), null);
  });

  test('are bounded, and one more for a token that is there needs no room', () => {
    const stored = authority({ tokenAuth: true });
    for (const token of ['a', 'b', 'c']) assert.ok(stored.addToken(token, []));
    assert.equal(stored.addToken('d', []), null);
    assert.deepEqual(stored.addToken('c', [PLUGIN]), [PLUGIN]);
  });

  test('are not there when tokens are signed, or not used at all', () => {
    assert.equal(authority({ tokenAuth: true }).storesTokens, true);
    assert.equal(authority({ tokenAuth: true, tokenSecret: KEY }).storesTokens, false);
    assert.equal(authority().storesTokens, false);
    assert.equal(authority({ apiSecret: 'x' }).mayUse('any', PLUGIN), true, 'a token that nobody asked for is ignored');
  });
});

describe('signed tokens', () => {
  const signed = authority({ tokenAuth: true, tokenSecret: KEY });

  test('are let in until their last second, for the plugins that they name', () => {
    const token = sign(`${NOW},janus,${PLUGIN},janus.plugin.other`);
    assert.equal(signed.allows({ token }), true);
    assert.equal(signed.mayUse(token, PLUGIN), true);
    assert.equal(signed.mayUse(token, 'janus.plugin.third'), false);
    const bare = sign(`${NOW + 60},janus`);
    assert.equal(signed.allows({ token: bare }), true);
    assert.equal(signed.mayUse(bare, PLUGIN), false);
  });

  test('that are forged, over, for another realm or out of form are refused', () => {
    const good = sign(`${NOW + 60},janus,${PLUGIN}`);
    const [content = '', signature = ''] = good.split(':');
    const forged: Record<string, string> = {
      over: sign(`${NOW - 1},janus,${PLUGIN}`),
      'another realm': sign(`${NOW + 60},janus.admin,${PLUGIN}`),
      'no realm': sign(`${NOW + 60}`),
      'another key': sign(`${NOW + 60},janus,${PLUGIN}`, 'other'),
      'another algorithm': sign(`${NOW + 60},janus,${PLUGIN}`, KEY, 'sha256'),
      'no signature': content,
      'an empty signature': `${content}:`,
      'a cut signature': good.slice(0, -1),
      'a second colon': `${good}:`,
      'a later end': good.replace(String(NOW + 60), String(NOW + 61)),
      'the signature first': `${signature}:${content}`,
      'an end that is no number': sign(`never,janus,${PLUGIN}`),
      'a negative end': sign(`-1,janus,${PLUGIN}`),
      'an infinite end': sign(`1e400,janus,${PLUGIN}`),
      'an end in hex': sign(`0xffffffffff,janus,${PLUGIN}`),
      'a fraction': sign(`${NOW + 60}.5,janus,${PLUGIN}`),
      nothing: '',
      'only a colon': ':',
      'nothing, signed': sign(''),
      'a huge one': sign(`${NOW + 60},janus,${'x'.repeat(9000)}`),
    };
    for (const [name, token] of Object.entries(forged)) {
      assert.equal(signed.allows({ token }), false, name);
      assert.equal(signed.mayUse(token, PLUGIN), false, name);
    }
    assert.equal(signed.allows({ token: good }), true);
  });
});

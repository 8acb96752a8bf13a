import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { corsHeaders, originAllowed } from '../../src/janus/transports/cors.js';

const open = { allowOrigin: undefined, enforce: false };
const closed = { allowOrigin: 'https://a.example', enforce: true };

describe('the answers to pages of other origins', () => {
  test('allow every origin without credentials, or the configured one with them', () => {
    assert.deepEqual(corsHeaders(open, {}), { 'Access-Control-Allow-Origin': '*', 'Access-Control-Max-Age': '86400' });
    assert.deepEqual(corsHeaders(closed, {}), {
      'Access-Control-Allow-Origin': 'https://a.example',
      'Access-Control-Max-Age': '86400',
      'Access-Control-Allow-Credentials': 'true',
      Vary: 'Origin',
    });
  });

  test('allow what a preflight asks for, unless that is no list of names', () => {
    const asked = (method: string, names: string) =>
      corsHeaders(open, { 'access-control-request-method': method, 'access-control-request-headers': names });
    const headers = asked('POST', 'content-type, x-a');
    assert.equal(headers['Access-Control-Allow-Methods'], 'POST');
    assert.equal(headers['Access-Control-Allow-Headers'], 'content-type, x-a');
    for (const text of ['a\r\nSet-Cookie: x', 'a;b', '<b>', 'é', 'a'.repeat(2000)]) {
      const refused = asked(text, text);
      assert.ok(!('Access-Control-Allow-Methods' in refused) && !('Access-Control-Allow-Headers' in refused), text);
    }
  });
});

describe('enforced origins', () => {
  test('serve the configured origin’s pages, known by Origin or else by Referer', () => {
    for (const headers of [
      { origin: 'https://a.example' },
      { referer: 'https://a.example/page?x' },
      { origin: 'https://a.example', referer: 'https://b.example/' },
    ]) {
      assert.ok(originAllowed(closed, headers), JSON.stringify(headers));
    }
  });

  test('W15: refuse other pages, and names that only begin like it', () => {
    for (const headers of [
      {},
      { origin: 'null' },
      { origin: 'https://b.example' },
      { origin: 'http://a.example' },
      { origin: 'https://a.example.net' },
      { origin: 'https://a.example:8443' },
      { origin: 'https://b.example', referer: 'https://a.example/' },
      { referer: 'https://a.example@b.example/' },
    ]) {
      assert.equal(originAllowed(closed, headers), false, JSON.stringify(headers));
    }
  });

  test('are no matter unless they are configured', () => {
    assert.ok(originAllowed({ ...closed, enforce: false }, { origin: 'https://b.example' }));
    assert.ok(originAllowed({ allowOrigin: undefined, enforce: true }, { origin: 'https://b.example' }));
    assert.ok(originAllowed({ allowOrigin: '*', enforce: true }, {}));
  });
});

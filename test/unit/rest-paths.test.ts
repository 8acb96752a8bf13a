import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addIds, readPath, readPollQuery, splitUrl } from '../../src/janus/transports/rest-paths.js';

describe('the paths of the REST API', () => {
  test('name the base, info, ping, a session or a handle; a slash at the end changes nothing', () => {
    for (const [path, expected] of [
      ['/janus', { kind: 'base' }],
      ['/janus/', { kind: 'base' }],
      ['/janus/info', { kind: 'info' }],
      ['/janus/ping/', { kind: 'ping' }],
      ['/janus/12', { kind: 'session', sessionId: 12 }],
      ['/janus/12/', { kind: 'session', sessionId: 12 }],
      ['/janus/9007199254740991/7', { kind: 'handle', sessionId: 9007199254740991, handleId: 7 }],
    ] as const) {
      assert.deepEqual(readPath('/janus', path), expected, path);
    }
  });

  test('are none outside the base, next to it, or deeper than a handle', () => {
    for (const path of ['', '/', '/janusx', '/janus2/12', '/Janus', '/a/janus', '/janus/1/2/3', '/janus/1/2//']) {
      assert.deepEqual(readPath('/janus', path), { kind: 'none' }, path);
    }
  });

  test('count an id that is no number as none', () => {
    for (const text of ['abc', '-1', '1.5', '0x10', '1e3', '%31', '__proto__', '٣', '9'.repeat(400)]) {
      assert.deepEqual(readPath('/janus', `/janus/${text}`), { kind: 'session', sessionId: 0 }, text);
    }
    assert.deepEqual(readPath('/janus', '/janus//5'), { kind: 'handle', sessionId: 0, handleId: 5 });
  });

  test('end where the query begins', () => {
    const { path, query } = splitUrl('/janus/5?maxev=3&rid=1?2#part');
    assert.equal(path, '/janus/5');
    assert.equal(query.get('maxev'), '3');
    assert.equal(query.get('rid'), '1?2');
    assert.equal(splitUrl('/janus?').path, '/janus');
  });
});

describe('a long poll’s query', () => {
  const eventsMax = (text: string) => readPollQuery(new URLSearchParams(text)).eventsMax;

  test('asks for an array with a maxev of 2 or more; any other maxev is none', () => {
    assert.deepEqual(['maxev=2', 'maxev=10', 'maxev=2&maxev=9'].map(eventsMax), [2, 10, 2]);
    for (const text of [
      '',
      'maxev',
      'maxev=',
      'maxev=0',
      'maxev=1',
      'maxev=-5',
      'maxev=abc',
      'maxev=2x',
      'maxev=1e9',
    ]) {
      assert.equal(eventsMax(text), null, text);
    }
  });

  test('carries the secret and the token, and nothing else of it counts as such', () => {
    const { auth } = readPollQuery(new URLSearchParams('token=a%26b&apisecret=&__proto__=x&rid=1'));
    assert.deepEqual(auth, { token: 'a&b', apisecret: '' });
    assert.deepEqual(readPollQuery(new URLSearchParams('rid=1')).auth, {});
  });
});

describe('the ids of a URL', () => {
  const path = { kind: 'handle', sessionId: 5, handleId: 6 } as const;

  test('are put into a request that has none, or 0, or something that is no id', () => {
    for (const own of [undefined, 0, null, '7', 1.5, {}]) {
      const added = addIds(path, { janus: 'message', session_id: own, handle_id: own });
      assert.deepEqual(added, { ok: true, request: { janus: 'message', session_id: 5, handle_id: 6 } }, String(own));
    }
  });

  test('may be said again in the request, but not differ', () => {
    assert.ok(addIds(path, { session_id: 5, handle_id: 6 }).ok);
    assert.deepEqual(addIds(path, { session_id: 7 }), {
      ok: false,
      error: { code: 457, reason: 'Conflicting session ID (payload and path)' },
    });
    assert.deepEqual(addIds(path, { handle_id: 7 }), {
      ok: false,
      error: { code: 457, reason: 'Conflicting handle ID (payload and path)' },
    });
  });

  test('that are no numbers are none, and conflict with any', () => {
    const nowhere = { kind: 'handle', sessionId: 0, handleId: 0 } as const;
    assert.ok(addIds(nowhere, { janus: 'ping', session_id: 0 }).ok);
    for (const request of [{ session_id: 7 }, { handle_id: 7 }, { session_id: -1 }]) {
      assert.equal(addIds(nowhere, request).ok, false);
    }
    assert.equal(addIds({ kind: 'handle', sessionId: 5, handleId: 0 }, { handle_id: 6 }).ok, false);
  });

  test('leave the request’s own where the URL has none', () => {
    const request = { session_id: 7, handle_id: 8 };
    assert.deepEqual(addIds({ kind: 'base' }, request), { ok: true, request });
    assert.deepEqual(addIds({ kind: 'session', sessionId: 7 }, request), { ok: true, request });
  });

  test('are own properties of the new request, whatever names the old one had', () => {
    const hostile = JSON.parse('{"__proto__":{"session_id":9},"constructor":1}');
    const added = addIds({ kind: 'session', sessionId: 5 }, hostile);
    assert.ok(added.ok && added.request.session_id === 5 && Object.hasOwn(added.request, '__proto__'));
    assert.equal(({} as { session_id?: number }).session_id, undefined);
  });
});

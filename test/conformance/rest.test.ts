/** The Janus API over HTTP (janus-api.md 6), against the real server; long polls and sessions have files of their own. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { dataOf, type Received } from '../support/janus-client.js';
import { sendRaw } from '../support/raw-http.js';
import { usingRest } from '../support/rest-suite.js';

const json = { 'Content-Type': 'application/json' };

describe('the Janus API over HTTP', () => {
  const server = usingRest({ HTTP_POLL_TIMEOUT: '1', EVENT_QUEUE_MAX: '16', SESSION_TIMEOUT: '20' });

  test('answers each method and path that names no session as the table of the contract says', async () => {
    const client = server.rest();
    const body = '{"janus":"ping","transaction":"p"}';
    for (const [method, path, status, options, expected] of [
      [
        'GET',
        '/info',
        200,
        {},
        /^\{"janus":"server_info","transaction":"[A-Za-z0-9]{12}","name":"Janus WebRTC Server"/,
      ],
      ['GET', '/info/5', 200, {}, /^\{"janus":"server_info"/],
      ['GET', '/ping', 200, {}, /^\{"janus":"pong","transaction":"[A-Za-z0-9]{12}"\}$/],
      ['POST', '', 200, { body }, /^\{"janus":"pong","transaction":"p"\}$/],
      ['POST', '/', 200, { body }, /^\{"janus":"pong","transaction":"p"\}$/],
      ['POST', '/info', 400, { body }, /^$/],
      ['POST', '/ping', 400, {}, /^$/],
      ['POST', '', 400, {}, /"code":454,"reason":"Request payload missing"/],
      ['POST', '/1/2/3', 404, { body }, /^$/],
      ['GET', '', 404, {}, /^$/],
      ['GET', '/', 404, {}, /^$/],
      ['GET', '/nope', 404, {}, /^$/],
      ['GET', '/999', 404, {}, /^$/],
      ['GET', '/1/2/3', 404, {}, /^$/],
      ['GET', '/5/6', 302, {}, /^$/],
      ['GET', '/abc/6', 404, {}, /^$/],
      ['DELETE', '', 200, {}, /^\{"janus":"error","error":\{"code":450,"reason":"Unsupported method DELETE"\}\}$/],
      ['PUT', '', 200, {}, /"code":450,"reason":"Unsupported method PUT"/],
      ['PUT', '', 405, { body }, /^$/],
      ['PATCH', '/5', 405, { body }, /^$/],
      ['HEAD', '/info', 200, {}, /^$/],
      ['HEAD', '/5', 405, {}, /^$/],
      ['OPTIONS', '/5/6', 200, {}, /^$/],
    ] as const) {
      const answer = await client.ask(method, path, options);
      const what = `${method} ${path}`;
      assert.equal(answer.status, status, what);
      assert.match(answer.text, expected, what);
      assert.equal(answer.headers['access-control-allow-origin'], '*', what);
      assert.equal(answer.headers['access-control-max-age'], '86400', what);
      const type = answer.text !== '' || what === 'HEAD /info' ? 'application/json' : undefined;
      assert.equal(answer.headers['content-type'], type, what);
      if (status === 302) assert.equal(answer.headers.location, '/janus/5');
      if (status === 405) assert.equal(answer.headers.allow, 'GET, POST, OPTIONS', what);
    }
  });

  test('allows a page what its preflight asks for', async () => {
    const { status, headers } = await server.rest().ask('OPTIONS', '', {
      headers: {
        Origin: 'http://x.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type',
      },
    });
    assert.equal(status, 200);
    assert.equal(headers['access-control-allow-methods'], 'POST');
    assert.equal(headers['access-control-allow-headers'], 'content-type');
  });

  test('serves every verb, with the ids in the URL or in the body', async () => {
    const client = server.rest();
    const session = await client.create();
    assert.deepEqual(await client.post(`/${session}`, { janus: 'keepalive', transaction: 'k' }), {
      janus: 'ack',
      session_id: session,
      transaction: 'k',
    });
    const handle = await client.attach(session);
    const message = { janus: 'message', transaction: 'm', body: { kind: 'nonsense' } };
    for (const [path, ids] of [
      [`/${session}/${handle.id}`, {}],
      [`/${session}/${handle.id}/`, { session_id: session, handle_id: handle.id }],
      [`/${session}/${handle.id}`, { session_id: 0, handle_id: 0 }],
      [`/${session}`, { handle_id: handle.id }],
      ['', { session_id: session, handle_id: handle.id }],
    ] as const) {
      assert.deepEqual(await client.post(path, { ...message, ...ids }), {
        janus: 'ack',
        session_id: session,
        transaction: 'm',
        hint: 'Processing.',
      });
      const event = await client.event(session);
      assert.equal(event.transaction, 'm');
      assert.equal(event.sender, handle.id);
      assert.equal(dataOf(event).success, false);
    }
    const trickle = { janus: 'trickle', transaction: 't', candidate: null };
    assert.equal((await client.toHandle(handle, trickle)).janus, 'ack');
    for (const janus of ['hangup', 'detach']) assert.equal((await client.toHandle(handle, { janus })).janus, 'success');
    assert.deepEqual(await client.event(session), { janus: 'detached', session_id: session, sender: handle.id });
    assert.equal((await client.post('', { janus: 'claim', session_id: session })).janus, 'success');
    assert.equal((await client.post(`/${session}`, { janus: 'destroy' })).janus, 'success');
    assert.equal((await client.ask('GET', `/${session}`)).status, 404);
    const gone = await client.post(`/${session}`, { janus: 'keepalive', transaction: 'k' });
    assert.deepEqual(gone, {
      janus: 'error',
      session_id: session,
      transaction: 'k',
      error: { code: 458, reason: `No such session ${session}` },
    });
  });

  test('answers what is wrong with a request with 200 and the error of the table', async () => {
    const client = server.rest();
    const session = await client.create();
    const verb = (fields: object) => JSON.stringify({ transaction: 'x', ...fields });
    for (const [path, body, code, reason, transaction] of [
      ['', 'rubbish', 454, /^JSON error: on line 1: /, undefined],
      ['', '{"janus":\n"ping"\n,}', 454, /^JSON error: on line 3: /, undefined],
      ['', '{"janus":"ping"}{"janus":"ping"}', 454, /^JSON error: on line 1: /, undefined],
      ['', '"ping"', 454, /^JSON error: on line 1: /, undefined],
      ['', '5', 454, /^JSON error: /, undefined],
      ['', Buffer.from('{"janus":"ping","transaction":"\xff"}', 'latin1'), 454, /^JSON error: /, undefined],
      ['', '{"janus":"ping","transaction":"\0"}', 454, /^JSON error: /, undefined],
      ['', '{"a":1e', 454, /^JSON error: /, undefined],
      ['', '['.repeat(100_000), 454, /^JSON error: /, undefined],
      ['', `${'['.repeat(60_000)}${']'.repeat(60_000)}`, 454, /^JSON error: on line 1: /, undefined],
      ['', '{"janus":"ping","transaction":"\\u0000"}', 454, /^JSON error: on line 1: /, undefined],
      ['', '\ufeff{"janus":"ping","transaction":"x"}', 454, /^JSON error: on line 1: /, undefined],
      ['', '[]', 455, /^JSON error: not an object$/, undefined],
      ['', '{}', 456, /^Missing mandatory element \(transaction\)$/, undefined],
      [
        '',
        '{"transaction":5,"janus":"ping"}',
        467,
        /^Invalid element type \(transaction should be a string\)$/,
        undefined,
      ],
      ['', verb({ janus: 'nope' }), 457, /^Unhandled request 'nope' at this path$/, 'x'],
      ['', verb({ janus: 'keepalive' }), 457, /^Unhandled request 'keepalive' at this path$/, 'x'],
      ['/abc', verb({ janus: 'keepalive' }), 457, /^Unhandled request 'keepalive' at this path$/, 'x'],
      ['/abc/5', verb({ janus: 'message' }), 458, /^Session not found$/, 'x'],
      ['/999', verb({ janus: 'keepalive' }), 458, /^No such session 999$/, 'x'],
      [`/${session}/999`, verb({ janus: 'message' }), 459, /^No such handle 999 in session \d+$/, 'x'],
      [`/${session}`, verb({ janus: 'attach', plugin: 'nope' }), 460, /^No such plugin 'nope'$/, 'x'],
      [
        `/${session}`,
        verb({ janus: 'keepalive', session_id: 7 }),
        457,
        /^Conflicting session ID \(payload and path\)$/,
        undefined,
      ],
      [
        `/${session}/5`,
        verb({ janus: 'message', handle_id: 7 }),
        457,
        /^Conflicting handle ID \(payload and path\)$/,
        undefined,
      ],
      [`/${session}`, verb({ janus: 'create' }), 453, /^Unknown request 'create'$/, 'x'],
    ] as const) {
      const answer = await client.ask('POST', path, { body });
      const what = `${path} ${body.slice(0, 60)}`;
      assert.equal(answer.status, 200, what);
      assert.equal(answer.headers['content-type'], 'application/json', what);
      const reply = JSON.parse(answer.text) as Received;
      assert.equal(reply.janus, 'error', what);
      assert.equal(reply.error?.code, code, what);
      assert.match(reply.error?.reason ?? '', reason, what);
      assert.equal(reply.transaction, transaction, what);
    }
    assert.equal((await client.post(`/${session}`, { janus: 'keepalive' })).janus, 'ack');
  });

  test('takes names of the language itself for what they are: names', async () => {
    const client = server.rest();
    const handle = await client.attach(await client.create());
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const body = `{"janus":"message","transaction":"${name}","${name}":{"session_id":1},"body":{"kind":"join","room_id":"${name}","user_id":"${name}"}}`;
      const answer = await client.ask('POST', `/${handle.session}/${handle.id}`, { body });
      assert.match(answer.text, /"janus":"ack"/);
      const event = await client.event(handle.session);
      assert.equal(event.transaction, name);
    }
    assert.equal((await client.ask('GET', '/__proto__')).status, 404);
    assert.equal((await client.ask('GET', '/constructor?maxev=__proto__')).status, 404);
  });

  test('does not look at a content type, so that a page can say goodbye with a beacon', async () => {
    const client = server.rest();
    for (const type of ['text/plain;charset=UTF-8', 'application/x-www-form-urlencoded', 'image/png', '']) {
      const session = await client.create();
      const body = '{"janus":"destroy","transaction":"bye"}';
      const headers = type === '' ? {} : { 'Content-Type': type };
      const answer = await client.ask('POST', `/${session}`, { body, headers });
      assert.match(answer.text, /"janus":"success"/, type);
      assert.equal((await client.ask('GET', `/${session}`)).status, 404);
    }
  });

  test('W15: answers a request that is too long with 413, and what is no HTTP with 4xx', async () => {
    const client = server.rest();
    const body = JSON.stringify({ janus: 'ping', transaction: 'p', text: 'x'.repeat(131_072) });
    assert.equal((await client.ask('POST', '', { body, headers: json })).status, 413);
    const post = 'POST /janus HTTP/1.1\r\nHost: x\r\n';
    const create = '{"janus":"create","transaction":"x"}';
    for (const bytes of [
      `${post}Content-Length: 5\r\nContent-Length: ${create.length}\r\n\r\n${create}`,
      `${post}Content-Length: ${create.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${create}`,
      `BREW /janus HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET /janus/info HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`,
    ]) {
      assert.match(await sendRaw(server.port(), bytes), /^HTTP\/1\.1 4\d\d /, bytes.slice(0, 80));
    }
    assert.equal((await client.ask('GET', '/ping')).status, 200);
  });
});

describe('HTTP with a secret and an origin', () => {
  const origin = 'https://app.example';
  const server = usingRest({ API_SECRET: 's3cret', ALLOW_ORIGIN: origin, ENFORCE_CORS: 'true' });

  test('says 403 in the reply of a POST, and as the status of a long poll, before anything is looked up', async () => {
    const client = server.rest();
    const headers = { Origin: origin };
    const post = async (path: string, message: object) =>
      JSON.parse((await client.ask('POST', path, { body: JSON.stringify(message), headers })).text) as Received;
    const create = { janus: 'create', transaction: 'c' };
    assert.equal((await post('', create)).error?.code, 403);
    assert.equal((await post('', { ...create, apisecret: 'wrong' })).error?.code, 403);
    const session = (await post('', { ...create, apisecret: 's3cret' })).data?.id;
    assert.ok(session);
    for (const id of [session, 999]) {
      assert.equal((await post(`/${id}`, { janus: 'keepalive', transaction: 'k' })).error?.code, 403);
      for (const query of ['', '?apisecret=wrong', '?token=s3cret']) {
        const answer = await client.ask('GET', `/${id}${query}`, { headers });
        assert.equal(answer.status, 403, query);
        assert.equal(answer.text, '');
      }
    }
    assert.equal((await client.ask('GET', '/999?apisecret=s3cret', { headers })).status, 404);
    assert.equal((await client.ask('GET', '/info', { headers })).status, 200);
    await post(`/${session}`, { janus: 'attach', plugin: 'janus.plugin.sfu', transaction: 'a', apisecret: 's3cret' });
    const destroyed = await post(`/${session}`, { janus: 'destroy', transaction: 'd', apisecret: 's3cret' });
    assert.equal(destroyed.janus, 'success');
  });

  test('serves pages of that origin with credentials, and no others', async () => {
    const client = server.rest();
    const { headers } = await client.ask('GET', '/ping', { headers: { Origin: origin } });
    assert.equal(headers['access-control-allow-origin'], origin);
    assert.equal(headers['access-control-allow-credentials'], 'true');
    assert.equal(headers.vary, 'Origin');
    for (const wrong of [{}, { Origin: 'https://evil.example' }, { Origin: `${origin}.evil.example` }]) {
      for (const method of ['GET', 'OPTIONS']) {
        const answer = await client.ask(method, '/ping', { headers: wrong });
        assert.equal(answer.status, 403);
        assert.equal(answer.text, '');
        assert.equal(answer.headers['access-control-allow-origin'], origin);
      }
    }
    assert.equal((await client.ask('GET', '/ping', { headers: { Referer: `${origin}/page` } })).status, 200);
  });

  test('takes the WebSockets of that origin’s pages alone, too', async () => {
    const { wsUrl } = server.running();
    /** The status of a handshake, and what it says of the origin. */
    const handshake = async (headers: Record<string, string>) => {
      const socket = new WebSocket(wsUrl, 'janus-protocol', { headers });
      socket.on('error', () => {});
      const answered = new Promise<IncomingMessage>((resolve) => {
        socket.on('upgrade', resolve);
        socket.on('unexpected-response', (_request, response) => resolve(response));
      });
      const { statusCode, headers: said } = await answered;
      socket.terminate();
      return [statusCode, said['access-control-allow-origin']];
    };
    assert.deepEqual(await handshake({ Origin: origin }), [101, origin]);
    for (const wrong of [{}, { Origin: 'https://evil.example' }, { Origin: `${origin}.evil.example` }]) {
      assert.equal((await handshake(wrong))[0], 403);
    }
  });
});

describe('HTTP sessions of one address', () => {
  const server = usingRest({ HTTP_SESSIONS_PER_ADDRESS: '3' });

  test('are no more than the setting says, until one has ended', async () => {
    const client = server.rest();
    const sessions = [await client.create(), await client.create(), await client.create()];
    const refused = await client.post('', { janus: 'create', transaction: 'c' });
    assert.deepEqual(refused, {
      janus: 'error',
      transaction: 'c',
      error: { code: 472, reason: 'This address has 3 sessions, the most allowed' },
    });
    await client.post(`/${sessions[0]}`, { janus: 'destroy' });
    await client.create();
  });
});

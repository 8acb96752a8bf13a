/** The Janus API over HTTP (janus-api.md 6), against the real server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { limit, shownOnce } from '../support/attempts.js';
import { type ClientHandle, dataOf, JanusClient, type Received } from '../support/janus-client.js';
import { sendRaw } from '../support/raw-http.js';
import { RestClient } from '../support/rest-client.js';
import { type RunningServer, startServer } from '../support/server.js';

const KEEPALIVE = { janus: 'keepalive' };
const json = { 'Content-Type': 'application/json' };

/** A server for the tests of one group, and what they make of it. */
function usingServer(env: Record<string, string>) {
  const clients: (RestClient | JanusClient)[] = [];
  let server: RunningServer | null = null;
  const running = () => {
    assert.ok(server);
    return server;
  };
  before(async () => {
    server = await startServer({ env });
  });
  after(async () => {
    for (const client of clients) await client.close();
    assert.equal(await running().stop(), 0, running().output().slice(-2000));
  });
  return {
    running,
    port: () => Number(new URL(running().httpUrl).port),
    rest: () => {
      const client = new RestClient(`${running().httpUrl}/janus`);
      clients.push(client);
      return client;
    },
    ws: async () => {
      const client = await JanusClient.connect(running().wsUrl);
      clients.push(client);
      return client;
    },
  };
}

/** Starts a long poll, and resolves when the server has it. */
async function startPoll(client: RestClient, session: number, query = ''): Promise<{ answer: Promise<unknown> }> {
  const sent = httpRequest(`${client.base}/${session}${query}`, { agent: false });
  const answer = once(sent, 'response').then(async ([response]) => {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return response.statusCode === 200 ? JSON.parse(text) : response.statusCode;
  });
  sent.end();
  const [socket] = await once(sent, 'socket');
  if (socket.connecting) await once(socket, 'connect');
  // The server accepts the connection before it answers the first of these, and reads it before the second.
  for (let pings = 0; pings < 2; pings += 1) await client.ask('GET', '/ping');
  return { answer };
}

describe('the Janus API over HTTP', () => {
  const server = usingServer({ HTTP_POLL_TIMEOUT: '1', EVENT_QUEUE_MAX: '16', SESSION_TIMEOUT: '20' });

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
      ['', `${'['.repeat(60_000)}${']'.repeat(60_000)}`, 455, /^JSON error: not an object$/, undefined],
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

  test('gives a long poll what waits at once, oldest first: one event, or an array', async () => {
    const client = server.rest();
    const first = await client.join('queue', 'ann');
    const second = await client.join('queue', 'bob');
    for (const body of ['1', '2']) {
      await client.toHandle(second, { janus: 'message', body: { kind: 'data', body } });
    }
    const joined = await client.event(first.session);
    assert.deepEqual(dataOf(joined), { event: 'join', user_id: 'bob', room_id: 'queue' });
    const rest = await client.events(first.session, 5);
    assert.deepEqual(
      rest.map((event) => dataOf(event).body),
      ['1', '2'],
    );
    assert.ok(rest.every(({ sender, session_id }) => sender === first.id && session_id === first.session));
  });

  test('ends a long poll’s wait with the event, also one that asks for an array', (t) =>
    shownOnce(t, async () => {
      const client = server.rest();
      const handle = await client.join('wait', 'ann');
      for (const [query, array] of [
        ['', false],
        ['?maxev=1', false],
        ['?maxev=abc&rid=1', false],
        ['?maxev=5&rid=123', true],
      ] as const) {
        const poll = await startPoll(client, handle.session, query);
        const started = performance.now();
        const transaction = `t${query}`;
        await client.toHandle(handle, { janus: 'message', transaction, body: { kind: 'data', body: 'x' } });
        const answer = await poll.answer;
        const took = performance.now() - started;
        const [event] = array ? (answer as Received[]) : [answer as Received];
        assert.equal(Array.isArray(answer), array, query);
        assert.equal(event?.transaction, transaction);
        limit(took < 500, `${took} ms, ${query}`);
      }
    }));

  test('answers a long poll with a keepalive and nothing else when its time is over', async () => {
    const client = server.rest();
    const session = await client.create();
    const started = performance.now();
    const [bare, array] = await Promise.all([
      client.event(session),
      client.create().then((other) => client.events(other, 2)),
    ]);
    const elapsed = performance.now() - started;
    assert.deepEqual(bare, KEEPALIVE);
    assert.deepEqual(array, [KEEPALIVE]);
    assert.ok(elapsed >= 990 && elapsed < 5000, `after ${Math.round(elapsed)} ms`);
  });

  test('W11: has one long poll at a time: the older one is released, the newer one gets the event', async () => {
    const client = server.rest();
    const handle = await client.join('one', 'ann');
    const polls = [];
    for (let n = 0; n < 20; n += 1) polls.push(await startPoll(client, handle.session, '?maxev=2'));
    const last = await startPoll(client, handle.session, '?maxev=2');
    await client.toHandle(handle, { janus: 'message', body: { kind: 'data', body: 'x' } });
    const [event] = (await last.answer) as Received[];
    assert.equal(event?.janus, 'event');
    for (const { answer } of polls) assert.deepEqual(await answer, [KEEPALIVE]);
  });

  test('releases the poll of a session that is destroyed, and knows the session no more', (t) =>
    shownOnce(t, async () => {
      const client = server.rest();
      const session = await client.create();
      const poll = await startPoll(client, session);
      const started = performance.now();
      await client.post(`/${session}`, { janus: 'destroy' });
      assert.deepEqual(await poll.answer, KEEPALIVE);
      const took = performance.now() - started;
      assert.equal((await client.ask('GET', `/${session}`)).status, 404);
      limit(took < 500, `${took} ms`);
    }));

  test('W12: ends a session whose events nobody takes, and says so in the log', async () => {
    const client = server.rest();
    const silent = await client.join('full', 'silent');
    const busy = await client.join('full', 'busy');
    const seen: Received[] = [];
    for (let n = 0; n < 17; n += 1) {
      const sent = await client.toHandle(busy, { janus: 'message', body: { kind: 'data', body: `${n}` } });
      assert.equal(sent.janus, 'ack');
      seen.push(...(await client.events(busy.session)));
    }
    const reply = await client.post(`/${silent.session}`, { janus: 'keepalive' });
    assert.equal(reply.error?.code, 458);
    assert.match(server.running().output(), new RegExp(`too many of its events wait.*session=${silent.session}`));
    while (!seen.some((event) => dataOf(event).event === 'leave')) seen.push(await client.event(busy.session));
    const answered = seen.filter(({ transaction }) => transaction !== undefined);
    assert.equal(answered.length, 17);
  });

  test('W13: lets nobody but its owner use a session, whatever the transport, until it is claimed', async () => {
    const [client, socket] = [server.rest(), await server.ws()];
    const ofSocket = await socket.create();
    const ofClient = await client.create();
    assert.equal((await client.post(`/${ofSocket}`, { janus: 'keepalive' })).error?.code, 458);
    assert.equal((await client.ask('GET', `/${ofSocket}`)).status, 404);
    assert.equal((await socket.request({ janus: 'keepalive', session_id: ofClient })).error?.code, 458);
  });

  /** Both join a room; the second one's data messages are the first one's events. */
  async function say(from: JanusClient, handle: ClientHandle, text: string): Promise<void> {
    await from.message(handle, { kind: 'data', body: text });
  }

  test('hands a session over from a WebSocket to HTTP and back, with the events that were not fetched', async () => {
    const [client, first, second, speaker] = [server.rest(), await server.ws(), await server.ws(), await server.ws()];
    const handle = await first.join('claims', 'ann', { notifications: true, data: true });
    const mouth = await speaker.join('claims', 'bob', { data: true });
    const { session } = handle;
    await say(speaker, mouth, 'to the first socket');
    assert.deepEqual(await client.post(`/${session}`, { janus: 'claim', transaction: 'c' }), {
      janus: 'success',
      session_id: session,
      transaction: 'c',
    });
    assert.equal((await first.request({ janus: 'keepalive', session_id: session })).error?.code, 458);
    await say(speaker, mouth, 'to the poll');
    await say(speaker, mouth, 'to nobody yet');
    assert.equal(dataOf(await client.event(session)).body, 'to the poll');
    const poll = startPoll(client, await client.create());
    const claimed = await second.request({ janus: 'claim', session_id: session });
    assert.equal(claimed.janus, 'success');
    await second.until((one) => one.plugindata?.data.body === 'to nobody yet', 'what nobody had fetched');
    assert.ok(second.received.indexOf(claimed) < second.received.length - 1);
    await say(speaker, mouth, 'to the second socket');
    await second.until((one) => one.plugindata?.data.body === 'to the second socket', 'the event after the claim');
    assert.equal((await client.ask('GET', `/${session}`)).status, 404);
    assert.deepEqual(await (await poll).answer, KEEPALIVE);
    const heard = first.received.map((one) => one.plugindata?.data.body).filter((body) => body !== undefined);
    assert.deepEqual(heard, ['to the first socket']);
  });

  test('releases the poll of a session that a WebSocket claims', (t) =>
    shownOnce(t, async () => {
      const [client, socket] = [server.rest(), await server.ws()];
      const session = await client.create();
      const poll = await startPoll(client, session);
      const started = performance.now();
      await socket.request({ janus: 'claim', session_id: session });
      assert.deepEqual(await poll.answer, KEEPALIVE);
      limit(performance.now() - started < 500, 'no sooner than by its time');
    }));

  test('claiming over HTTP what HTTP owns changes nothing: what waits is still there', async () => {
    const client = server.rest();
    const handle = await client.join('again', 'ann');
    await client.toHandle(handle, { janus: 'message', transaction: 'waits', body: { kind: 'data', body: 'x' } });
    assert.equal((await client.post(`/${handle.session}`, { janus: 'claim' })).janus, 'success');
    assert.equal((await client.event(handle.session)).transaction, 'waits');
  });
});

describe('HTTP sessions that end by themselves', () => {
  const server = usingServer({ SESSION_TIMEOUT: '2', RECLAIM_SESSION_TIMEOUT: '30', HTTP_POLL_TIMEOUT: '20' });

  test('tell the poll that waits, and then are unknown', async () => {
    const client = server.rest();
    const session = await client.create();
    const started = performance.now();
    assert.deepEqual(await client.event(session), { janus: 'timeout', session_id: session });
    const elapsed = performance.now() - started;
    assert.ok(elapsed > 1900 && elapsed < 8000, `after ${Math.round(elapsed)} ms`);
    assert.equal((await client.ask('GET', `/${session}`)).status, 404);
  });

  test('bring what came while their WebSocket was away to the HTTP client that claims them', async () => {
    const [client, away, speaker] = [server.rest(), await server.ws(), await server.ws()];
    const handle = await away.join('away', 'ann', { notifications: true, data: true });
    const mouth = await speaker.join('away', 'bob', { data: true });
    away.socket.terminate();
    await once(away.socket, 'close');
    // The server sees the end of the connection a little later: what it sent until then is lost.
    const said = ['1', '2', '3', '4'];
    for (const body of said) await speaker.message(mouth, { kind: 'data', body });
    assert.equal((await client.post(`/${handle.session}`, { janus: 'claim' })).janus, 'success');
    const kept = (await client.events(handle.session)).map((event) => dataOf(event).body);
    const bodies = kept.filter((body) => body !== undefined);
    assert.ok(bodies.length > 0);
    assert.deepEqual(bodies, said.slice(-bodies.length));
  });
});

describe('HTTP with a secret and an origin', () => {
  const origin = 'https://app.example';
  const server = usingServer({ API_SECRET: 's3cret', ALLOW_ORIGIN: origin, ENFORCE_CORS: 'true' });

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
});

describe('HTTP sessions of one address', () => {
  const server = usingServer({ HTTP_SESSIONS_PER_ADDRESS: '3' });

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

describe('two thousand long polls', () => {
  const many = '1000000';
  const server = usingServer({
    HTTP_SESSIONS_PER_ADDRESS: many,
    HTTP_REQUEST_RATE: many,
    HTTP_REQUEST_BURST: many,
    SESSION_TIMEOUT: '0',
  });

  test('W11: are as many as there may be connections; the others get 503, and their place when the first ones go', async () => {
    const client = server.rest();
    const sessions: number[] = [];
    while (sessions.length < 2000) {
      sessions.push(...(await Promise.all(Array.from({ length: 40 }, () => client.create()))));
    }
    client.close();
    const abort = new AbortController();
    let refused = 0;
    let others = 0;
    const polls = new Agent();
    const allRefused = new Promise<void>((resolve) => {
      for (const session of sessions) {
        client.ask('GET', `/${session}`, { agent: polls, signal: abort.signal }).then(
          ({ status }) => {
            if (status === 503) refused += 1;
            else others += 1;
            if (refused + others >= 980) resolve();
          },
          () => {},
        );
      }
    });
    await allRefused;
    assert.deepEqual({ refused, others }, { refused: 980, others: 0 });
    abort.abort();
    polls.destroy();
    // The first request after that may still be one too many.
    let status = 503;
    while (status === 503) ({ status } = await client.ask('GET', '/ping', { agent: new Agent() }));
    assert.equal(status, 200);
    const served = await Promise.all(
      sessions.slice(0, 200).map(async (session) => {
        const poll = client.event(session);
        await client.post(`/${session}`, { janus: 'destroy' });
        return poll.catch((error) => String(error));
      }),
    );
    // Either the poll came first and was released, or the session's end did.
    for (const one of served) assert.match(JSON.stringify(one), /keepalive|answered with 404/);
  });
});

describe('a server with long polls that ends', () => {
  test('answers them, and ends with code 0', async () => {
    const server = await startServer();
    const client = new RestClient(`${server.httpUrl}/janus`);
    const session = await client.create();
    const poll = await startPoll(client, session);
    const started = performance.now();
    const code = server.stop();
    assert.deepEqual(await poll.answer, KEEPALIVE);
    client.close();
    assert.equal(await code, 0);
    assert.ok(performance.now() - started < 15_000);
  });
});

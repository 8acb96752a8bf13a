/** The REST transport on a real socket, with a service that does what a test tells it to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { HttpListener } from '../../src/http/listener.js';
import type { Connection, Service } from '../../src/janus/connection.js';
import { type PollService, type RestSettings, RestTransport } from '../../src/janus/transports/rest.js';
import { sendRaw } from '../support/raw-http.js';
import { RestClient } from '../support/rest-client.js';

type Request = { connection: Connection; fields: Record<string, unknown>; reply: (message: object) => void };

/** Hands every request to a function; every poll of session 5 is welcome. */
class TinyService implements Service, PollService {
  readonly overflown: Connection[] = [];
  /** Calls when a poll has been let in. */
  onPoll = () => {};
  /** Whoever sent the last `create`. */
  creator: Connection | null = null;
  readonly #serve: (request: Request) => void;

  constructor(serve: (request: Request) => void) {
    this.#serve = serve;
  }

  request(connection: Connection, document: unknown, reply: (message: object) => void): void {
    const fields = document as Record<string, unknown>;
    if (fields.janus === 'create') this.creator = connection;
    this.#serve({ connection, fields, reply });
  }

  poll(_connection: Connection, sessionId: number): 'ok' | 'unknown' {
    setImmediate(() => this.onPoll());
    return sessionId === 5 ? 'ok' : 'unknown';
  }

  overflow(connection: Connection): void {
    this.overflown.push(connection);
    connection.lost?.(5);
  }

  receive(): number {
    throw new Error('no WebSocket here');
  }

  disconnect(): void {}

  hasSession(): boolean {
    return false;
  }
}

/** @param serve by default makes session 5 at once */
async function serving(t: TestContext, change: Partial<RestSettings> = {}, serve = welcome, polls = true) {
  const settings: RestSettings = {
    base: '/janus',
    allowOrigin: undefined,
    enforce: false,
    requestRate: 1000,
    requestBurst: 1000,
    sessionsPerAddress: 10,
    eventsMax: 2,
    eventBytesMax: 1000,
    pollTimeout: 5000,
    bodyBytesMax: 1024,
    replyTimeout: 200,
    ...change,
  };
  const said: string[] = [];
  const service = new TinyService(serve);
  const rest = new RestTransport(settings, service, polls ? service : null, (_level, message) => said.push(message));
  const limits = { connectionsMax: 100, stillTimeout: 60_000 };
  const listener = new HttpListener({ host: '127.0.0.1', port: 0, ...limits }, () => {});
  listener.mount(settings.base, rest.handler);
  const client = new RestClient(`http://127.0.0.1:${await listener.listen()}${settings.base}`);
  t.after(async () => {
    client.close();
    rest.close();
    await listener.close();
  });
  return { rest, service, client, said };
}

function welcome({ connection, fields, reply }: Request): void {
  if (fields.janus === 'create') connection.gained?.(5);
  reply({ janus: 'success', connection: connection.id, ...fields });
}

describe('the REST transport', () => {
  test('answers with an error when the API has no reply in time, and drops the one that comes later', async (t) => {
    let late = () => {};
    const { client, rest } = await serving(t, {}, ({ reply }) => {
      late = () => reply({ janus: 'late' });
    });
    const reply = await client.post('/7', { janus: 'attach', transaction: 'a' });
    assert.deepEqual(
      { ...reply, error: { code: reply.error?.code } },
      { janus: 'error', session_id: 7, transaction: 'a', error: { code: 490 } },
    );
    assert.match(reply.error?.reason ?? '', /no reply within 0\.2 s/);
    late();
    assert.equal(rest.counters.repliesMissing, 1);
    assert.equal((await client.ask('GET', '')).status, 404);
  });

  test('answers with an error when the API throws, and says so in the log', async (t) => {
    const { client, said } = await serving(t, {}, () => {
      throw new Error('broken');
    });
    const { error } = await client.post('', { janus: 'create' });
    assert.equal(error?.code, 490);
    assert.doesNotMatch(error?.reason ?? '', /broken/);
    assert.deepEqual(said, ['a request failed']);
  });

  test('gives the API one client for each session, and a stranger for whatever has none', async (t) => {
    const { client } = await serving(t);
    const ids: unknown[] = [];
    for (const [path, janus] of [
      ['', 'ping'],
      ['', 'create'],
      ['/5', 'keepalive'],
      ['/5/6', 'message'],
      ['', 'claim'],
      ['/6', 'keepalive'],
      ['', 'create'],
    ] as const) {
      const session = janus === 'claim' ? { session_id: 5 } : {};
      ids.push((await client.post(path, { janus, ...session })).connection);
    }
    assert.deepEqual(ids, [1, 2, 2, 2, 2, 3, 4]);
  });

  test('tells the API where a client is, and which room its URL names', async (t) => {
    const { client } = await serving(t, {}, ({ connection: { send, gained, lost, ...rest }, reply }) => {
      const { address, loopback, room, transport } = rest as Connection;
      reply({ address, loopback, room, transport });
    });
    const facts = { address: '127.0.0.1', loopback: true, transport: 'janus.transport.http' };
    assert.deepEqual(await client.post('', { janus: 'create' }), { ...facts, room: null });
    assert.deepEqual(await client.post('?room=caf%C3%A9', { janus: 'create' }), { ...facts, room: 'café' });
    assert.deepEqual(await client.post(`?room=${'a'.repeat(300)}`, { janus: 'create' }), { ...facts, room: null });
  });

  test('counts a session until it is lost, and then knows nothing of it', async (t) => {
    const { client, rest, service } = await serving(t);
    await client.post('', { janus: 'create' });
    assert.equal(rest.sessions, 1);
    service.creator?.lost?.(5);
    assert.equal(rest.sessions, 0);
    const kept = (await client.post('/5', { janus: 'keepalive' })).connection;
    assert.equal(kept, 2);
  });

  test('gives an address no more sessions than it may have, in the order of the API’s checks', async (t) => {
    let sessions = 0;
    const { client, rest } = await serving(t, { sessionsPerAddress: 2 }, ({ connection, fields, reply }) => {
      if (fields.janus === 'create') {
        sessions += 1;
        connection.gained?.(sessions);
      }
      reply({ janus: 'success' });
    });
    for (const _ of [1, 2]) assert.equal((await client.post('', { janus: 'create' })).janus, 'success');
    const refused = await client.post('', { janus: 'CREATE', transaction: 'c' });
    assert.equal(refused.error?.code, 472);
    assert.match(refused.error?.reason ?? '', /2 sessions, the most allowed/);
    assert.equal(refused.transaction, 'c');
    assert.equal((await client.post('', { janus: 'claim', session_id: 99 })).error?.code, 472);
    // What is no request is the API's to refuse, and what the address has it may use.
    assert.equal((await client.post('', { janus: 'create', transaction: 5 })).janus, 'success');
    assert.equal((await client.post('', { janus: 'claim', session_id: 1 })).janus, 'success');
    assert.equal(rest.counters.sessionsRefused, 2);
  });

  test('has the session ended when more events wait than are kept, and frees what it knew', async (t) => {
    const { rest, service, client } = await serving(t);
    await client.post('', { janus: 'create' });
    const connection = service.creator;
    assert.ok(connection);
    for (const n of [1, 2]) connection.send({ n });
    assert.deepEqual(service.overflown, []);
    connection.send({ n: 3 });
    assert.deepEqual(service.overflown, [connection]);
    assert.equal(rest.counters.queuesOverflowed, 1);
    assert.equal(rest.sessions, 0);
  });

  test('forgets a poll whose client has gone, with its timer, and keeps the event for the next', async (t) => {
    const { rest, service, client } = await serving(t);
    await client.post('', { janus: 'create' });
    const waiting = new Promise<void>((resolve) => {
      service.onPoll = resolve;
    });
    const abort = new AbortController();
    const gone = client.ask('GET', '/5', { signal: abort.signal });
    gone.catch(() => {});
    await waiting;
    assert.equal(rest.waitingPolls, 1);
    abort.abort();
    await assert.rejects(gone);
    // The server learns of it a moment later; a request that is answered meanwhile says that it has.
    for (let pings = 0; rest.waitingPolls > 0 && pings < 200; pings += 1) await client.ask('GET', '/ping');
    assert.equal(rest.waitingPolls, 0);
    service.creator?.send({ n: 1 });
    assert.deepEqual(await client.event(5), { n: 1 });
  });

  test('delays a busy address, refuses it with 429 far beyond, and serves the others meanwhile', async (t) => {
    const { client, rest } = await serving(t, { requestRate: 20, requestBurst: 5 });
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 240 }, () => client.ask('GET', '/ping')));
    const statuses = answers.map(({ status }) => status);
    assert.ok(performance.now() - started > 1500);
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(statuses.filter((status) => status === 200).length >= 45);
    assert.ok(refused.length >= 15 && refused.length === rest.counters.requestsRefused);
    assert.equal(refused[0]?.headers['retry-after'], '1');
    assert.match(refused[0]?.text ?? '', /"code":450,"reason":"Too many requests from this address/);
    assert.ok(rest.counters.requestsDelayed >= 40);
  });

  test('answers a body that is too long with 413, announced or not, and keeps serving', async (t) => {
    const { client, rest } = await serving(t);
    const fits = JSON.stringify({ janus: 'ping' }).padEnd(1024);
    assert.equal((await client.ask('POST', '', { body: fits })).status, 200);
    const long = `${fits} `;
    const chunked = { 'Transfer-Encoding': 'chunked' };
    for (const headers of [{}, chunked]) {
      const answer = await client.ask('POST', '', { body: long, headers });
      assert.equal(answer.status, 413);
      assert.equal(answer.headers.connection, 'close');
      assert.match(answer.text, /"code":450,"reason":"The request is longer than 1024 bytes"/);
    }
    assert.equal(rest.counters.bodiesRefused, 2);
    assert.equal((await client.ask('GET', '/ping')).status, 200);
  });

  test('does not read on when a body is much too long', async (t) => {
    const { client } = await serving(t);
    const announced = await client.ask('POST', '', { headers: { 'Content-Length': 1e9 }, body: 'x' });
    assert.equal(announced.status, 413);
    const endless = client.ask('POST', '', { headers: { 'Transfer-Encoding': 'chunked' }, body: Buffer.alloc(1e6) });
    // The answer may come, or be lost because the connection ends while the client still writes.
    const status = await endless.then(
      (answer) => answer.status,
      () => 413,
    );
    assert.equal(status, 413);
  });

  test('does not read the body of what it refuses: the connection ends with the answer', async (t) => {
    const { client } = await serving(t);
    const port = Number(new URL(client.base).port);
    for (const line of ['PUT /janus', 'POST /janus/info', 'POST /janus/1/2/3', 'DELETE /janus', 'GET /janus']) {
      const answer = await sendRaw(port, `${line} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nand no more`);
      assert.match(answer, /^HTTP\/1\.1 \d{3} [\s\S]*\r\nConnection: close\r\n/, line);
    }
  });

  test('keeps the connection of a client whose body came along with what it refuses', async (t) => {
    const { client } = await serving(t);
    const port = Number(new URL(client.base).port);
    const post = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`;
    const last = 'GET /janus HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    for (const [path, status] of [
      ['/janus/info', 400],
      ['/janus/1/2/3', 404],
    ] as const) {
      const answers = await sendRaw(port, post(path) + last);
      assert.match(answers, new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*\\r\\n\\r\\nHTTP/1\\.1 404 `));
      assert.equal(answers.match(/Connection: close/g)?.length, 1);
    }
  });

  test('frees a request whose client has gone before its body came', async (t) => {
    const { client } = await serving(t, {}, () => assert.fail('half a request was served'));
    const { port } = new URL(client.base);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /janus HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"janus":"create"}');
    socket.end();
    socket.resume();
    await once(socket, 'close');
    assert.equal((await client.ask('GET', '')).status, 404);
  });

  test('without events has no long polls: every GET but info and ping is a request without content', async (t) => {
    const { client } = await serving(t, { base: '/admin' }, welcome, false);
    for (const path of ['', '/', '/5', '/5/6']) {
      const { status, text } = await client.ask('GET', path);
      assert.equal(status, 200, path);
      assert.deepEqual(JSON.parse(text), {
        janus: 'error',
        error: { code: 454, reason: 'Request payload missing' },
      });
    }
    const { text } = await client.ask('GET', '/info');
    assert.match(text, /^\{"janus":"info","connection":1,"transaction":"[A-Za-z0-9]{12}"\}$/);
    assert.equal((await client.post('/5/6', { janus: 'handle_info' })).handle_id, 6);
    assert.equal((await client.ask('GET', '/5/6/7')).status, 404);
  });
});

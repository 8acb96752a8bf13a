import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { HttpListener, type HttpListenerSettings } from '../../src/http/listener.js';
import { limit, shownOnce } from '../support/attempts.js';
import { sendRaw } from '../support/raw-http.js';

const HOST = '127.0.0.1';

/** A listener with handlers that say which of them was asked; `/wait` answers when told. */
async function listening(change: Partial<HttpListenerSettings> = {}) {
  const settings = { host: HOST, port: 0, connectionsMax: 4, stillTimeout: 60_000, ...change };
  const listener = new HttpListener(settings, () => {});
  const waiting: (() => void)[] = [];
  let onWait = () => {};
  for (const path of ['/', '/api', '/api/deeper']) {
    listener.mount(path, (request, response) => {
      request.resume();
      response.end(path);
    });
  }
  listener.mount('/wait', (_request, response) => {
    waiting.push(() => response.end('at last'));
    onWait();
  });
  const port = await listener.listen();
  /** Resolves when so many requests wait. */
  const waits = (count: number) =>
    new Promise<void>((resolve) => {
      onWait = () => waiting.length >= count && resolve();
      onWait();
    });
  return { listener, port, waiting, waits };
}

async function text(response: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  return body;
}

/** A request on a connection of its own. */
async function ask(port: number, path: string) {
  const [response] = (await once(get({ host: HOST, port, path, agent: false }), 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('the HTTP listener', () => {
  let server: Awaited<ReturnType<typeof listening>>;
  before(async () => {
    server = await listening({ headersTimeout: 300, requestTimeout: 600 });
  });
  after(() => server.listener.close());

  test('asks the handler with the longest path that holds the request’s', async () => {
    for (const [path, handler] of [
      ['/', '/'],
      ['/api', '/api'],
      ['http://x.example:80/api', '/api'],
      ['HTTPS://x/api?y', '/api'],
      ['http://x', '/'],
      ['http://x/http://y/api', '/'],
      ['/api/', '/api'],
      ['/api?x=/api/deeper', '/api'],
      ['/api/x', '/api'],
      ['/apix', '/'],
      ['/api/deeper/still', '/api/deeper'],
      ['/x/api', '/'],
    ] as const) {
      assert.equal((await ask(server.port, path)).body, handler, path);
    }
  });

  test('W15: answers what is ambiguous or no HTTP with 4xx, and closes the connection', async () => {
    const post = 'POST /api HTTP/1.1\r\nHost: x\r\n';
    const cases: [string, string, RegExp][] = [
      ['two lengths', `${post}Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde`, /^HTTP\/1\.1 400 /],
      ['two equal lengths', `${post}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`, /^HTTP\/1\.1 400 /],
      [
        'length and chunks',
        `${post}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        /^HTTP\/1\.1 400 /,
      ],
      ['chunks that are not last', `${post}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, /^HTTP\/1\.1 400 /],
      ['a negative length', `${post}Content-Length: -1\r\n\r\n`, /^HTTP\/1\.1 400 /],
      ['a length with a sign', `${post}Content-Length: +3\r\n\r\nabc`, /^HTTP\/1\.1 400 /],
      ['a chunk that is no number', `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n`, /^HTTP\/1\.1 [24]00 /],
      ['a space before the colon', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['a folded header', 'GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['a bare line feed in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\nX: y\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['no host', 'GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['an unknown method', 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['a lower-case method', 'get / HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['another version', 'GET / HTTP/3.7\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', /^HTTP\/1\.1 400 /],
      ['a huge header', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
      ['a huge path', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ];
    for (const [what, bytes, expected] of cases) {
      const before = server.listener.counters.requestsUnreadable;
      const answer = await sendRaw(server.port, bytes);
      assert.match(answer, expected, what);
      assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, `${what}: one answer`);
      // A missing host is the only one of these that is a request.
      if (what !== 'no host') assert.equal(server.listener.counters.requestsUnreadable, before + 1, what);
    }
  });

  test('W15: takes no second request out of the body of the first', async () => {
    const smuggled = 'GET /api/deeper HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const answer = await sendRaw(
      server.port,
      `POST /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    );
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
    assert.ok(answer.endsWith('/api'));
  });

  test('closes a connection that asks for a tunnel or for another protocol’s', async () => {
    assert.equal(await sendRaw(server.port, 'CONNECT elsewhere:80 HTTP/1.1\r\nHost: x\r\n\r\n'), '');
    const upgrade = 'GET /api HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n';
    assert.match(await sendRaw(server.port, upgrade), /^HTTP\/1\.1 200 /);
  });

  test('W6: cuts off who never finishes headers or body, with 408, and nobody who waits for an answer', async () => {
    const patient = ask(server.port, '/wait');
    await server.waits(1);
    for (const bytes of [
      'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ',
      'POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc',
      '',
    ]) {
      const started = performance.now();
      const answer = await sendRaw(server.port, bytes);
      // The second one has an answer due, of its handler: a 408 in its place would be taken for that.
      assert.match(answer, bytes.startsWith('POST') ? /^$/ : /^HTTP\/1\.1 408 /, JSON.stringify(bytes));
      assert.ok(performance.now() - started < 10_000);
    }
    assert.ok(server.listener.counters.requestsSlow >= 3);
    server.waiting[0]?.();
    assert.equal((await patient).body, 'at last');
  });

  test('W6: drips of a header don’t buy time', async () => {
    const socket = connect(server.port, HOST);
    await once(socket, 'connect');
    const started = performance.now();
    const drip = setInterval(() => socket.write('X-A: b\r\n'), 50);
    socket.on('error', () => {}).resume();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
    await once(socket, 'close');
    clearInterval(drip);
    assert.ok(performance.now() - started < 10_000);
  });
});

describe('the HTTP listener at its limits', () => {
  test('W11: answers the requests of connections that are too many with 503, and serves again when there are fewer', async () => {
    const { listener, port, waiting, waits } = await listening();
    const served = Array.from({ length: 4 }, () => ask(port, '/wait'));
    await waits(4);
    const refused = await Promise.all([ask(port, '/'), ask(port, '/wait')]);
    for (const { status, headers } of refused) {
      assert.equal(status, 503);
      assert.equal(headers.connection, 'close');
      assert.equal(headers['retry-after'], '5');
    }
    assert.equal(listener.counters.connectionsRefused, 2);
    for (const answer of waiting) answer();
    assert.ok((await Promise.all(served)).every(({ status }) => status === 200));
    assert.equal((await ask(port, '/')).status, 200);
    await listener.close();
  });

  test('makes room by closing connections that are kept for a next request', async () => {
    const { listener, port } = await listening({ connectionsMax: 2 });
    const agent = new Agent({ keepAlive: true });
    const idle = await Promise.all(
      [1, 2].map(async () => {
        const [response] = (await once(get({ host: HOST, port, path: '/', agent }), 'response')) as [IncomingMessage];
        const closed = once(response.socket, 'close');
        await text(response);
        return { closed };
      }),
    );
    assert.equal(listener.connections, 2);
    assert.equal((await ask(port, '/')).status, 503);
    await Promise.all(idle.map(({ closed }) => closed));
    assert.equal((await ask(port, '/')).status, 200);
    agent.destroy();
    await listener.close();
  });

  test('cuts connections without a word only when there are twice as many as allowed', async () => {
    const { listener, port } = await listening({ connectionsMax: 2 });
    const sockets = Array.from({ length: 8 }, () => connect(port, HOST).on('error', () => {}));
    const closed = sockets.map((socket) => once(socket.resume(), 'close'));
    await Promise.race(closed);
    assert.ok(listener.connections <= 4);
    assert.ok(listener.counters.connectionsCut >= 1);
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
    await listener.close();
  });

  test('cuts a connection that sends request after request without waiting for an answer', async () => {
    const { listener, port } = await listening();
    const one = 'GET /wait HTTP/1.1\r\nHost: x\r\n\r\n';
    assert.equal(await sendRaw(port, one.repeat(1000)), '');
    assert.equal(listener.counters.pipelinesCut, 1);
    assert.equal(listener.connections, 0);
    await listener.close();
  });

  test('drops a connection that stands still for longer than any answer takes', async () => {
    const { listener, port } = await listening({ stillTimeout: 200 });
    assert.equal(await sendRaw(port, 'GET /wait HTTP/1.1\r\nHost: x\r\n\r\n'), '');
    await listener.close();
  });

  test('ends at once wherever the end of its idle connections falls between the two steps', async () => {
    for (const ticks of [0, 1, 2, 3, 5, 8]) {
      const { listener, port } = await listening();
      const agent = new Agent({ keepAlive: true });
      await text(((await once(get({ port, host: HOST, agent }), 'response')) as [IncomingMessage])[0]);
      listener.stopAccepting();
      for (let tick = 0; tick < ticks; tick += 1) await new Promise<void>((resolve) => process.nextTick(resolve));
      const ended = listener.close().then(() => 'ended');
      const limited = AbortSignal.timeout(5_000);
      const late = once(limited, 'abort').then(() => 'late');
      assert.equal(await Promise.race([ended, late]), 'ended', `${ticks} ticks later`);
      agent.destroy();
    }
  });

  test('ends with the answers that are due, and says that the connection closes', (t) =>
    shownOnce(t, async () => {
      const { listener, port, waiting, waits } = await listening();
      const last = ask(port, '/wait');
      await waits(1);
      listener.stopAccepting();
      await assert.rejects(ask(port, '/'), /ECONNREFUSED/);
      waiting[0]?.();
      const started = performance.now();
      await listener.close();
      const took = performance.now() - started;
      assert.equal((await last).body, 'at last');
      // Where it waited for the connection to end by itself, it would be the second that an open answer has.
      limit(took < 500, `${took} ms`);
    }));

  test('ends in a second although an answer is still due', async () => {
    const { listener, port, waits } = await listening();
    const never = ask(port, '/wait');
    never.catch(() => {});
    await waits(1);
    const started = performance.now();
    await listener.close();
    const elapsed = performance.now() - started;
    assert.ok(elapsed > 900 && elapsed < 5000);
    await assert.rejects(never);
  });

  test('says why it can not start', async () => {
    const { listener, port } = await listening();
    const second = new HttpListener({ host: HOST, port, connectionsMax: 1, stillTimeout: 1000 }, () => {});
    await assert.rejects(second.listen(), /EADDRINUSE/);
    await listener.close();
  });
});

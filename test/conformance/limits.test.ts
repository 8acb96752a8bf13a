/** What a client may ask of the server, and what happens beyond (threats.md W1 to W14, R2, R6). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { limit, shownOnce } from '../support/attempts.js';
import { JanusClient, refusalOf } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

let server: RunningServer;
/** One whose patience is short enough for a test. */
let impatient: RunningServer;
before(async () => {
  server = await startServer({
    env: { MAX_ROOM_SIZE: '30', MAX_CCU: '40', WS_CONNECTIONS_PER_ADDRESS: '120', BLOCKS_PER_USER: '20' },
  });
  impatient = await startServer({
    env: { SESSION_TIMEOUT: '2', WS_IDLE_TIMEOUT: '1', WS_PING_INTERVAL: '1', WS_PONG_TIMEOUT: '1' },
  });
});
after(async () => {
  for (const one of [server, impatient]) assert.equal(await one.stop(), 0, one.output());
});

/** Waits for the close of a connection that the server ends. Returns the close code. */
async function closed(socket: WebSocket): Promise<number> {
  if (socket.readyState === WebSocket.CLOSED) return -1;
  const [code] = await once(socket, 'close');
  return Number(code);
}

async function works(): Promise<void> {
  const client = await JanusClient.connect(server.wsUrl);
  assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
  await client.close();
}

/** A handshake written by hand. */
async function rawHandshake(): Promise<Socket> {
  const socket = connect(Number(new URL(server.wsUrl).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: janus-protocol\r\n\r\n',
  );
  await once(socket, 'data');
  return socket;
}

describe('the handshake', () => {
  const attempt = async (protocols: string[], path = '/'): Promise<string> => {
    const socket = new WebSocket(server.wsUrl + path, protocols);
    return new Promise((resolve) => {
      socket.on('open', () => {
        resolve(`open ${socket.protocol}`);
        socket.terminate();
      });
      socket.on('unexpected-response', (_request, response) => {
        resolve(String(response.statusCode));
        socket.terminate();
      });
      socket.on('error', () => {});
    });
  };

  test('needs the subprotocol janus-protocol, in whatever place of the list, on any path', async () => {
    assert.equal(await attempt(['janus-protocol']), 'open janus-protocol');
    assert.equal(await attempt(['foo', 'janus-protocol'], '/any/path?room=x'), 'open janus-protocol');
    for (const wrong of [[], ['chat'], ['janus-admin-protocol']]) assert.equal(await attempt(wrong), '400');
  });

  test('that is none gets 403', async () => {
    const asked = request(server.wsUrl.replace('ws:', 'http:')).end();
    const [response] = await once(asked, 'response');
    response.resume();
    assert.equal(response.statusCode, 403);
  });
});

describe('a message', () => {
  test('of 128 KiB is taken, a longer one closes the connection with 1009', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const frame = { janus: 'ping', pad: '' };
    const room = 131_072 - JSON.stringify({ transaction: 't1', ...frame }).length;
    assert.equal((await client.request({ ...frame, pad: 'x'.repeat(room) })).janus, 'pong');
    client.send({ ...frame, pad: 'x'.repeat(131_073) });
    assert.equal(await closed(client.socket), 1009);
    await works();
  });

  test('in more than 64 fragments closes the connection', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const code = closed(client.socket);
    for (let index = 0; index < 200 && client.socket.readyState === WebSocket.OPEN; index += 1) {
      client.socket.send('', { fin: false });
    }
    assert.equal(await code, 1008);
    await works();
  });

  test('that breaks the rules of WebSocket closes only its own connection', async () => {
    const frames = {
      'not masked': Buffer.from([0x81, 0x02, 0x7b, 0x7d]),
      'reserved bits': Buffer.from([0xf1, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]),
      'no UTF-8': Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff]),
    };
    for (const bytes of Object.values(frames)) {
      const socket = await rawHandshake();
      socket.resume();
      socket.write(bytes);
      await once(socket, 'close');
    }
    await works();
  });
});

describe('a connection', () => {
  test('that reads nothing is dropped at 1 MiB of backlog, and the others never wait', async () => {
    const slow = await JanusClient.connect(server.wsUrl);
    const other = await JanusClient.connect(server.wsUrl);
    await slow.join('slow', 'slow-reader', { data: true });
    const talker = await other.join('slow', 'talker', { data: true });
    slow.socket.pause();
    const body = 'x'.repeat(100_000);
    let longest = 0;
    for (let index = 0; index < 150; index += 1) {
      const started = performance.now();
      await other.message(talker, { kind: 'data', body, whom: 'slow-reader' });
      longest = Math.max(longest, performance.now() - started);
    }
    slow.socket.resume();
    assert.equal(await closed(slow.socket), 1006);
    assert.ok(longest < 4000, `a message took ${longest} ms`);
    await other.close();
  });

  test('that asks too much is served at 100 requests a second, after 200 at once', (t) =>
    shownOnce(t, async () => {
      const client = await JanusClient.connect(server.wsUrl);
      const other = await JanusClient.connect(server.wsUrl);
      const started = performance.now();
      for (let index = 0; index < 300; index += 1) client.send({ janus: 'ping', transaction: `f${index}` });
      await other.request({ janus: 'ping' });
      const others = performance.now() - started;
      await client.until((one) => one.transaction === 'f199', 'the burst');
      await client.until((one) => one.transaction === 'f299', 'the rest');
      assert.ok(performance.now() - started >= 900, 'the rest was not slowed down');
      await client.close();
      await other.close();
      limit(others < 900, `somebody else waited ${others} ms`);
    }));

  test('that floods does not make the others wait', { timeout: 90_000 }, (t) =>
    shownOnce(t, async () => {
      const flooder = await JanusClient.connect(server.wsUrl);
      const flooded = await flooder.join('flood', 'flooder', { data: true });
      const others = await Promise.all(Array.from({ length: 10 }, () => JanusClient.connect(server.wsUrl)));
      const session_id = flooded.session;
      for (let index = 0; index < 20_000; index += 1) {
        flooder.send({ janus: 'keepalive', transaction: `f${index}`, session_id });
      }
      const waits: number[] = [];
      const begun = performance.now();
      for (let round = 0; round < 100; round += 1) {
        const started = performance.now();
        await Promise.all(others.map((other) => other.request({ janus: 'ping' })));
        waits.push(performance.now() - started);
      }
      const served = flooder.received.length;
      const seconds = (performance.now() - begun) / 1000;
      for (const client of [flooder, ...others]) client.socket.terminate();
      waits.sort((a, b) => a - b);
      // A round is as slow as its slowest reply of ten; what this process itself does in between counts as well.
      assert.ok(served < 400 + 110 * seconds, `${served} requests of the flood were served in ${seconds} s`);
      limit((waits.at(-10) ?? 0) < 100, `the others waited ${waits.slice(-12)} ms`);
    }),
  );

  test('that never makes a session is closed when it asks for nothing', async () => {
    const client = await JanusClient.connect(impatient.wsUrl);
    assert.equal(await closed(client.socket), 1008);
  });

  test('that answers no pings is dropped, and its session ends with it', async () => {
    const watcher = await JanusClient.connect(impatient.wsUrl);
    const room = await watcher.join('dead', 'watcher', { data: true, notifications: true });
    const keep = setInterval(
      () => watcher.send({ janus: 'keepalive', session_id: room.session, transaction: 'k' }),
      500,
    );
    const dead = new WebSocket(impatient.wsUrl, 'janus-protocol', { autoPong: false });
    await once(dead, 'open');
    const say = async (message: object) => {
      dead.send(JSON.stringify({ transaction: 'x', ...message }));
      const [data] = await once(dead, 'message');
      return JSON.parse(String(data));
    };
    const session = (await say({ janus: 'create' })).data.id;
    const handle = (await say({ janus: 'attach', session_id: session, plugin: 'janus.plugin.sfu' })).data.id;
    const body = { kind: 'join', room_id: 'dead', user_id: 'dead', subscribe: { data: true } };
    await say({ janus: 'message', session_id: session, handle_id: handle, body });
    assert.equal(await closed(dead), 1006);
    await watcher.until((one) => one.plugindata?.data.event === 'leave', 'leave');
    clearInterval(keep);
    await watcher.close();
  });

  test('has at most 16 sessions, and 64 handles that have not joined', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const sessions = [];
    for (let index = 0; index < 16; index += 1) sessions.push(await client.create());
    const refused = await client.request({ janus: 'create' });
    assert.deepEqual(refused.error, { code: 472, reason: 'This connection has 16 sessions, the most allowed' });
    for (let index = 0; index < 64; index += 1) await client.attach(sessions[index % 16] ?? 0);
    const attach = { janus: 'attach', session_id: sessions[0], plugin: 'janus.plugin.sfu' };
    const full = await client.request(attach);
    assert.equal(full.error?.code, 461);
    assert.match(full.error?.reason ?? '', /64 handles that have not joined/);
    await client.close();
  });
});

describe('an address', () => {
  test('has at most so many connections; the next one gets 503 until one of them goes', async () => {
    const clients = [];
    for (let index = 0; index < 120; index += 1) clients.push(await JanusClient.connect(server.wsUrl));
    const refused = new WebSocket(server.wsUrl, 'janus-protocol');
    refused.on('error', () => {});
    const [, response] = await once(refused, 'unexpected-response');
    assert.equal(response.statusCode, 503);
    refused.terminate();
    await Promise.all(clients.map((client) => client.close()));
    await works();
  });
});

describe('a session', () => {
  test('without requests times out with an event; its connection stays and may start over', async () => {
    const client = await JanusClient.connect(impatient.wsUrl);
    const session = await client.create();
    const event = await client.until((one) => one.janus === 'timeout', 'timeout');
    assert.deepEqual(event, { janus: 'timeout', session_id: session });
    const late = await client.request({ janus: 'keepalive', session_id: session });
    assert.equal(late.error?.code, 458);
    await client.create();
    await client.close();
  });
});

describe('rooms', () => {
  test('never hold more than they may, however many come at once', async () => {
    const arrivals = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const client = await JanusClient.connect(server.wsUrl);
        const handle = await client.attach(await client.create());
        const body = { kind: 'join', room_id: 'crowd', user_id: `c${index}`, subscribe: { data: true } };
        return { client, reply: await client.message(handle, body) };
      }),
    );
    const refusals = arrivals.map(({ reply }) => refusalOf(reply));
    assert.equal(refusals.filter((one) => one === null).length, 30);
    assert.ok(refusals.every((one) => one === null || one === 'Room is full.'));
    await Promise.all(arrivals.map(({ client }) => client.close()));
  });

  test('are empty again after everybody left, so that as many can come', async () => {
    for (let round = 0; round < 3; round += 1) {
      const client = await JanusClient.connect(server.wsUrl);
      for (let index = 0; index < 16; index += 1) await client.join('turns', `t${round}-${index}`, { data: true });
      await client.close();
    }
  });
});

describe('blocks', () => {
  test('are bounded for each user, with a clear refusal', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const handle = await client.join('spam', 'spammer', { data: true });
    for (let index = 0; index < 20; index += 1) {
      assert.equal(refusalOf(await client.message(handle, { kind: 'block', whom: `victim${index}` })), null);
    }
    const refused = await client.message(handle, { kind: 'block', whom: 'one more' });
    assert.match(refusalOf(refused) ?? '', /You have blocked 20 users, the most allowed/);
    await client.close();
  });
});

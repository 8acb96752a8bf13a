/** What a client may do to a WebSocket, and what happens beyond (threats.md W1 to W7, W10, W14). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { limit, shownOnce } from '../support/attempts.js';
import { JanusClient } from '../support/janus-client.js';
import { sendRaw } from '../support/raw-http.js';
import { type RunningServer, startServer } from '../support/server.js';

let server: RunningServer;
/** One whose patience is short enough for a test. */
let impatient: RunningServer;
before(async () => {
  server = await startServer({ env: { WS_CONNECTIONS_PER_ADDRESS: '120' } });
  impatient = await startServer({
    env: {
      SESSION_TIMEOUT: '2',
      WS_IDLE_TIMEOUT: '1',
      WS_PING_INTERVAL: '1',
      WS_PONG_TIMEOUT: '1',
      HTTP_HEADERS_TIMEOUT: '0.5',
      WS_REQUEST_RATE_PER_ADDRESS: '100',
      WS_REQUEST_BURST_PER_ADDRESS: '1000',
      WS_CONNECTIONS_MAX: '600',
    },
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

/** A handshake written by hand. Returns the connection, and what the server answered. */
async function rawHandshake(extensions = ''): Promise<{ socket: Socket; answer: string }> {
  const socket = connect(portOf(server), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: janus-protocol\r\n${extensions}\r\n`,
  );
  const [answer] = await once(socket, 'data');
  return { socket, answer: String(answer) };
}

const portOf = ({ wsUrl }: RunningServer) => Number(new URL(wsUrl).port);

/** Sends a frame's bytes. Returns the code with which the server closes the connection for it (RFC 6455 5.5.1). */
async function closeCodeFor(frame: Buffer): Promise<number> {
  const { socket } = await rawHandshake();
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.write(frame);
  await once(socket, 'close');
  const bytes = Buffer.concat(pieces);
  assert.equal(bytes[0], 0x88, 'a close frame');
  return bytes.readUInt16BE(2);
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
  test('W1: of 128 KiB is taken, a longer one closes the connection with 1009 (hole l)', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const frame = { janus: 'ping', pad: '' };
    const room = 131_072 - JSON.stringify({ transaction: 't1', ...frame }).length;
    assert.equal((await client.request({ ...frame, pad: 'x'.repeat(room) })).janus, 'pong');
    client.send({ ...frame, pad: 'x'.repeat(131_073) });
    assert.equal(await closed(client.socket), 1009);
    await works();
  });

  test('W2: in 200,000 empty fragments closes the connection with 1008, at the 65th', async () => {
    const first = Buffer.from([0x01, 0x80, 0, 0, 0, 0]);
    const next = Buffer.from([0x00, 0x80, 0, 0, 0, 0]);
    assert.equal(await closeCodeFor(Buffer.concat([first, ...Array(199_999).fill(next)])), 1008);
    const client = await JanusClient.connect(server.wsUrl);
    const text = JSON.stringify({ janus: 'ping', transaction: 'pieces' });
    for (let index = 0; index < 64; index += 1) {
      const last = index === 63;
      client.socket.send(last ? text.slice(index) : text.slice(index, index + 1), { fin: last });
    }
    assert.equal((await client.until((one) => one.transaction === 'pieces', 'the pong')).janus, 'pong');
    await client.close();
  });

  test('W3: is never inflated: compression is not agreed to, and a compressed frame breaks the protocol', async () => {
    const { socket, answer } = await rawHandshake('Sec-WebSocket-Extensions: permessage-deflate\r\n');
    socket.destroy();
    assert.match(answer, /^HTTP\/1\.1 101 /);
    assert.doesNotMatch(answer, /extensions|deflate/i);
    const bomb = deflateRawSync(Buffer.alloc(50_000));
    const head = Buffer.from([0xc1, 0x80 | 126, bomb.length >> 8, bomb.length & 255, 0, 0, 0, 0]);
    assert.equal(await closeCodeFor(Buffer.concat([head, bomb])), 1002);
    await works();
  });

  const broken: [string, number, number[]][] = [
    ['is not masked', 1002, [0x81, 0x02, 0x7b, 0x7d]],
    ['has reserved bits', 1002, [0xf1, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]],
    ['has an unknown opcode', 1002, [0x83, 0x80, 0, 0, 0, 0]],
    ['is no UTF-8', 1007, [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff]],
    ['goes on where nothing has begun', 1002, [0x80, 0x80, 0, 0, 0, 0]],
  ];
  for (const [name, code, bytes] of broken) {
    test(`W4: that ${name} closes its own connection with ${code}, and no other`, async () => {
      assert.equal(await closeCodeFor(Buffer.from(bytes)), code);
      await works();
    });
  }
});

describe('a connection', () => {
  test('W5: that reads nothing is dropped at 1 MiB of backlog, and the others never wait', async () => {
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

  test('W10: that asks too much is served at 100 requests a second, after 200 at once', (t) =>
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

  test('W10: that floods does not make the others wait', { timeout: 90_000 }, (t) =>
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

  test('W7: that never makes a session is closed when it asks for nothing, and 500 of them are no burden', async () => {
    const idle = await Promise.all(Array.from({ length: 500 }, () => JanusClient.connect(impatient.wsUrl)));
    const client = await JanusClient.connect(impatient.wsUrl);
    const session = await client.create();
    const keep = setInterval(() => client.send({ janus: 'keepalive', session_id: session, transaction: 'k' }), 500);
    const codes = await Promise.all(idle.map(({ socket }) => closed(socket)));
    clearInterval(keep);
    assert.deepEqual([...new Set(codes)], [1008]);
    assert.equal((await client.request({ janus: 'keepalive', session_id: session })).janus, 'ack');
    await client.close();
  });

  test('W7: is one of so many, in the handshake or after it; what is more is closed at once', async () => {
    const sockets: Socket[] = [];
    let gone = 0;
    for (let index = 0; index < 700; index += 1) {
      const socket = connect(portOf(impatient), '127.0.0.1');
      socket.on('error', () => {}).on('close', () => (gone += 1));
      sockets.push(socket);
    }
    // Those that were taken wait for a handshake, until the time for that is over.
    await Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
    assert.equal(gone, 700);
    const counted = await (await fetch(`${impatient.httpUrl}/metrics`)).text();
    const of = (reason: string) =>
      Number(
        new RegExp(`websocket_connections_refused_total\\{api="janus",reason="${reason}"\\} (\\d+)`).exec(counted)?.[1],
      );
    assert.equal(of('limit') + of('slow'), 700, `${of('limit')} beyond the limit, ${of('slow')} too slow`);
    assert.ok(of('limit') >= 100, `${of('limit')} beyond the limit`);
  });

  test('W6: that does not finish its handshake is answered with 408, however it drips', async () => {
    const head = 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ';
    for (const bytes of ['', head]) assert.match(await sendRaw(portOf(impatient), bytes), /^HTTP\/1\.1 408 /);
    const socket = connect(portOf(impatient), '127.0.0.1');
    await once(socket, 'connect');
    const drip = setInterval(() => socket.write('x'), 50);
    socket.on('error', () => {}).resume();
    socket.write(head);
    await once(socket, 'close');
    clearInterval(drip);
  });

  test('W10: shares what its address may ask: many together get no more than one rate', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => JanusClient.connect(impatient.wsUrl)));
    const started = performance.now();
    for (const client of clients) {
      for (let index = 0; index < 150; index += 1) client.send({ janus: 'ping', transaction: `f${index}` });
    }
    await Promise.all(clients.map((client) => client.until((one) => one.transaction === 'f149', 'the last pong')));
    // 1,200 requests: 1,000 at once, the others at 100 a second; on one connection 150 would not have waited.
    assert.ok(performance.now() - started >= 1500, 'the address was not slowed down');
    await Promise.all(clients.map((client) => client.close()));
  });

  test('W6: that answers no pings is dropped, and its session ends with it', async () => {
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

  test('W14: has at most 16 sessions, and 64 handles that have not joined', async () => {
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
  test('W7: has at most so many connections; the next one gets 503 until one of them goes', async () => {
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
  test('W14: without requests times out with an event; its connection stays and may start over', async () => {
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

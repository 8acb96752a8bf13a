// Runs alone: it measures milliseconds of timers.
import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, test } from 'node:test';
import { limit, shownOnce } from '../support/attempts.js';
import { eventually } from '../support/browser.js';
import { PeerProxy, ServerProxy } from '../support/lossy-proxy.js';
import { RealTime } from '../support/real-time.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

interface End {
  socket: Socket;
  port: number;
  /** Numbers that came, and when. */
  received: { number: number; at: number; from: RemoteInfo }[];
  send(number: number, port: number, bytes?: number): void;
}

async function end(): Promise<End> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  closing.push(() => socket.close());
  const received: End['received'] = [];
  socket.on('message', (bytes, from) => {
    received.push({ number: bytes.readUInt32BE(0), at: performance.now(), from });
  });
  return {
    socket,
    port: socket.address().port,
    received,
    send(number, port, bytes = 100) {
      const datagram = Buffer.alloc(bytes);
      datagram.writeUInt32BE(number);
      socket.send(datagram, port, '127.0.0.1');
    },
  };
}

async function between(seed = 1): Promise<{ client: End; server: End; proxy: ServerProxy; time: RealTime }> {
  const [client, server] = [await end(), await end()];
  const time = new RealTime();
  const proxy = await ServerProxy.start({ time, seed, serverPort: server.port });
  closing.push(
    () => proxy.close(),
    () => time.stop(),
  );
  return { client, server, proxy, time };
}

const arrived = (receiver: End, packets: number) =>
  eventually(
    `${packets} packets`,
    () => Promise.resolve(receiver.received.length),
    (length) => length >= packets,
  );
/** One after the other, so that no socket's buffer loses any. */
async function sendAll(sender: End, receiver: End, port: number, numbers: number[]): Promise<void> {
  for (const number of numbers) {
    sender.send(number, port);
    if (number % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
  }
  let last = -1;
  await eventually(
    'the last packet',
    async () => {
      const grown = receiver.received.length !== last;
      last = receiver.received.length;
      return grown;
    },
    (grown) => !grown,
  );
}
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('a proxy to a server', () => {
  test('passes everything on a good line, both ways, and keeps clients apart', async () => {
    const { client, server, proxy } = await between();
    const other = await end();
    await sendAll(client, server, proxy.port, upTo(200));
    await sendAll(other, server, proxy.port, [1000]);
    await arrived(server, 201);
    const ports = new Set(server.received.map(({ from }) => from.port));
    assert.equal(ports.size, 2);
    for (const { number, from } of server.received) server.send(number, from.port);
    await arrived(client, 200);
    await arrived(other, 1);
    assert.deepEqual(
      client.received.map(({ number }) => number),
      upTo(200),
    );
    assert.deepEqual(
      other.received.map(({ number }) => number),
      [1000],
    );
  });

  test('loses the same packets for the same seed, others for another one', async () => {
    const survivors = async (seed: number) => {
      const { client, server, proxy } = await between(seed);
      proxy.line.impair({ up: { loss: 0.2 } });
      await sendAll(client, server, proxy.port, upTo(500));
      return server.received.map(({ number }) => number);
    };
    const first = await survivors(1);
    assert.deepEqual(await survivors(1), first);
    assert.notDeepEqual(await survivors(2), first);
    assert.ok(first.length > 350 && first.length < 450, `${first.length} of 500 came`);
  });

  test('delays each packet by the line’s time and no more than a few milliseconds', (t) =>
    shownOnce(t, async () => {
      const { client, server, proxy } = await between();
      proxy.line.impair({ up: { delay: 60 } });
      const sentAt: number[] = [];
      for (const number of upTo(40)) {
        sentAt.push(performance.now());
        client.send(number, proxy.port);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
      await arrived(server, 40);
      const delays = server.received.map(({ number, at }) => at - (sentAt[number] ?? 0)).sort((a, b) => a - b);
      assert.ok((delays[0] ?? 0) >= 60, `${delays[0]} ms at least`);
      limit((delays[20] ?? 0) < 70, `${delays[20]} ms as a rule`);
    }));

  test('carries no more than its rate, and drops what its queue can’t hold', (t) =>
    shownOnce(t, async () => {
      const { client, server, proxy } = await between();
      proxy.line.impair({ up: { rate: 1_000_000 } });
      // 100 packets of 10 ms each at once: 200 ms of them wait, the others are lost.
      for (const number of upTo(100)) client.send(number, proxy.port, 1222);
      await arrived(server, 20);
      await sendAll(client, server, proxy.port, []);
      const first = server.received[0]?.at ?? 0;
      const last = server.received.at(-1)?.at ?? 0;
      assert.ok(server.received.length >= 20);
      limit(server.received.length <= 22, `${server.received.length} packets came`);
      limit(last - first >= 180, `within ${last - first} ms`);
    }));
});

describe('a proxy between two peers', () => {
  test('sends each way over the lines of both', async () => {
    const [first, second] = [await end(), await end()];
    const time = new RealTime();
    const proxy = await PeerProxy.start(time, 1);
    closing.push(
      () => proxy.close(),
      () => time.stop(),
    );
    const [toSecond, toFirst] = proxy.ports;
    // The proxy learns from their packets where they are; until it has heard both, it drops them.
    await eventually(
      'a packet each way',
      async () => {
        first.send(1000, toSecond);
        second.send(1000, toFirst);
        return first.received.length > 0 && second.received.length > 0;
      },
      (met) => met,
    );
    await sendAll(first, second, toSecond, upTo(10));
    assert.deepEqual(
      second.received.map(({ number }) => number).filter((number) => number < 1000),
      upTo(10),
    );
    for (const line of proxy.lines) line.impair({ up: { delay: 20 }, down: { delay: 30 } });
    const started = performance.now();
    second.send(77, toFirst);
    await eventually(
      'the answer',
      () => Promise.resolve(first.received.at(-1)),
      (last) => last?.number === 77,
    );
    assert.ok((first.received.at(-1)?.at ?? 0) - started >= 50);
  });
});

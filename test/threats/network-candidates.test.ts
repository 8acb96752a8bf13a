/** Clients that never connect, or name whatever they like as their addresses (threats.md N7, N11). */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { limit, shownOnce } from '../support/attempts.js';
import { type ClientHandle, JanusClient } from '../support/janus-client.js';
import { chromeOffer, UFRAG } from '../support/sdp-corpus.js';
import { type RunningServer, startServer } from '../support/server.js';

const OFFER = chromeOffer({ lines: ['audio', 'video', 'data'] });
const offerOf = (index: number) => ({ type: 'offer', sdp: OFFER.replaceAll(UFRAG, `n${index}xyz`) });

describe('a client’s candidates', () => {
  let server: RunningServer;
  let client: JanusClient;
  before(async () => {
    const env = { CANDIDATES_TIMEOUT: '1', WS_REQUEST_RATE: '100000', WS_REQUEST_BURST: '100000', LOG_LEVEL: 'error' };
    server = await startServer({ env });
  });
  after(async () => assert.equal(await server.stop(), 0, server.output().slice(-2000)));

  test('N7: that lead nowhere free their handle in time, and 200 such peers leave no descriptor open', {
    timeout: 60_000,
  }, async () => {
    const descriptors = () => readdirSync(`/proc/${server.pid}/fd`).length;
    const clients = await Promise.all(Array.from({ length: 4 }, () => JanusClient.connect(server.wsUrl)));
    const before = descriptors();
    const handles: ClientHandle[] = [];
    for (const [number, one] of clients.entries()) {
      const session = await one.create();
      for (let index = 0; index < 50; index++) {
        const handle = await one.attach(session);
        handles.push(handle);
        await one.message(handle, {}, offerOf(number * 50 + index));
      }
    }
    for (const one of clients) {
      const own = () => one.received.filter(({ janus }) => janus === 'hangup');
      await one.until(() => own().length >= 50, '50 hangups');
      assert.ok(own().every(({ reason }) => reason === 'ICE failed'));
    }
    assert.ok(descriptors() <= before + 2, `${descriptors()} descriptors are open, ${before} were`);
    const again = await clients[0]?.message(handles[0] ?? assert.fail(), {}, offerOf(500));
    assert.equal(again?.jsep?.type, 'answer', 'the freed handle can be used again');
    await Promise.all(clients.map((one) => one.close()));
  });

  test('N11: are not looked up, not tried, and hold nobody up, however many they are', {
    timeout: 60_000,
  }, async (t) => {
    const target = createSocket('udp4');
    target.bind(0, '127.0.0.1');
    await once(target, 'listening');
    let tried = 0;
    target.on('message', () => tried++);
    const { port } = target.address();
    const hosts = (index: number) => [
      `name${index}.example.invalid`,
      `${index}-a.local`,
      `10.0.0.${index % 256}`,
      '127.0.0.1',
    ];
    const candidate = (index: number, address: string) =>
      `candidate:${index} 1 udp 2122260223 ${address} ${address === '127.0.0.1' ? port : 1 + index} typ host`;
    client = await JanusClient.connect(server.wsUrl);
    const watcher = await JanusClient.connect(server.wsUrl);
    const handle = await client.attach(await client.create());
    const { type, sdp } = offerOf(900);
    const inOffer = hosts(1).map((address, index) => `a=${candidate(index, address)}\r\n`);
    await client.message(handle, {}, { type, sdp: sdp + inOffer.join('') });
    await shownOnce(t, async () => {
      let longest = 0;
      for (let index = 0; index < 1000; index += 20) {
        for (let i = index; i < index + 20; i++) {
          const candidates = hosts(i).map((address) => ({ candidate: candidate(i, address), sdpMid: '0' }));
          client.send({
            janus: 'trickle',
            transaction: 'x',
            session_id: handle.session,
            handle_id: handle.id,
            candidates,
          });
        }
        const start = performance.now();
        await watcher.settled();
        longest = Math.max(longest, performance.now() - start);
      }
      await client.settled();
      limit(longest < 50, `somebody else waited ${longest.toFixed(0)} ms`);
    });
    // The peer gave up: from now on it can't try any more.
    await client.until(({ janus }) => janus === 'hangup', 'the hangup');
    assert.equal(tried, 0, 'the server sent to an address that a client named');
    await Promise.all([client.close(), watcher.close()]);
    target.close();
  });
});

/** Hostile text on the signalling socket: every message gets its replies, and everybody else goes on (threats.md W8, W9). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { JanusClient } from '../support/janus-client.js';
import { Random } from '../support/random.js';
import { chromeOffer } from '../support/sdp-corpus.js';
import { type RunningServer, startServer } from '../support/server.js';

const MUTANTS = 20_000;

let server: RunningServer;
before(async () => {
  server = await startServer({
    env: { WS_REQUEST_RATE: '1000000', WS_REQUEST_BURST: '1000000', SUBSCRIBE_WAIT: '0', LOG_LEVEL: 'error' },
  });
});
after(async () => {
  assert.equal(await server.stop(), 0, server.output().slice(-2000));
});

const NASTY = [
  'null',
  '[]',
  '{}',
  '-1',
  '1e400',
  '0.5',
  'true',
  '"__proto__"',
  '"\\ud800"',
  '"%s%n"',
  '9007199254740993',
  '""',
];

/** Changes a request's text somewhere: bytes, brackets, values, doubled parts. */
function mutate(text: string, random: Random): string {
  let changed = text;
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const at = random.below(changed.length);
    const end = Math.min(changed.length, at + 1 + random.below(20));
    switch (random.below(6)) {
      case 0:
        changed = changed.slice(0, at) + changed.slice(end);
        break;
      case 1:
        changed = changed.slice(0, end) + changed.slice(at);
        break;
      case 2:
        changed = changed.slice(0, at) + random.pick([...'{}[]":,\\ \u0000é😀']) + changed.slice(at + 1);
        break;
      case 3:
        changed = changed.replace(/:("[^"]*"|\d+|true|null)/, () => `:${random.pick(NASTY)}`);
        break;
      case 4:
        changed = changed.replace(
          /"(\w+)":/,
          () => `"${random.pick(['__proto__', 'constructor', 'jsep', 'id', ''])}":`,
        );
        break;
      default:
        changed = changed.slice(0, at) + random.pick(NASTY) + changed.slice(at);
    }
  }
  return changed;
}

describe('hostile text', () => {
  test(`W8: ${MUTANTS} mutated requests are all answered, and disturb nobody`, { timeout: 120_000 }, async () => {
    const random = new Random(2026);
    const attacker = await JanusClient.connect(server.wsUrl);
    const watcher = await JanusClient.connect(server.wsUrl);
    const session = await attacker.create();
    const handle = (await attacker.attach(session)).id;
    const address = { session_id: session, handle_id: handle };
    const jsep = { type: 'offer', sdp: chromeOffer({ lines: ['audio', 'data'] }).slice(0, 600) };
    const bodies = [
      {},
      { kind: 'join', room_id: 'r', user_id: 'u', subscribe: { data: true, notifications: true, media: 'x' } },
      { kind: 'data', body: 'x', whom: 'u' },
      { kind: 'block', whom: 'x' },
      { kind: 'kick', room_id: 'r', user_id: 'u', token: 'a.b.c' },
      { kind: 'subscribe', what: { media: 'u' } },
    ];
    const requests = [
      { janus: 'ping', transaction: 'm' },
      { janus: 'keepalive', transaction: 'm', session_id: session },
      { janus: 'trickle', transaction: 'm', ...address, candidate: { candidate: 'candidate:1', sdpMid: '0' } },
      { janus: 'message', transaction: 'm', ...address, body: {}, jsep },
      ...bodies.map((body) => ({ janus: 'message', transaction: 'm', ...address, body })),
    ].map((request) => JSON.stringify(request));

    const room = await watcher.join('calm', 'watcher', { data: true });
    let longest = 0;
    for (let sent = 0; sent < MUTANTS; sent += 500) {
      for (let index = 0; index < 500; index += 1) attacker.socket.send(mutate(random.pick(requests), random));
      attacker.send({ janus: 'ping', transaction: `end${sent}` });
      const started = performance.now();
      assert.equal((await watcher.message(room, { kind: 'data', body: 'x' })).janus, 'event');
      longest = Math.max(longest, performance.now() - started);
      await attacker.until((one) => one.transaction === `end${sent}`, 'the end of a round');
      // What the handle was asked is answered in its turn: a request of its own says that the rest has come.
      let probe = await attacker.request({ janus: 'trickle', ...address, candidate: null });
      while (probe.error?.code === 490)
        probe = await attacker.request({ janus: 'trickle', ...address, candidate: null });
      assert.equal(probe.janus, 'ack', JSON.stringify(probe));
      const replies = attacker.received.filter(({ janus }) => janus !== 'event' && janus !== 'hangup');
      assert.ok(replies.length >= 500, `only ${replies.length} replies in a round of 500`);
      attacker.received.length = 0;
    }
    assert.ok(longest < 4000, `somebody else waited ${longest} ms`);
    await Promise.all([attacker.close(), watcher.close()]);
  });

  test('W9: names of object properties as every id leave Object.prototype as it was', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    const client = await JanusClient.connect(server.wsUrl);
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']) {
      const handle = await client.join(name, name, { data: true, notifications: true });
      for (const kind of ['block', 'unblock']) await client.message(handle, { kind, whom: name });
      for (const kind of ['block', 'unblock']) await client.message(handle, { kind, whom: `${name}2` });
      await client.message(handle, { kind: 'data', body: '{"__proto__":{"x":1}}', whom: name });
      await client.settled();
      assert.deepEqual(client.pushed(handle).at(-1), { event: 'data', body: '{"__proto__":{"x":1}}', from: name });
      await client.toHandle(handle, { janus: 'detach' });
    }
    const fresh = await client.join('__proto__', 'another', { data: true });
    assert.equal(client.pushed(fresh).length, 0);
    assert.equal(Object.getOwnPropertyNames(Object.prototype).length, before);
    await client.close();
  });

  test('W14: 10,000 sessions of 700 connections leave nothing behind', { timeout: 120_000 }, async () => {
    const memory = () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    const wave = async () => {
      const clients = await Promise.all(
        Array.from({ length: 140 }, async () => {
          const client = await JanusClient.connect(server.wsUrl);
          await Promise.all(Array.from({ length: 15 }, () => client.create()));
          return client;
        }),
      );
      await Promise.all(clients.map((client) => client.close()));
    };
    await wave();
    const start = memory();
    for (let round = 0; round < 4; round += 1) await wave();
    const growth = memory() - start;
    assert.ok(growth < 100, `memory grew by ${growth.toFixed(0)} MiB`);
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { setTimeout as elapse } from 'node:timers/promises';
import { releaseNative } from '../../bench/load/media-peer.js';
import { JanusClient } from '../support/janus-client.js';
import { Room, type User } from '../support/peer.js';
import { startServer } from '../support/server.js';

after(releaseNative);

describe('shutdown under load', () => {
  for (const workers of [1, 2, 4]) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      test(`F6: ${signal} with ${workers} workers: clients are told, peers closed, exit code 0 within 10 s`, async () => {
        const server = await startServer({ workers, env: { PLACEMENT: 'spread' } });
        const room = new Room(server.wsUrl);
        try {
          const users: User[] = [];
          for (const name of ['alice', 'bob', 'carol', 'dave']) users.push(await room.enter(name));
          for (const user of users) (await user.publish()).start({ audioPps: 50, videoPps: 300 });
          for (const user of users) {
            for (const other of users) {
              if (other !== user) await (await user.subscribe(other.id, { countOnly: true })).more('video', 10);
            }
          }
          const sockets = users.map(async ({ socket }) => (await once(socket, 'close'))[0] as number);
          const peers = users.flatMap(({ publishers, subscribers }) =>
            [...publishers, ...subscribers].map(({ peer }) => peer.ended),
          );
          const startedAt = performance.now();
          const exited = once(server.process, 'exit');
          server.process.kill(signal);
          const [exitCode] = await exited;
          const took = performance.now() - startedAt;
          assert.equal(exitCode, 0, server.output());
          assert.ok(took < 10_000, `took ${took.toFixed(0)} ms`);
          const told = users.flatMap(({ publishers }) => publishers.flatMap(({ events }) => events));
          assert.ok(
            users.every(({ publishers }) => publishers.every((publisher) => publisher.told('hangup').length > 0)),
            `every publisher was told of its end: ${JSON.stringify(told.map(({ janus }) => janus))}`,
          );
          for (const code of await Promise.all(sockets)) {
            assert.notEqual(code, 1000, 'with 1000 naf-janus-adapter would not come back');
          }
          assert.equal((await Promise.all(peers)).length, peers.length);
        } finally {
          await room.close();
          await server.stop();
        }
      });
    }
  }
});

describe('a server whose end takes long', () => {
  test('F6: takes no new sessions and says so, and ends at once at another SIGTERM', async () => {
    const server = await startServer({ env: { DRAIN_TIMEOUT: '60' } });
    const client = await JanusClient.connect(server.wsUrl);
    await client.join('r', 'ann', { data: true });
    server.process.kill('SIGTERM');
    while ((await fetch(`${server.httpUrl}/readyz`)).status === 200) await elapse(20);
    const create = { janus: 'create', transaction: 'a' };
    const reply = await fetch(`${server.httpUrl}/janus`, { method: 'POST', body: JSON.stringify(create) });
    assert.equal(((await reply.json()) as { error: { code: number } }).error.code, 472);
    await assert.rejects(JanusClient.connect(server.wsUrl), /503/);
    const exited = once(server.process, 'exit');
    const closed = once(client.socket, 'close');
    const since = performance.now();
    // The first one more ends the drain, the next the goodbye.
    server.process.kill('SIGTERM');
    assert.equal((await closed)[0], 1012);
    server.process.kill('SIGTERM');
    await exited;
    assert.ok(performance.now() - since < 10_000);
  });
});

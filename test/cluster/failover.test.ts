/** A node that dies, and NATS that goes away. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { type Node, TestCluster, until } from '../support/cluster.js';
import { allSee, NafLike, usersOf } from '../support/naf-like.js';
import { natsMissing } from '../support/nats.js';

after(releaseNative);

const named = (cluster: TestCluster, name: string): Node => {
  const node = cluster.nodes.find((one) => one.name === name);
  if (!node) throw new Error(`there is no ${name}`);
  return node;
};

/** Milliseconds that the issue allows until everybody is back, and as much again for a machine that does other things. */
const BACK_LIMIT = 20_000;

describe('a cluster of three', { skip: natsMissing() }, () => {
  test('serves rooms while NATS is away, and brings the rooms of a node that dies to others', {
    timeout: 120_000,
  }, async () => {
    await TestCluster.open(3, {}, async (cluster) => {
      const all = ['one', 'two', 'three'].flatMap((room) => usersOf(room, 2, () => cluster.nodes));
      try {
        for (const user of all) user.start();
        await allSee(all);
        const joins = all.map((user) => user.joins);

        await cluster.nats.stop();
        const late = new NafLike({ url: () => cluster.node(0).server.wsUrl, room: 'one', id: 'late', hint: true });
        late.start();
        await allSee([late, ...all.filter(({ room }) => room === 'one')]);
        const fresh = new NafLike({
          url: () => cluster.node(1).server.wsUrl,
          room: 'made alone',
          id: 'fresh',
          hint: true,
        });
        fresh.start();
        await fresh.until(() => fresh.joined, 'a new room is served without NATS', 30_000);
        await cluster.nats.run();
        await until(async () => (await cluster.owners('made alone')).length === 1, 'the new room has one owner');
        await cluster.complete();
        assert.deepEqual(
          all.map((user) => user.joins),
          joins,
          'nobody had to come again',
        );
        await Promise.all([late.close(), fresh.close()]);

        const [owner = ''] = await cluster.owners('one');
        const died = performance.now();
        await cluster.kill(named(cluster, owner));
        await Promise.all(
          all.filter(({ room }) => room === 'one').map((user) => user.until(() => !user.joined, `${user.id} notices`)),
        );
        await allSee(all, BACK_LIMIT);
        const took = performance.now() - died;
        assert.ok(took < BACK_LIMIT, `all were back after ${took.toFixed(0)} ms`);
        assert.equal((await cluster.owners('one')).length, 1);
      } finally {
        await Promise.all(all.map((user) => user.close()));
      }
    });
  });
});

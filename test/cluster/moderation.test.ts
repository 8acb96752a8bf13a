/** What is done at one node of three holds at all of them, and strangers do nothing at any. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, test } from 'node:test';
import type { Bucket } from '../../src/cluster/bucket.js';
import { keyOf } from '../../src/cluster/directory.js';
import { LIFTED_MAX } from '../../src/cluster/lifted-blocks.js';
import { NatsLink } from '../../src/cluster/nats.js';
import { type Node, TestCluster, until } from '../support/cluster.js';
import { readExposition, sampleOf } from '../support/exposition.js';
import { dataOf, JanusClient, refusalOf } from '../support/janus-client.js';
import { NATS_USER, natsMissing } from '../support/nats.js';
import { startServer } from '../support/server.js';

/** Milliseconds until a block works on all nodes, on a machine that does other things too. */
const BLOCK_LIMIT = 2_000;

const at = (node: Node, room: string) => JanusClient.connect(`${node.server.wsUrl}/?room=${encodeURIComponent(room)}`);

interface Users {
  users: { user_id: string; blocks: number }[];
}

async function blocksOf(node: Node, room: string, user: string): Promise<number | undefined> {
  const [found] = (await node.admin({ janus: 'list_rooms', room_id: room })).rooms as Users[];
  return found?.users.find(({ user_id }) => user_id === user)?.blocks;
}

/** Two rooms that are on different nodes, with the same two users in both. */
async function twoRooms(cluster: TestCluster) {
  const wants = { data: true, notifications: true };
  for (let number = 0; ; number += 1) {
    const rooms = ['plaza', `hall ${number}/*.> ü`] as const;
    const clients = await Promise.all(rooms.flatMap((room) => [at(cluster.node(0), room), at(cluster.node(1), room)]));
    const [annHere, bobHere, annThere, bobThere] = clients as [JanusClient, JanusClient, JanusClient, JanusClient];
    const ann = await annHere.join(rooms[0], 'ann', wants);
    const bob = await bobHere.join(rooms[0], 'bob', wants);
    const annToo = await annThere.join(rooms[1], 'ann', wants);
    const bobToo = await bobThere.join(rooms[1], 'bob', wants);
    const [[home], [other]] = await Promise.all([cluster.owners(rooms[0]), cluster.owners(rooms[1])]);
    if (home !== other) return { rooms, annHere, ann, bobHere, bob, annThere, annToo, bobThere, bobToo, clients };
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** The blocks that NATS holds, as a node reads and writes them. */
async function withBlocks(cluster: TestCluster, body: (blocks: Bucket) => Promise<void>): Promise<void> {
  const tls = { ca: undefined, cert: undefined, key: undefined };
  const settings = { urls: [cluster.nats.url], name: 'another', credentials: undefined, tls, replicas: 1 };
  const link = new NatsLink(settings, () => {});
  const blocks = link.bucket({ name: 'janus-sfu_blocks', ttl: 0 });
  const here = new Promise<void>((resolve) => link.onChange(() => resolve()));
  link.start();
  try {
    await here;
    await body(blocks);
  } finally {
    await link.close();
  }
}

/** Lifts one block more than NATS may hold. */
async function liftTooMany(cluster: TestCluster, node: Node): Promise<void> {
  await withBlocks(cluster, async (blocks) => {
    const key = (index: number) => keyOf('eve', `user ${index}`);
    const lift = (index: number) => {
      const block = { blocker: 'eve', blocked: `user ${index}`, active: false, node: 'another', serial: 1 };
      return blocks.put(key(index), JSON.stringify(block));
    };
    const first = await lift(0);
    for (let from = 1; from < LIFTED_MAX; from += 1_111) {
      await Promise.all(Array.from({ length: 1_111 }, (_, index) => lift(from + index)));
    }
    await lift(0);
    assert.equal(await blocks.remove(key(0), first), false, 'what has changed meanwhile stays');
    const last = await lift(LIFTED_MAX);
    await until(async () => (await blocks.get(key(1))) === null, 'the oldest is removed');
    assert.equal(await blocks.remove(key(1), last), false, 'not even a mark of it stays');
    for (const index of [0, 2, LIFTED_MAX]) assert.ok(await blocks.get(key(index)), `user ${index} is there`);
    assert.ok(await blocks.get(keyOf('ann', 'bob')), 'and the block that holds');
    await until(async () => {
      const families = readExposition(await (await fetch(`${node.server.httpUrl}/metrics`)).text());
      return sampleOf(families, 'janus_sfu_cluster_events_total', { event: 'lifted_removed' }) === 1;
    }, 'one was removed');
  });
}

describe('three nodes', { skip: natsMissing() }, () => {
  test('share blocks, kicks and the Admin API, keep blocks when all of them end, and forget old ones that were lifted', {
    timeout: 90_000,
  }, async () => {
    await TestCluster.open(3, {}, async (cluster) => {
      const meeting = await twoRooms(cluster);
      const { rooms, annHere, ann, annThere, annToo, bobThere, bobToo, clients } = meeting;
      const asked = performance.now();
      assert.equal(refusalOf(await annHere.message(ann, { kind: 'block', whom: 'bob' })), null);
      await bobThere.until((one) => dataOf(one).event === 'blocked', 'bob learns of it in the other room');
      assert.ok(performance.now() - asked < BLOCK_LIMIT, `a block took ${performance.now() - asked} ms`);
      const from = bobThere.received.length;
      await annThere.message(annToo, { kind: 'data', body: 'not for bob' });
      await bobThere.settled();
      assert.ok(!bobThere.received.slice(from).some((one) => dataOf(one).event === 'data'), 'no data through a block');

      for (const node of cluster.nodes) {
        const { sessions } = await node.admin({ janus: 'list_sessions' });
        assert.equal((sessions as number[]).length, 4, `all sessions at ${node.name}`);
        const handles = await node.admin({ janus: 'list_handles', session_id: annToo.session });
        assert.deepEqual(handles.handles, [annToo.id], `a session of another node at ${node.name}`);
        assert.equal(await blocksOf(node, rooms[1], 'ann'), 1);
      }
      const unknown = await cluster.node(0).admin({ janus: 'list_handles', session_id: 12345 });
      assert.equal(unknown.error?.code, 458);
      for (const [index, node] of cluster.nodes.entries()) {
        const kicked = await node.admin({ janus: 'kick', room_id: rooms[1], user_id: index === 0 ? 'bob' : 'nobody' });
        assert.equal(kicked.janus, index === 0 ? 'success' : 'error');
      }
      await bobThere.until((one) => one.janus === 'detached' && one.sender === bobToo.id, 'bob is put out');
      const drained = await cluster.node(0).admin({ janus: 'drain_node', node: 'node3' });
      assert.equal(drained.janus, 'success');
      await until(async () => {
        const { nodes } = await cluster.node(1).admin({ janus: 'list_nodes' });
        return (nodes as { name: string; draining: boolean }[]).some(
          ({ name, draining }) => name === 'node3' && draining,
        );
      }, 'all know that a node drains');
      await Promise.all(clients.map((client) => client.close()));

      await Promise.all(cluster.nodes.splice(0).map((node) => node.server.stop()));
      const fresh = await cluster.add();
      await until(async () => {
        const client = await at(fresh, 'plaza');
        await client.join('plaza', 'ann', { data: true });
        const blocks = await blocksOf(fresh, 'plaza', 'ann');
        await client.close();
        return blocks === 1;
      }, 'a node without a past knows the block');
      await liftTooMany(cluster, fresh);
    });
  });

  test('let no stranger in: neither on the private port nor on NATS', { timeout: 60_000 }, async () => {
    await TestCluster.open(1, {}, async (cluster) => {
      const [{ address }] = (await cluster.node(0).admin({ janus: 'list_nodes' })).nodes as [{ address: string }];
      const status = (headers: Record<string, string>) =>
        new Promise<number | undefined>((resolve, reject) => {
          const asking = request(`http://${address}/`, { headers }, (answer) => resolve(answer.statusCode));
          asking.on('upgrade', () => reject(new Error('a stranger was let in')));
          asking.on('error', reject);
          asking.end();
        });
      const handshake = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Protocol': 'janus-protocol',
      };
      const forged = `${Date.now()}.AAAAAAAAAAAAAAAAAAAAAA.AAAA.e30`;
      for (const headers of [{}, handshake, { ...handshake, 'x-janus-sfu-relay': forged }]) {
        assert.equal(await status(headers), 403);
      }
      assert.equal((await fetch(`http://${address}/janus/info`)).status, 403);

      const wrong = cluster.nats.url.replace(NATS_USER.name, 'stranger');
      const alone = await startServer({
        env: { NATS_URL: wrong, CLUSTER_SECRET: 'x'.repeat(32), CLUSTER_BIND: '127.0.0.1', CLUSTER_PORT: '0' },
      });
      try {
        const client = await JanusClient.connect(alone.wsUrl);
        await client.join('a room of its own', 'ann', { data: true });
        assert.equal(((await cluster.node(0).admin({ janus: 'list_nodes' })).nodes as unknown[]).length, 1);
        await client.close();
      } finally {
        await alone.stop();
      }
    });
  });
});

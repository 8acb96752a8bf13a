/** Balancers in front of a cluster, with the settings of deploy/cluster/: both users of a room come to one node by themselves. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Balancer, type BalancerName, balancerMissing, type NodePorts } from '../support/balancer.js';
import { getSecurely } from '../support/certificates.js';
import { TestCluster, until } from '../support/cluster.js';
import { readExposition, sampleOf } from '../support/exposition.js';
import { dataOf, JanusClient } from '../support/janus-client.js';
import { freePort, natsMissing } from '../support/nats.js';

// So many that one node does not get all of them by chance: where they go depends on the ports.
const ROOMS = ['garden', 'hall', 'a room & more', 'terrace', 'cellar', 'roof', 'gate', 'yard', 'attic', 'porch'];
const NAMES: readonly BalancerName[] = ['nginx', 'caddy', 'haproxy'];
const missing = natsMissing();

/** A node at an address of its own, with the ports that all have. */
async function addNode(cluster: TestCluster, number: number, { ws, http }: NodePorts): Promise<void> {
  await cluster.add({ BIND: `127.0.0.1${number}`, WS_PORT: String(ws), HTTP_PORT: String(http) });
}

/** WebSockets that went through nodes to others, since the start. */
async function relayed({ http }: NodePorts): Promise<number> {
  const counts = [1, 2, 3].map(async (number) => {
    const families = readExposition(await (await fetch(`http://127.0.0.1${number}:${http}/metrics`)).text());
    return sampleOf(families, 'janus_sfu_cluster_events_total', { event: 'relayed' });
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function join(
  { port, ca }: Balancer,
  room: string,
  user: string,
): Promise<{ client: JanusClient; users: unknown }> {
  const url = `wss://127.0.0.1:${port}/signalling?room=${encodeURIComponent(room)}`;
  const client = await JanusClient.connect(url, 'janus-protocol', { ca });
  const handle = await client.attach(await client.create());
  const body = { kind: 'join', room_id: room, user_id: user, subscribe: { data: true, notifications: true } };
  const { response } = dataOf(await client.message(handle, body)) as { response?: { users: Record<string, unknown> } };
  return { client, users: response?.users[room] };
}

/** As `join`, again and again: a node has just died, and nobody knows it yet. */
async function comeBack(
  balancer: Balancer,
  room: string,
  user: string,
): Promise<{ client: JanusClient; users: unknown }> {
  let back: { client: JanusClient; users: unknown } | null = null;
  await until(
    async () => {
      back = await join(balancer, room, user).catch(() => null);
      return back !== null;
    },
    `${user} is back`,
    25_000,
  );
  if (back === null) throw new Error('unreachable');
  return back;
}

describe('in front of three nodes', { skip: missing }, () => {
  for (const name of NAMES) {
    test(`${name} brings both users of a room to one node, and survives a node’s death`, {
      timeout: 90_000,
      skip: missing === false ? balancerMissing(name) : false,
    }, async () => {
      const nodes = { ws: await freePort(), http: await freePort() };
      // A machine that does other things is not to count as overloaded: such a node gives new rooms away.
      const env = { CLUSTER_PLACEMENT: 'arrival', TRUSTED_PROXIES: '127.0.0.1', LOOP_DELAY_MAX: '10000' };
      await TestCluster.open(0, env, async (cluster) => {
        await Promise.all([1, 2, 3].map((number) => addNode(cluster, number, nodes)));
        await cluster.complete();
        const balancer = await Balancer.start(name, nodes, async ({ port, ca }) => {
          const answer = await getSecurely(`https://127.0.0.1:${port}/readyz`, ca).catch(() => null);
          return answer?.status === 200;
        });
        try {
          const clients: JanusClient[] = [];
          for (const room of ROOMS) {
            const ann = await join(balancer, room, 'ann');
            const bob = await join(balancer, room, 'bob');
            assert.deepEqual(bob.users, ['ann'], room);
            clients.push(ann.client, bob.client);
          }
          assert.equal(await relayed(nodes), 0, 'nobody had to be brought to another node');
          const owners = await Promise.all(ROOMS.map((room) => cluster.owners(room)));
          assert.ok(new Set(owners.flat()).size > 1, 'rooms are on many nodes');
          const page = await getSecurely(`https://127.0.0.1:${balancer.port}/`, balancer.ca);
          assert.match(page.text, /<!doctype html>/i);

          const [owner] = owners[0] ?? [];
          const victim = cluster.nodes.find((node) => node.name === owner);
          const [ann, bob] = clients;
          if (!victim || !ann || !bob) throw new Error('nobody has the room');
          const closed = [ann, bob].map(({ socket }) => once(socket, 'close'));
          await cluster.kill(victim);
          await Promise.all(closed);
          const again = await comeBack(balancer, 'garden', 'ann');
          const other = await comeBack(balancer, 'garden', 'bob');
          assert.deepEqual(other.users, ['ann'], 'they meet again');
          await Promise.all([again, other].map(({ client }) => client.close()));
        } finally {
          await balancer.close();
        }
      });
    });
  }
});

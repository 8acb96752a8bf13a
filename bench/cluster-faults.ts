/**
 * `npm run bench:cluster-faults -- [--blocks 20] [--deaths 5] [--rooms 5] [--users 3] [--json FILE]`
 *
 * What people notice of a cluster of three nodes and one NATS server, all on this machine:
 * - a block made on one node: until all nodes act by it;
 * - a node that is killed: until everybody of its rooms has all media again, and who notices elsewhere;
 * - all nodes restarted in turn under load, each drained before: how long people were without media of their room mates.
 * Users are as naf-janus-adapter is, which waits for up to a second before it connects again.
 */
import { parseArgs } from 'node:util';
import { Absences } from '../test/support/absences.js';
import { TestCluster } from '../test/support/cluster.js';
import { ClusterCall } from '../test/support/cluster-call.js';
import { dataOf, JanusClient } from '../test/support/janus-client.js';
import { allSee, type NafLike, usersOf } from '../test/support/naf-like.js';
import { releaseNative } from './load/media-peer.js';
import { machineFacts, saveJson } from './report/record.js';
import { median } from './report/statistics.js';

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '20' },
    deaths: { type: 'string', default: '5' },
    rooms: { type: 'string', default: '5' },
    users: { type: 'string', default: '3' },
    json: { type: 'string', default: 'artefacts/cluster-faults.json' },
  },
});
const whole = (name: 'blocks' | 'deaths' | 'rooms' | 'users') => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} ${values[name]}: a whole number is needed`);
};
const [blocks, deaths, rooms, users] = [whole('blocks'), whole('deaths'), whole('rooms'), whole('users')];
const summary = (all: readonly number[]) => ({
  median: Math.round(median(all) * 10) / 10,
  worst: Math.round(Math.max(...all) * 10) / 10,
});

/** Milliseconds from the request until each node has told its own Bob of it, which it does once it acts by it. */
async function measureBlocks(cluster: TestCluster): Promise<number[]> {
  const bobs: JanusClient[] = [];
  for (const [index, node] of cluster.nodes.entries()) {
    const room = `bob's room ${index}`;
    await cluster.place(room, node);
    const bob = await JanusClient.connect(`${node.server.wsUrl}/?room=${encodeURIComponent(room)}`);
    await bob.join(room, 'bob', { notifications: true });
    bobs.push(bob);
  }
  const ann = await JanusClient.connect(cluster.node(0).server.wsUrl);
  const handle = await ann.join("bob's room 0", 'ann', { data: true });
  const took: number[] = [];
  for (let turn = 0; turn < blocks; turn += 1) {
    const kind = turn % 2 === 0 ? 'block' : 'unblock';
    const marks = bobs.map((bob) => bob.received.length);
    const asked = performance.now();
    const told = bobs.map((bob, index) => bob.until((one) => dataOf(one).event === `${kind}ed`, kind, marks[index]));
    await Promise.all([ann.message(handle, { kind, whom: 'bob' }), ...told]);
    took.push(performance.now() - asked);
  }
  await Promise.all([...bobs, ann].map((client) => client.close()));
  return took;
}

/** Milliseconds from the death of a node until its room has all media again. */
async function measureDeath(cluster: TestCluster, turn: number): Promise<number> {
  const [doomed, ...others] = cluster.nodes;
  const [near, far] = others;
  if (!doomed || !near || !far) throw new Error('three nodes are needed');
  const [room, elsewhere] = [`doomed ${turn}`, `elsewhere ${turn}`];
  await cluster.place(room, doomed);
  await cluster.place(elsewhere, near);
  const call = await ClusterCall.open(elsewhere, [near.server.wsUrl, far.server.wsUrl]);
  const all = usersOf(room, 4, () => cluster.nodes);
  try {
    for (const user of all) user.start();
    await allSee(all);
    call.look();
    const died = performance.now();
    await cluster.kill(doomed);
    await Promise.all(all.map((user) => user.until(() => !user.joined, `${user.id} notices`)));
    await allSee(all);
    const took = performance.now() - died;
    await call.undisturbed('while a node died');
    return took;
  } finally {
    await Promise.all([call.close(), ...all.map((user) => user.close())]);
    await cluster.add();
    await cluster.complete();
  }
}

interface Restarts {
  waits: number;
  /** Milliseconds until all media was back, and until the user was in the room again. */
  media: { median: number; worst: number };
  joined: { median: number; worst: number };
  lost: number;
  refused: string[];
}

async function measureRestarts(): Promise<Restarts> {
  let result: Restarts | null = null;
  await TestCluster.open(3, { DRAIN_TIMEOUT: '2' }, async (cluster) => {
    const all: NafLike[] = [];
    for (let room = 0; room < rooms; room += 1) all.push(...usersOf(`room ${room}`, users, () => cluster.nodes));
    try {
      const absences = await Absences.during(all, (whole) => cluster.restartAll(whole));
      result = {
        waits: absences.ended.length,
        media: summary(absences.ended.map(({ took }) => took)),
        joined: summary(absences.ended.map(({ joined }) => joined)),
        lost: all.filter(({ joined }) => !joined).length,
        refused: all.flatMap(({ refused }) => refused),
      };
    } finally {
      await Promise.all(all.map((user) => user.close()));
    }
  });
  if (!result) throw new Error('nothing was measured');
  return result;
}

const figures: Record<string, unknown> = { ...machineFacts(), rooms, users };
await TestCluster.open(3, {}, async (cluster) => {
  if (blocks > 0) {
    const took = await measureBlocks(cluster);
    figures.blocks = { took, ...summary(took) };
    console.log(`a block acts on all nodes after, ms (${blocks} times):`, summary(took));
  }
  const took: number[] = [];
  for (let turn = 0; turn < deaths; turn += 1) took.push(await measureDeath(cluster, turn));
  if (deaths > 0) {
    figures.deaths = { took, ...summary(took) };
    console.log(`all media back after the death of a node, ms (${took.map(Math.round).join(', ')}):`, summary(took));
  }
});
if (rooms > 0) {
  const restarts = await measureRestarts();
  figures.restarts = restarts;
  console.log(`three nodes restarted in turn, ${rooms} rooms of ${users}; waits, ms:`, restarts);
}
releaseNative();
saveJson(values.json, figures);
console.error(`written to ${values.json}`);

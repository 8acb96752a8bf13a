/**
 * `npm run bench:cluster`: a cluster of a thousand nodes in virtual time. How even the load is, what the directory has to
 * carry, and how long people wait when nodes die.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bitsSentBy, CAMERA, coresOf, VOICE } from './cluster/costs.js';
import { type Balance, ClusterSimulation, type Settings } from './cluster/simulation.js';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    rooms: { type: 'string', default: '100000' },
    cores: { type: 'string', default: '2' },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string', default: 'artefacts/cluster.json' },
  },
});

/** What a thousand users cost, by the size of their rooms. */
function costs(): Record<string, { 'packets/s': number; cores: string; 'Mbit/s sent': number }> {
  const rows = [4, 10, 30].flatMap((users) =>
    Object.entries({ voice: VOICE, camera: CAMERA }).map(([what, traffic]) => {
      const rooms = 1_000 / users;
      return [
        `rooms of ${users}, ${what}`,
        {
          'packets/s': Math.round(rooms * users * (users - 1) * traffic.packetsPerSecond),
          cores: (rooms * coresOf(users, traffic)).toFixed(1),
          'Mbit/s sent': Math.round((rooms * bitsSentBy(users, traffic)) / 1e6),
        },
      ];
    }),
  );
  return Object.fromEntries(rows);
}

console.log('What 1,000 users cost:');
console.table(costs());

const settings: Settings = {
  seed: Number(values.seed),
  nodes: Number(values.nodes),
  coresPerNode: Number(values.cores),
  rooms: Number(values.rooms),
  usersMean: 4,
  usersMax: 60,
  stay: 1_200,
};
/** Seconds until there are as many rooms as there will be. */
const WARM_UP = 3_600;
const measured = Number(values.minutes) * 60;
const share = (value: number) => `${(value * 100).toFixed(1)} %`;
const quantile = (sorted: number[], part: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

const simulation = new ClusterSimulation(settings);
const { queue, tally } = simulation;

/** Runs to a time, with a line for each ten minutes. */
function runTo(end: number, what: string): void {
  while (queue.now < end) {
    queue.runUntil(Math.min(end, queue.now + 600));
    const { rooms, users, mean, max } = simulation.balance();
    console.error(
      `${what}: ${(queue.now / 60).toFixed(0)} min, ${rooms} rooms, ${users} users, load ${share(mean)}, most ${share(max)}`,
    );
  }
}

interface Phase {
  name: string;
  balance: Balance;
  /** A second: of what nodes write, and of what the directory then tells all of them. */
  writes: number;
  told: number;
  moves: number;
  /** Seconds until a room that had lost its node was served again. */
  recovery: { rooms: number; p50: number; p99: number; max: number };
}

function phase(name: string, seconds: number, act: () => void): Phase {
  const before = { ...tally };
  tally.recoveries.length = 0;
  act();
  runTo(queue.now + seconds, name);
  const { renewals, creates, takes, releases, moves } = tally;
  const writes =
    renewals + creates + takes + releases - before.renewals - before.creates - before.takes - before.releases;
  const recoveries = tally.recoveries.toSorted((a, b) => a - b);
  const balance = simulation.balance();
  return {
    name,
    balance,
    writes: writes / seconds,
    told: (writes / seconds) * balance.alive,
    moves: moves - before.moves,
    recovery: {
      rooms: recoveries.length,
      p50: quantile(recoveries, 0.5),
      p99: quantile(recoveries, 0.99),
      max: recoveries.at(-1) ?? 0,
    },
  };
}

/** Kills so many of those that live, every so many seconds. */
function killEvery(seconds: number, times: number): void {
  for (let count = 0; count < times; count++) {
    queue.after(count * seconds, () => {
      const { aliveNodes } = simulation;
      const [victim] = aliveNodes.slice((count * 7_919) % aliveNodes.length);
      if (victim) simulation.kill(victim, 2);
    });
  }
}

runTo(WARM_UP, 'filling');
const phases = [
  phase('nothing fails', measured, () => {}),
  phase('a node dies every 10 s', measured, () => killEvery(10, measured / 10)),
  phase('one in ten dies at once', measured, () => {
    for (const [index, node] of simulation.aliveNodes.entries()) if (index % 10 === 0) simulation.kill(node, 30);
  }),
  phase('all are restarted in turn, drained for 5 min', measured, () => {
    const { aliveNodes } = simulation;
    for (const [index, node] of aliveNodes.entries()) {
      queue.after((index * Math.max(1, measured - 300)) / aliveNodes.length, () => simulation.drain(node, 300));
    }
  }),
];

console.table(
  Object.fromEntries(
    phases.map(({ name, balance, writes, told, moves, recovery }) => [
      name,
      {
        rooms: balance.rooms,
        'load mean': share(balance.mean),
        p99: share(balance.p99),
        most: share(balance.max),
        'writes/s': Math.round(writes),
        'told/s': Math.round(told),
        moves,
        'back after p50, p99, most': `${recovery.p50.toFixed(1)}, ${recovery.p99.toFixed(1)}, ${recovery.max.toFixed(1)} s`,
      },
    ]),
  ),
);
mkdirSync(path.dirname(values.json), { recursive: true });
writeFileSync(values.json, `${JSON.stringify({ settings, phases }, null, 2)}\n`);
console.error(`written to ${values.json}`);

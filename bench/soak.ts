/**
 * `npm run soak -- [--minutes 60] [--seed N] [--laps 10] [--workers 2] [--no-faults] [--out soak.svg]`
 *
 * A server that lives: users in two processes come, publish, subscribe, block, lose packets and go; now and then one of these
 * processes is killed, a media worker dies or stands still, the main thread stands still. After each lap everybody leaves, and what
 * the server then holds is written down: memory, files, threads, timers, tables. The first lap warms up. The exit code is 0 if in
 * the end all is as it was; the plot shows the way there. Everything that happens is drawn by the seed.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as elapse } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Faults } from '../test/support/faults.js';
import { Random } from '../test/support/random.js';
import { startServer } from '../test/support/server.js';
import { plot, type Series } from './report/plot.js';
import { CrowdProcess } from './soak/crowd-process.js';
import { Observer, type RestingState, type ServerState } from './soak/state.js';
import { complaints, slopeOf } from './soak/verdict.js';

const CROWDS = 2;
/** Milliseconds between two looks. */
const LOOK_INTERVAL = 2_000;
/** One in so many looks injects a fault: each about once in a minute. */
const FAULT_ODDS = 30;
/** Milliseconds for the server to notice that everybody has gone, and for what timers keep. */
const SETTLE = 3_000;

const { values } = parseArgs({
  allowNegative: true,
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    laps: { type: 'string', default: '10' },
    workers: { type: 'string', default: '2' },
    faults: { type: 'boolean', default: true },
    out: { type: 'string', default: 'soak.svg' },
  },
});
const number = (name: 'minutes' | 'seed' | 'laps' | 'workers') => {
  const value = Number(values[name]);
  if (value > 0 || (name === 'seed' && value === 0)) return value;
  throw new Error(`--${name} ${values[name]}: a number above 0 is needed`);
};
const [minutes, seed, laps, workers] = [number('minutes'), number('seed'), number('laps'), number('workers')];

const random = new Random(seed);
const faults = new Faults();
const server = await startServer({ workers, env: { ...faults.env, PLACEMENT: 'spread', LOG_LEVEL: 'error' } });
const observer = new Observer(server, faults, workers);
const crowds = Array.from(
  { length: CROWDS },
  (_, index) => new CrowdProcess(server.wsUrl, `room ${index}`, seed + 1000 * index),
);
const states: ServerState[] = [];
const rests: RestingState[] = [];
const injected: Record<string, number> = {};

console.log(`soak: ${minutes} minutes, ${laps} laps, ${workers} workers, seed ${seed}, server ${server.pid}`);

async function fault(): Promise<void> {
  const shard = random.below(workers);
  const kinds: [string, () => Promise<unknown>][] = [
    ['clients killed', () => random.pick(crowds).kill()],
    ['clients killed', () => random.pick(crowds).kill()],
    ['worker killed', () => faults.inject(shard, { do: 'die' })],
    ['worker stalled', () => faults.inject(shard, { do: 'stall', milliseconds: 2_500 })],
    ['main thread stalled', () => faults.inject('main', { do: 'stall', milliseconds: 1_500 })],
  ];
  const [name, inject] = random.pick(kinds);
  injected[name] = (injected[name] ?? 0) + 1;
  await inject();
}

/** Waits until the server answers again and all workers are there. */
async function well(): Promise<void> {
  while ((await fetch(`${server.httpUrl}/readyz`, { headers: { Connection: 'close' } })).status !== 200)
    await elapse(200);
}

async function lap(until: number): Promise<void> {
  while (performance.now() < until) {
    await elapse(LOOK_INTERVAL);
    await well();
    states.push(await observer.look());
    if (values.faults && random.once(FAULT_ODDS)) await fault();
  }
  await well();
  await Promise.all(crowds.map((crowd) => crowd.rest()));
  await elapse(SETTLE);
  await well();
  const rest = await observer.rest();
  rests.push(rest);
  const { at, resident, anonymous, heap, buffers, files, threads, timers, addons } = rest;
  console.log(
    `${at.toFixed(0)} s: resident ${resident.toFixed(1)} MiB, ${anonymous.toFixed(1)} written, heap ${heap.toFixed(1)}, ` +
      `buffers ${buffers.toFixed(1)}, ${files} files, ${threads} threads, ${timers} timers, ${addons} addons`,
  );
  for (const crowd of crowds) crowd.goOn();
}

/** What the server held over time; of the looks about a hundred. */
function picture(): string {
  const step = Math.ceil(states.length / 100);
  const some = states.filter((_, index) => index % step === 0);
  const series = (name: string, from: readonly ServerState[], read: (state: ServerState) => number): Series => ({
    name,
    points: from.map((state) => [state.at / 60, read(state)] as const),
  });
  return plot({
    title: `A soak of ${minutes} minutes, seed ${seed}`,
    description:
      'Memory, files and users of a server with users that come and go and faults; at a rest nobody is there.',
    x: 'minutes',
    y: 'MiB, or how many',
    series: [
      series('resident memory, MiB', some, ({ resident }) => resident),
      series('the same at a rest', rests, ({ resident }) => resident),
      series('open files', some, ({ files }) => files),
      series('users', some, ({ users }) => users),
    ],
  });
}

let wrong: string[];
try {
  const began = performance.now();
  for (let index = 1; index <= laps; index += 1) await lap(began + (index / laps) * minutes * 60_000);
  const warm = rests.slice(1);
  wrong = complaints(warm, workers);
  const done = crowds.reduce<Record<string, number>>((sum, { counts }) => {
    for (const [what, count] of Object.entries(counts)) sum[what] = (sum[what] ?? 0) + count;
    return sum;
  }, {});
  const slopes = {
    resident: slopeOf(warm, ({ resident }) => resident),
    anonymous: slopeOf(warm, ({ anonymous }) => anonymous),
    heap: slopeOf(warm, ({ heap }) => heap),
    files: slopeOf(warm, ({ files }) => files),
  };
  console.log(JSON.stringify({ minutes, seed, done, injected, slopesPerHour: slopes, rests, wrong }));
} finally {
  for (const crowd of crowds) await crowd.stop();
  faults.close();
}
const ended = await server.stop();
if (ended !== 0) wrong.push(`the server ended with ${ended}: ${server.output().slice(-2000)}`);
writeFileSync(values.out, picture());
console.log(wrong.length === 0 ? `all is as it was; ${values.out}` : `NOT as it was:\n  ${wrong.join('\n  ')}`);
process.exit(wrong.length === 0 ? 0 : 1);

/** Rooms of four as networked-aframe makes them: load generators of ten rooms each, and what a relay does for them. */
import { setTimeout as elapse } from 'node:timers/promises';
import type { Contender } from './contenders.js';
import { GeneratorProcess } from './load/generator-process.js';
import { cpuMicroseconds, residentBytes } from './load/process-stats.js';
import type { Rates } from './load/protocol.js';
import type { LoadMeasurement, Passage } from './load/tally.js';
import { median } from './report/statistics.js';

/** A load generator waits on all its sockets at each wake-up: several with few peers each cost less than one. */
export const ROOMS_PER_GENERATOR = 10;
export const USERS = 4;
/** What each user sends in a second. */
export const RATES = { audioPps: 50, dataPps: 15 };
const MIB = 2 ** 20;

export interface Point {
  rooms: number;
  /** Of one core. */
  cpu: number;
  /** MiB of the process with all peers. */
  resident: number;
  measurement: LoadMeasurement;
}

export const lossOf = ({ expected, received }: { expected: number; received: number }) =>
  100 * (1 - received / expected);

/** Counts of all; the latencies of the one that waited longest. */
function together(parts: readonly LoadMeasurement[]): LoadMeasurement {
  const passage = (lanes: readonly Passage[]): Passage => ({
    sent: lanes.reduce((sum, { sent }) => sum + sent, 0),
    expected: lanes.reduce((sum, { expected }) => sum + expected, 0),
    received: lanes.reduce((sum, { received }) => sum + received, 0),
    latency: {
      p50: median(lanes.map(({ latency }) => latency.p50)),
      p99: Math.max(...lanes.map(({ latency }) => latency.p99)),
      worst: Math.max(...lanes.map(({ latency }) => latency.worst)),
    },
  });
  return { ...passage(parts), data: passage(parts.map(({ data }) => data)) };
}

/** Ten rooms more, from a generator of their own. */
export async function addRooms(
  { target }: Contender,
  generators: GeneratorProcess[],
  rates: Rates = RATES,
): Promise<void> {
  const generator = new GeneratorProcess();
  generators.push(generator);
  await generator.connect(target);
  const shape = { rooms: ROOMS_PER_GENERATOR, users: USERS, listeners: 0 };
  await generator.publish(shape, { data: true, room: `generator-${generators.length}` });
  await generator.subscribe();
  await generator.send(rates);
}

export async function measureRooms(
  { pid }: Contender,
  generators: readonly GeneratorProcess[],
  seconds: number,
): Promise<Point> {
  await Promise.all(generators.map((generator) => generator.begin()));
  const cpuBefore = cpuMicroseconds(pid);
  const started = performance.now();
  await elapse(seconds * 1000);
  const cpu = (cpuMicroseconds(pid) - cpuBefore) / 1000 / (performance.now() - started);
  const resident = residentBytes(pid) / MIB;
  const measurement = together(await Promise.all(generators.map((generator) => generator.end())));
  return { rooms: generators.length * ROOMS_PER_GENERATOR, cpu, resident, measurement };
}

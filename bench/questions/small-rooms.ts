/** Many small rooms on one worker, as with networked-aframe: voices and positions of four people each. */
import { setTimeout as elapse } from 'node:timers/promises';
import { type Contender, startJanusSfu } from '../contenders.js';
import { GeneratorProcess } from '../load/generator-process.js';
import { cpuMicroseconds, residentBytes } from '../load/process-stats.js';
import type { LoadMeasurement, Passage } from '../load/tally.js';
import { median } from '../report/statistics.js';
import type { Answer, Question } from './question.js';
import { withContender } from './surroundings.js';

const ROOMS = [10, 30, 60, 100];
/** A load generator waits on all its sockets at each wake-up: several with few peers each cost less than one. */
const ROOMS_PER_GENERATOR = 10;
const USERS = 4;
const RATES = { audioPps: 50, dataPps: 15 };
const WARM_UP_MS = 5000;
const SETTLE_MS = 1000;
const SECONDS = 4;
const MIB = 2 ** 20;

interface Point {
  rooms: number;
  /** Of one core. */
  cpu: number;
  /** MiB of the process with all peers. */
  resident: number;
  measurement: LoadMeasurement;
}

const lossOf = ({ expected, received }: { expected: number; received: number }) => 100 * (1 - received / expected);

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
async function add({ target }: Contender, generators: GeneratorProcess[]): Promise<void> {
  const generator = new GeneratorProcess();
  generators.push(generator);
  await generator.connect(target);
  const shape = { rooms: ROOMS_PER_GENERATOR, users: USERS, listeners: 0 };
  await generator.publish(shape, { data: true, room: `generator-${generators.length}` });
  await generator.subscribe();
  await generator.send(RATES);
}

async function measure({ pid }: Contender, generators: readonly GeneratorProcess[]): Promise<Point> {
  await Promise.all(generators.map((generator) => generator.begin()));
  const cpuBefore = cpuMicroseconds(pid);
  const started = performance.now();
  await elapse(SECONDS * 1000);
  const cpu = (cpuMicroseconds(pid) - cpuBefore) / 1000 / (performance.now() - started);
  const resident = residentBytes(pid) / MIB;
  const measurement = together(await Promise.all(generators.map((generator) => generator.end())));
  return { rooms: generators.length * ROOMS_PER_GENERATOR, cpu, resident, measurement };
}

async function sweep(contender: Contender, tell: (line: string) => void): Promise<Point[]> {
  const generators: GeneratorProcess[] = [];
  const points: Point[] = [];
  try {
    for (const rooms of ROOMS) {
      try {
        while (generators.length * ROOMS_PER_GENERATOR < rooms) await add(contender, generators);
      } catch (error) {
        // The machine is full, of generators most of all: what was measured before stands.
        tell(`no ${rooms} rooms: ${error instanceof Error ? error.message : error}`);
        return points;
      }
      await elapse(points.length === 0 ? WARM_UP_MS : SETTLE_MS);
      const point = await measure(contender, generators);
      points.push(point);
      const { cpu, resident, measurement } = point;
      tell(
        `${rooms} rooms: ${(cpu * 100).toFixed(0)} % of a core, ${resident.toFixed(0)} MiB, audio p99 ${measurement.latency.p99.toFixed(1)} ms, ` +
          `loss ${lossOf(measurement).toFixed(2)} %, data p99 ${measurement.data.latency.p99.toFixed(1)} ms`,
      );
    }
    return points;
  } finally {
    for (const generator of generators) generator.kill();
  }
}

async function ask(tell: (line: string) => void): Promise<Answer> {
  const points = await withContender(
    () => startJanusSfu(),
    (contender) => sweep(contender, tell),
  );
  const last = points.at(-1);
  const figure = (what: string, value: number | undefined, unit: string) => ({
    what,
    value: value ?? Number.NaN,
    unit,
  });
  return {
    figures: [
      figure(`${last?.rooms} rooms of ${USERS}, one worker: CPU`, last && last.cpu * 100, '% of a core'),
      figure('the same, memory', last?.resident, 'MiB'),
      figure('the same, loss of audio', last && lossOf(last.measurement), '%'),
      figure('the same, audio p99', last?.measurement.latency.p99, 'ms'),
      figure('the same, data p99', last?.measurement.data.latency.p99, 'ms'),
    ],
    plots: {
      'cost-rooms': {
        title: 'CPU of the server against rooms of four',
        description: `One worker; each user sends ${RATES.audioPps} audio packets and ${RATES.dataPps} messages a second.`,
        x: 'rooms',
        y: 'percent of a core',
        series: [{ name: 'janus-sfu', points: points.map(({ rooms, cpu }) => [rooms, cpu * 100]) }],
      },
    },
    data: { users: USERS, rates: RATES, points },
  };
}

export const smallRooms: Question = {
  name: 'small-rooms',
  summary: 'many rooms of four on one worker',
  seconds: 60,
  ask,
};

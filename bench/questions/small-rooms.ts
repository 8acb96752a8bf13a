/** Many small rooms on one worker, as with networked-aframe: voices and positions of four people each. */
import { setTimeout as elapse } from 'node:timers/promises';
import { startJanusSfu } from '../contenders.js';
import { cpuMicroseconds, residentBytes } from '../load/process-stats.js';
import type { LoadMeasurement } from '../load/tally.js';
import type { Answer, Question } from './question.js';
import { withContender, withGenerator } from './surroundings.js';

const ROOMS = [10, 25, 50, 100];
const USERS = 4;
const RATES = { audioPps: 50, dataPps: 15 };
const WARM_UP_MS = 5000;
const SECONDS = 5;
const MIB = 2 ** 20;

interface Point {
  rooms: number;
  /** Of one core. */
  cpu: number;
  /** MiB of the process with all peers, and before them. */
  resident: number;
  before: number;
  measurement: LoadMeasurement;
}

const lossOf = ({ expected, received }: { expected: number; received: number }) => 100 * (1 - received / expected);

async function one(rooms: number): Promise<Point> {
  return withContender(
    () => startJanusSfu(),
    (contender) =>
      withGenerator(contender, async (generator) => {
        const before = residentBytes(contender.pid) / MIB;
        await generator.publish({ rooms, users: USERS, listeners: 0 }, { data: true });
        await generator.subscribe();
        await generator.send(RATES);
        await elapse(WARM_UP_MS);
        await generator.begin();
        const cpuBefore = cpuMicroseconds(contender.pid);
        const started = performance.now();
        await elapse(SECONDS * 1000);
        const cpu = (cpuMicroseconds(contender.pid) - cpuBefore) / 1000 / (performance.now() - started);
        const resident = residentBytes(contender.pid) / MIB;
        return { rooms, cpu, resident, before, measurement: await generator.end() };
      }),
  );
}

async function ask(tell: (line: string) => void): Promise<Answer> {
  const points: Point[] = [];
  for (const rooms of ROOMS) {
    const point = await one(rooms);
    points.push(point);
    const { cpu, resident, measurement } = point;
    tell(
      `${rooms} rooms: ${(cpu * 100).toFixed(0)} % of a core, ${resident.toFixed(0)} MiB, audio p99 ${measurement.latency.p99.toFixed(1)} ms, ` +
        `loss ${lossOf(measurement).toFixed(2)} %, data p99 ${measurement.data.latency.p99.toFixed(1)} ms`,
    );
  }
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
  seconds: 75,
  ask,
};

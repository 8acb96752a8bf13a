/** Many small rooms on one worker, as with networked-aframe: voices and positions of four people each. */
import { setTimeout as elapse } from 'node:timers/promises';
import { type Contender, startJanusSfu } from '../contenders.js';
import type { GeneratorProcess } from '../load/generator-process.js';
import { addRooms, lossOf, measureRooms, type Point, RATES, ROOMS_PER_GENERATOR, USERS } from '../rooms-of-four.js';
import type { Answer, Question } from './question.js';
import { withContender } from './surroundings.js';

const ROOMS = [10, 30, 60, 100];
const WARM_UP_MS = 5000;
const SETTLE_MS = 1000;
const SECONDS = 4;

async function sweep(contender: Contender, tell: (line: string) => void): Promise<Point[]> {
  const generators: GeneratorProcess[] = [];
  const points: Point[] = [];
  try {
    for (const rooms of ROOMS) {
      try {
        while (generators.length * ROOMS_PER_GENERATOR < rooms) await addRooms(contender, generators);
      } catch (error) {
        // The machine is full, of generators most of all: what was measured before stands.
        tell(`no ${rooms} rooms: ${error instanceof Error ? error.message : error}`);
        return points;
      }
      await elapse(points.length === 0 ? WARM_UP_MS : SETTLE_MS);
      const point = await measureRooms(contender, generators, SECONDS);
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

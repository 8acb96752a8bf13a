/** What a packet costs as subscribers come, and what a subscriber's peer costs in memory. */
import { setTimeout as elapse } from 'node:timers/promises';
import { type Contender, type ContenderName, startBareLoop, startJanusSfu } from '../contenders.js';
import { measureWindow, WARM_UP_MS } from '../forwarding.js';
import { residentBytes } from '../load/process-stats.js';
import type { Answer, Question } from './question.js';
import { withContender, withGenerator } from './surroundings.js';

const COUNTS = [10, 50, 100, 200, 400];
/** Few enough packets that the generator can take them at the largest count. */
const RATES = { videoPps: 50, audioPps: 50 };
const SECONDS = 3;
/** After more have connected: their set-up is no part of the cost of a packet. */
const SETTLE_MS = 1000;
const MIB = 2 ** 20;

interface Point {
  relay: ContenderName;
  subscribers: number;
  cpuPerPacket: number;
  loss: number;
  p99: number;
  /** Resident memory of the process, MiB. */
  resident: number;
}

async function sweep(contender: Contender, tell: (line: string) => void): Promise<Point[]> {
  return withGenerator(contender, async (generator) => {
    const points: Point[] = [];
    await generator.publish({ rooms: 1, users: 1, listeners: COUNTS.at(-1) ?? 0 });
    let there = 0;
    for (const subscribers of COUNTS) {
      // Without packets that take the CPU which connecting needs.
      await generator.send({});
      await generator.subscribe({ count: subscribers - there });
      await generator.send(RATES);
      await elapse(there === 0 ? WARM_UP_MS : SETTLE_MS);
      there = subscribers;
      const { cpuPerPacket, loss, latency } = await measureWindow(contender, generator, SECONDS);
      const resident = residentBytes(contender.pid) / MIB;
      points.push({ relay: contender.name, subscribers, cpuPerPacket, loss, p99: latency.p99, resident });
      tell(
        `${contender.name}, ${subscribers} subscribers: ${cpuPerPacket.toFixed(1)} us/packet, ${resident.toFixed(0)} MiB`,
      );
    }
    return points;
  });
}

const RELAYS = ['janus-sfu', 'bare loop'] as const;

function seriesOf(points: readonly Point[], y: (point: Point) => number) {
  return RELAYS.map((name) => ({
    name,
    points: points.filter(({ relay }) => relay === name).map((point) => [point.subscribers, y(point)] as const),
  }));
}

async function ask(tell: (line: string) => void): Promise<Answer> {
  const points: Point[] = [];
  for (const start of [() => startJanusSfu(), startBareLoop]) {
    points.push(...(await withContender(start, (contender) => sweep(contender, tell))));
  }
  const cost = (relay: ContenderName, subscribers: number) =>
    points.find((point) => point.relay === relay && point.subscribers === subscribers)?.cpuPerPacket ?? Number.NaN;
  const rates = `${RATES.videoPps} video and ${RATES.audioPps} audio packets a second`;
  return {
    figures: [
      ...[50, 400].map((count) => ({
        what: `CPU per packet, 1 x ${count}`,
        value: cost('janus-sfu', count),
        unit: 'us',
      })),
      ...[50, 400].map((count) => ({
        what: `the same to the bare loop, 1 x ${count}`,
        value: cost('janus-sfu', count) / cost('bare loop', count),
        unit: '',
      })),
    ],
    plots: {
      'cost-subscribers': {
        title: 'CPU per forwarded packet against subscribers',
        description: `One publisher of ${rates}; user and system time of the relay's process.`,
        x: 'subscribers',
        y: 'microseconds of CPU per packet',
        series: seriesOf(points, ({ cpuPerPacket }) => cpuPerPacket),
      },
    },
    data: { rates: RATES, seconds: SECONDS, points },
  };
}

export const subscribers: Question = {
  name: 'subscribers',
  summary: 'CPU per packet against the number of subscribers',
  seconds: 75,
  ask,
};

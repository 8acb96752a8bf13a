/** What more workers cost and give, where there are rooms for all of them. */
import { setTimeout as elapse } from 'node:timers/promises';
import { startJanusSfu } from '../contenders.js';
import { type ForwardingResult, measureWindow, WARM_UP_MS } from '../forwarding.js';
import type { Answer, Question } from './question.js';
import { withContender, withGenerator } from './surroundings.js';

const WORKERS = [1, 2, 4];
const SHAPE = { rooms: 8, users: 1, listeners: 12 };
const RATES = { videoPps: 150, audioPps: 50 };
const SECONDS = 3;

type Point = Omit<ForwardingResult, 'memoryPerSubscriber'> & { workers: number };

async function ask(tell: (line: string) => void): Promise<Answer> {
  const points: Point[] = [];
  for (const workers of WORKERS) {
    await withContender(
      () => startJanusSfu(workers),
      (contender) =>
        withGenerator(contender, async (generator) => {
          await generator.publish(SHAPE);
          await generator.subscribe();
          await generator.send(RATES);
          await elapse(WARM_UP_MS);
          points.push({ workers, ...(await measureWindow(contender, generator, SECONDS)) });
        }),
    );
    const { cpuPerPacket, latency } = points.at(-1) ?? { cpuPerPacket: Number.NaN, latency: { p99: Number.NaN } };
    tell(`${workers} workers: ${cpuPerPacket.toFixed(1)} us/packet, p99 ${latency.p99.toFixed(1)} ms`);
  }
  return {
    figures: points.map(({ workers, cpuPerPacket }) => ({
      what: `CPU per packet, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
      value: cpuPerPacket,
      unit: 'us',
    })),
    plots: {
      'cost-workers': {
        title: 'CPU per forwarded packet against workers',
        description: `${SHAPE.rooms} rooms of one publisher and ${SHAPE.listeners} listeners, ${RATES.videoPps} video packets a second each.`,
        x: 'workers',
        y: 'microseconds of CPU per packet',
        series: [{ name: 'janus-sfu', points: points.map(({ workers, cpuPerPacket }) => [workers, cpuPerPacket]) }],
      },
    },
    data: { shape: SHAPE, rates: RATES, points },
  };
}

export const workers: Question = { name: 'workers', summary: 'CPU per packet against workers', seconds: 42, ask };

/** What messages between 30 users cost: through data channels, and by the signalling as `data` of the plugin. */
import { setTimeout as elapse } from 'node:timers/promises';
import { startJanusSfu } from '../contenders.js';
import type { Quantiles } from '../load/histogram.js';
import { cpuMicroseconds } from '../load/process-stats.js';
import type { Rates } from '../load/protocol.js';
import type { Answer, Question } from './question.js';
import { withContender, withGenerator } from './surroundings.js';

const USERS = 30;
const PER_SECOND = 15;
const WARM_UP_MS = 5000;
const SECONDS = 5;

interface Way {
  name: string;
  /** Microseconds of user + system time of the server per message that came. */
  cpuPerMessage: number;
  /** Of one core. */
  cpu: number;
  delivered: number;
  loss: number;
  latency: Quantiles;
}

async function measure(name: string, rates: Rates): Promise<Way> {
  return withContender(
    () => startJanusSfu(),
    (contender) =>
      withGenerator(contender, async (generator) => {
        await generator.publish({ rooms: 1, users: USERS, listeners: 0 }, { data: true });
        await generator.send(rates);
        await elapse(WARM_UP_MS);
        await generator.begin();
        const cpuBefore = cpuMicroseconds(contender.pid);
        const started = performance.now();
        await elapse(SECONDS * 1000);
        const spent = cpuMicroseconds(contender.pid) - cpuBefore;
        const elapsed = performance.now() - started;
        const { data } = await generator.end();
        return {
          name,
          cpuPerMessage: spent / data.received,
          cpu: spent / 1000 / elapsed,
          delivered: data.received / (elapsed / 1000),
          loss: 1 - data.received / data.expected,
          latency: data.latency,
        };
      }),
  );
}

async function ask(tell: (line: string) => void): Promise<Answer> {
  const ways: Way[] = [];
  for (const [name, rates] of [
    ['data channels', { dataPps: PER_SECOND }],
    ['signalled', { signalledPps: PER_SECOND }],
  ] as const) {
    const way = await measure(name, rates);
    ways.push(way);
    tell(
      `${name}: ${way.cpuPerMessage.toFixed(1)} us per delivered message, ${way.delivered.toFixed(0)} a second, ` +
        `p99 ${way.latency.p99.toFixed(1)} ms, loss ${(way.loss * 100).toFixed(2)} %`,
    );
  }
  return {
    figures: ways.flatMap(({ name, cpuPerMessage, latency }) => [
      { what: `${USERS} users x ${PER_SECOND} messages/s, ${name}: CPU each`, value: cpuPerMessage, unit: 'us' },
      { what: 'the same, p99', value: latency.p99, unit: 'ms' },
    ]),
    data: { users: USERS, perSecond: PER_SECOND, ways },
  };
}

export const data: Question = { name: 'data', summary: '30 users who send messages', seconds: 24, ask };

/** How long a client waits from attaching to `webrtcup`, alone and with many others at once, and what that costs the server. */
import { startJanusSfu } from '../contenders.js';
import { cpuMicroseconds } from '../load/process-stats.js';
import type { ConnectReport } from '../load/protocol.js';
import type { Answer, Question } from './question.js';
import { withContender, withGenerator } from './surroundings.js';

/** Clients at once, and how many there are in all. */
const LOADS = [
  { atOnce: 1, clients: 100 },
  { atOnce: 50, clients: 200 },
  { atOnce: 500, clients: 500 },
];
/** What is compiled by then is no part of what a client waits for. */
const WARM_UP_CLIENTS = 50;

interface Point extends ConnectReport {
  atOnce: number;
  /** Milliseconds of user + system time of the server, per client: WebSocket, session, PeerConnection, join. */
  cpuPerClient: number;
}

async function ask(tell: (line: string) => void): Promise<Answer> {
  const points = await withContender(
    () => startJanusSfu(),
    async (contender) => {
      const connect = (clients: number, atOnce: number) =>
        withGenerator(contender, async (generator) => {
          const before = cpuMicroseconds(contender.pid);
          const report = await generator.publish({ rooms: clients, users: 1, listeners: 0 }, { atOnce, data: true });
          return { ...report, atOnce, cpuPerClient: (cpuMicroseconds(contender.pid) - before) / 1000 / clients };
        });
      await connect(WARM_UP_CLIENTS, 1);
      const all: Point[] = [];
      for (const { atOnce, clients } of LOADS) {
        const point = await connect(clients, atOnce);
        all.push(point);
        const { p50, p99, worst } = point.setup;
        tell(
          `${atOnce} at once, ${clients} in all: p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)}, worst ${worst.toFixed(0)} ms, ` +
            `${point.cpuPerClient.toFixed(1)} ms of server CPU each`,
        );
      }
      return all;
    },
  );
  return {
    figures: points.flatMap(({ atOnce, setup, cpuPerClient }) => [
      { what: `attach to webrtcup, ${atOnce} at once, p50`, value: setup.p50, unit: 'ms' },
      { what: `the same, p99`, value: setup.p99, unit: 'ms' },
      { what: `CPU of the server per client, ${atOnce} at once`, value: cpuPerClient, unit: 'ms' },
    ]),
    data: { points },
  };
}

export const setup: Question = {
  name: 'setup',
  summary: 'attach to webrtcup, 1, 50 and 500 clients at once',
  seconds: 20,
  ask,
};

/** What it costs when a room of 30 comes together: 30 publishers, 870 subscriptions. */
import { startJanusSfu } from '../contenders.js';
import { cpuMicroseconds, residentBytes } from '../load/process-stats.js';
import type { Answer, Question } from './question.js';
import { withContender, withGenerator } from './surroundings.js';

const USERS = 30;
const MOST_CPU_S = 5;
const MIB = 2 ** 20;

async function ask(tell: (line: string) => void): Promise<Answer> {
  return withContender(
    () => startJanusSfu(),
    (contender) =>
      withGenerator(contender, async (generator) => {
        const [cpuBefore, memoryBefore] = [cpuMicroseconds(contender.pid), residentBytes(contender.pid)];
        const started = performance.now();
        await generator.publish({ rooms: 1, users: USERS, listeners: 0 }, { data: true });
        const publishersCpu = (cpuMicroseconds(contender.pid) - cpuBefore) / 1e6;
        const { connected, setup } = await generator.subscribe();
        const seconds = (performance.now() - started) / 1000;
        const cpu = (cpuMicroseconds(contender.pid) - cpuBefore) / 1e6;
        const memory = (residentBytes(contender.pid) - memoryBefore) / MIB;
        tell(
          `${USERS} users, ${connected} subscriptions in ${seconds.toFixed(1)} s: ${cpu.toFixed(2)} s of server CPU ` +
            `(${publishersCpu.toFixed(2)} s for the publishers), ${memory.toFixed(0)} MiB; set-up p50 ${setup.p50.toFixed(0)} ms, p99 ${setup.p99.toFixed(0)} ms`,
        );
        return {
          figures: [
            {
              what: `room of ${USERS}, ${connected} subscriptions: CPU of the server`,
              value: cpu,
              unit: 's',
              most: MOST_CPU_S,
            },
            { what: 'the same, until all are there', value: seconds, unit: 's' },
            { what: 'the same, memory', value: memory, unit: 'MiB' },
          ],
          data: { users: USERS, connected, seconds, cpu, publishersCpu, memory, setup },
        };
      }),
  );
}

export const room: Question = { name: 'room', summary: 'a room of 30 comes together', seconds: 15, ask };

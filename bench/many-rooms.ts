/**
 * `node dist/bench/many-rooms.js [--rooms 100] [--workers 1] [--share 0.2] [--seconds 5] [--late]
 *   [--output artefacts/bench/many-rooms.json]`
 *
 * Rooms of four that come one after the other, ten at a time, each user with a share of networked-aframe's rates (50 audio
 * packets and 15 messages a second): at all of them load generators are full long before a server of as many cores. What
 * it costs, and how evenly the workers are loaded, by what they sent and by how much of their time their loops work.
 * `--late`: nobody sends before all are there.
 */
import { setTimeout as elapse } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startJanusSfu } from './contenders.js';
import type { GeneratorProcess } from './load/generator-process.js';
import { machineFacts, saveJson } from './report/record.js';
import { addRooms, lossOf, measureRooms, RATES, ROOMS_PER_GENERATOR, USERS } from './rooms-of-four.js';
import { readWorkers } from './sinks.js';

const WARM_UP_MS = 5000;

const { values } = parseArgs({
  options: {
    rooms: { type: 'string', default: '100' },
    workers: { type: 'string', default: '1' },
    share: { type: 'string', default: '0.2' },
    seconds: { type: 'string', default: '5' },
    late: { type: 'boolean', default: false },
    output: { type: 'string', default: 'artefacts/bench/many-rooms.json' },
  },
});
const [rooms, workers, share, seconds] = [values.rooms, values.workers, values.share, values.seconds].map(Number);
if (!(rooms && workers && share && seconds && rooms > 0 && workers > 0 && share > 0 && seconds > 0))
  throw new Error('--rooms, --workers, --share, --seconds: numbers over 0');
const rates = { audioPps: RATES.audioPps * share, dataPps: RATES.dataPps * share };
const server = await startJanusSfu(workers, { WS_PING_INTERVAL: '0' });
const generators: GeneratorProcess[] = [];
try {
  while (generators.length * ROOMS_PER_GENERATOR < rooms) await addRooms(server, generators, values.late ? {} : rates);
  if (values.late) await Promise.all(generators.map((generator) => generator.send(rates)));
  await elapse(WARM_UP_MS);
  const before = await readWorkers(server.httpUrl, workers);
  const point = await measureRooms(server, generators, seconds);
  const after = await readWorkers(server.httpUrl, workers);
  const { cpu, resident, measurement } = point;
  console.log(
    `${point.rooms} rooms of ${USERS} at ${(share * 100).toFixed(0)} % of the rates, ${workers} worker(s): ` +
      `${(cpu * 100).toFixed(0)} % of a core, ${resident.toFixed(0)} MiB, audio ${measurement.received} packets, ` +
      `p50 ${measurement.latency.p50.toFixed(1)} p99 ${measurement.latency.p99.toFixed(1)} ms, loss ${lossOf(measurement).toFixed(2)} %, ` +
      `data p99 ${measurement.data.latency.p99.toFixed(1)} ms, loss ${lossOf(measurement.data).toFixed(2)} %`,
  );
  const perWorker = after.map(({ sent, busy }, shard) => ({ sent: sent - (before[shard]?.sent ?? 0), busy }));
  const over = (of: number[]) => Math.max(...of) / (of.reduce((sum, one) => sum + one, 0) / of.length) - 1;
  const uneven = { sent: over(perWorker.map(({ sent }) => sent)), busy: over(perWorker.map(({ busy }) => busy)) };
  console.log(
    `sent by each ${perWorker.map(({ sent }) => sent).join(', ')}: the most ${(uneven.sent * 100).toFixed(0)} % above the mean; ` +
      `busy ${perWorker.map(({ busy }) => `${(busy * 100).toFixed(0)} %`).join(', ')}: ${(uneven.busy * 100).toFixed(0)} % above`,
  );
  saveJson(values.output, { ...machineFacts(), settings: { workers, share, seconds }, point, perWorker, uneven });
} finally {
  for (const generator of generators) generator.kill();
  await server.stop();
}

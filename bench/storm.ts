/**
 * `npm run bench:storm -- [--clients 2000] [--room 10] [--peers 20] [--runs 3] [--cycles 20000] [--json FILE]`
 *
 * What happens when everybody comes back at once, and what a client that comes costs:
 * - signalling clients come one after the other: CPU and memory of each; then all connections are cut and all come back at once;
 * - 500 messages a second, each to the others of a room of ten;
 * - real peers (a publisher with audio, video and data each, and subscriptions to two others) whose server is killed and started again;
 * - create, attach, join, leave, many times: the memory after each of ten laps.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { User } from '../test/support/peer.js';
import { startServer } from '../test/support/server.js';
import { Inspector } from './load/inspector.js';
import { cpuMicroseconds } from './load/process-stats.js';
import { churn } from './load/signalling.js';
import { Storm } from './load/storm.js';

const KIB = 1024;
const MESSAGE_RATE = 500;
const MESSAGE_SECONDS = 10;
const LAPS = 10;
const LIMITS = {
  LOG_LEVEL: 'warn',
  SFU_WORKERS: '1',
  WS_CONNECTIONS_PER_ADDRESS: '100000',
  WS_REQUEST_RATE: '1000000',
  WS_REQUEST_BURST: '1000000',
  WS_REQUEST_RATE_PER_ADDRESS: '1000000',
  WS_REQUEST_BURST_PER_ADDRESS: '1000000',
};

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '2000' },
    room: { type: 'string', default: '10' },
    peers: { type: 'string', default: '20' },
    runs: { type: 'string', default: '3' },
    cycles: { type: 'string', default: '20000' },
    json: { type: 'string' },
  },
});
const whole = (name: 'clients' | 'room' | 'peers' | 'runs' | 'cycles') => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} ${values[name]}: a whole number is needed`);
};
const quantile = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

async function signalling(clients: number, roomSize: number) {
  const server = await startServer({ env: { ...LIMITS, NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  const inspector = await Inspector.attach(server.output(), server.pid);
  const storm = new Storm(server.wsUrl, clients, roomSize);
  await storm.watch();
  const memory = await inspector.memory();
  const cpu = cpuMicroseconds(server.pid);
  await storm.enter();
  const joinCpuMs = (cpuMicroseconds(server.pid) - cpu) / 1000 / clients;
  const joinKib = ((await inspector.memory()).resident - memory.resident) / KIB / clients;
  const back = await storm.reconnect();
  const again = await storm.reconnect();
  const latencies = await storm.talk(MESSAGE_RATE, MESSAGE_SECONDS, roomSize);
  const messages = {
    received: latencies.length,
    expected: MESSAGE_RATE * MESSAGE_SECONDS * roomSize,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    worst: quantile(latencies, 1),
  };
  storm.close();
  inspector.close();
  await server.stop();
  return { joinCpuMs, joinKib, storms: [back, again], messages };
}

/** A room of real peers whose server is killed: milliseconds from the new one being ready until all media flows again. */
async function realPeers(count: number): Promise<{ peers: number; subscriptions: number; backMs: number }> {
  const enter = async (url: string) => {
    const users = await Promise.all(
      Array.from({ length: count }, (_, index) => User.connect(url, 'storm', `peer ${index}`)),
    );
    await Promise.all(
      users.map(async (user) => {
        const publisher = await user.publish();
        publisher.start({ audioPps: 10, videoPps: 10 });
      }),
    );
    await Promise.all(
      users.flatMap((user, index) =>
        [1, 2].map(async (step) => {
          const source = users[(index + step) % count];
          if (source && source !== user)
            await (await user.subscribe(source.id, { countOnly: true })).more('audio', 3, 30_000);
        }),
      ),
    );
    return users;
  };
  const first = await startServer({ env: LIMITS });
  const users = await enter(first.wsUrl);
  first.process.kill('SIGKILL');
  const second = await startServer({ env: { ...LIMITS, WS_PORT: new URL(first.wsUrl).port } });
  const began = performance.now();
  const back = await enter(second.wsUrl);
  const backMs = performance.now() - began;
  await Promise.all([...users, ...back].map((user) => user.close()));
  await second.stop();
  return { peers: count, subscriptions: 2 * count, backMs };
}

async function cycle(cycles: number) {
  const server = await startServer({ env: { ...LIMITS, NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  const inspector = await Inspector.attach(server.output(), server.pid);
  const laps: { heapMib: number; residentMib: number }[] = [];
  for (let lap = 0; lap <= LAPS; lap += 1) {
    await churn(server.wsUrl, Math.ceil(cycles / LAPS));
    const { heap, resident } = await inspector.memory();
    laps.push({ heapMib: heap / KIB / KIB, residentMib: resident / KIB / KIB });
  }
  inspector.close();
  await server.stop();
  return { cycles: cycles + Math.ceil(cycles / LAPS), laps };
}

const [clients, roomSize, peers, runs, cycles] = [
  whole('clients'),
  whole('room'),
  whole('peers'),
  whole('runs'),
  whole('cycles'),
];
const result: Record<string, unknown[]> = { signalling: [], peers: [], cycles: [] };
const note = (what: string, figures: unknown) => {
  result[what]?.push(figures);
  console.log(JSON.stringify({ [what]: figures }));
};
for (let run = 0; run < runs; run += 1) {
  if (clients > 0) note('signalling', await signalling(clients, roomSize));
  if (peers > 0) note('peers', await realPeers(peers));
}
if (cycles > 0) note('cycles', await cycle(cycles));
if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
process.exit(0);

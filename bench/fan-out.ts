/**
 * `npm run bench:fan-out -- [--subscribers 400] [--video-pps 1000] [--seconds 6] [--runs 3] [--fan-out spread]
 *   [--at-once 8] [--output artefacts/bench/fan-out.json]`
 *
 * One publisher, more subscribers than one worker carries: what one worker sends at most, and what two send. The
 * subscribers' process is stopped once they are connected, so that the cores are the server's; the publisher sends more
 * than can be forwarded. Runs in turns, medians. `--fan-out auto` shows whether the server spreads them by itself: the
 * publisher then sends as much while they connect. Many that connect at once make a worker busy too: `--at-once 1` is gentler.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as elapse } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startJanusSfu } from './contenders.js';
import { GeneratorProcess } from './load/generator-process.js';
import { cpuMicroseconds } from './load/process-stats.js';
import { places, type Shape } from './load/shape.js';
import { machineFacts, saveJson } from './report/record.js';
import { median } from './report/statistics.js';
import { table } from './report/table.js';
import { connectSink, readWorkers, type WorkerFigures } from './sinks.js';

/** Consent to send (RFC 7675) ends 30 s after a subscriber is stopped: all is measured before. Milliseconds. */
const WARM_UP = 4000;
const MOST_SECONDS = 15;
/** Packets a second while the subscribers connect: enough for compilers to have seen what runs per packet. */
const WHILE_CONNECTING = 20;

const ROOM = 'bench';
const PUBLISHER: Shape = { rooms: 1, users: 1, listeners: 0 };

const { values: given } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '400' },
    'video-pps': { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '6' },
    runs: { type: 'string', default: '3' },
    'fan-out': { type: 'string', default: 'spread' },
    'at-once': { type: 'string', default: '8' },
    output: { type: 'string', default: 'artefacts/bench/fan-out.json' },
  },
});

function whole(name: 'subscribers' | 'video-pps' | 'seconds' | 'runs' | 'at-once', most = 1e6): number {
  const value = Number(given[name]);
  if (Number.isInteger(value) && value > 0 && value <= most) return value;
  throw new Error(`--${name} ${given[name]}: a whole number from 1 to ${most} is needed`);
}

const settings = {
  subscribers: whole('subscribers'),
  videoPps: whole('video-pps'),
  seconds: whole('seconds', MOST_SECONDS),
  runs: whole('runs'),
  fanOut: given['fan-out'],
  atOnce: whole('at-once'),
};

interface Result {
  workers: number;
  /** Packets that all workers sent in a second. */
  sentPerSecond: number;
  /** Cores that the server's process took. */
  cores: number;
  perWorker: WorkerFigures[];
}

async function measure(workers: number): Promise<Result> {
  const { subscribers, videoPps, seconds, fanOut, atOnce } = settings;
  // Without limits of its own: what is measured is what the workers can do at most.
  const server = await startJanusSfu(workers, { FAN_OUT: fanOut, LOOP_DELAY_MAX: '0' });
  const generator = new GeneratorProcess();
  let sink: ChildProcess | null = null;
  try {
    await generator.connect(server.target);
    await generator.publish(PUBLISHER, { room: ROOM });
    await generator.send({ videoPps: fanOut === 'auto' ? videoPps : WHILE_CONNECTING });
    const [sender] = places(PUBLISHER, ROOM).senders;
    if (!sender) throw new Error('there is no publisher');
    sink = await connectSink({ url: server.wsUrl, room: sender.room, source: sender.user, subscribers, atOnce });
    sink.kill('SIGSTOP');
    await generator.send({ videoPps });
    await elapse(WARM_UP);
    const before = await readWorkers(server.httpUrl, workers);
    const cpuBefore = cpuMicroseconds(server.pid);
    const startedAt = performance.now();
    await elapse(seconds * 1000);
    const after = await readWorkers(server.httpUrl, workers);
    const passed = (performance.now() - startedAt) / 1000;
    const cores = (cpuMicroseconds(server.pid) - cpuBefore) / 1e6 / passed;
    const perWorker = after.map((one, shard) => ({
      sent: (one.sent - (before[shard]?.sent ?? 0)) / passed,
      ringFull: (one.ringFull - (before[shard]?.ringFull ?? 0)) / passed,
      busy: one.busy,
    }));
    return { workers, sentPerSecond: perWorker.reduce((sum, { sent }) => sum + sent, 0), cores, perWorker };
  } finally {
    sink?.kill('SIGKILL');
    generator.kill();
    await server.stop();
  }
}

const rounded = (value: number) => Math.round(value).toLocaleString('en');
const share = (value: number) => `${(value * 100).toFixed(0)} %`;
const rowOf = ({ workers, sentPerSecond, cores, perWorker }: Result) => ({
  workers: String(workers),
  'sent/s': rounded(sentPerSecond),
  'by each': perWorker.map(({ sent }) => rounded(sent)).join(' + '),
  'ring full/s': rounded(perWorker.reduce((sum, { ringFull }) => sum + ringFull, 0)),
  'loop busy': perWorker.map(({ busy }) => share(busy)).join(', '),
  cores: cores.toFixed(2),
});

const results: Result[] = [];
for (let run = 0; run < settings.runs; run += 1) {
  for (const workers of [1, 2]) results.push(await measure(workers));
}
const medianOf = (workers: number) =>
  median(results.filter((one) => one.workers === workers).map(({ sentPerSecond }) => sentPerSecond));
const ratio = medianOf(2) / medianOf(1);
console.log(`1 publisher x ${settings.subscribers} subscribers x ${settings.videoPps} packets/s of 1200 B offered`);
console.log(table(results.map(rowOf)));
console.log(`2 workers send ${ratio.toFixed(2)} times what 1 does (medians of ${settings.runs})`);
saveJson(given.output, { ...machineFacts(), settings, results, ratio });

/**
 * `node dist/bench/flatness-sent.js [--subscribers 2000] [--video-pps 10] [--workers 1] [--seconds 4] [--env NAME=VALUE …]
 *   [--output artefacts/bench/flatness-sent.json]`
 *
 * Whether a packet costs more where there are many peers that are all sent to: one publisher, its subscribers' process
 * stopped once they are connected, so that the machine is the relay's; user + system time of the server's whole process
 * for each packet that its workers sent. To be compared between runs with other numbers of subscribers. (flatness.ts asks
 * the same about peers that are only there.) More than one worker: subscribers are spread over all.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as elapse } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startJanusSfu } from './contenders.js';
import { GeneratorProcess } from './load/generator-process.js';
import { cpuMicroseconds } from './load/process-stats.js';
import { places, type Shape } from './load/shape.js';
import { machineFacts, saveJson } from './report/record.js';
import { connectSink, readWorkers } from './sinks.js';

/** Milliseconds; with the measuring less than the 30 s after which the stopped peers' consent is over (RFC 7675). */
const WARM_UP_MS = 5000;
const SECONDS_MAX = 15;
/** Packets a second while the subscribers connect. */
const WHILE_CONNECTING = 1;
const ROOM = 'bench';
const PUBLISHER: Shape = { rooms: 1, users: 1, listeners: 0 };

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '2000' },
    'video-pps': { type: 'string', default: '10' },
    workers: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '4' },
    env: { type: 'string', multiple: true, default: [] },
    output: { type: 'string', default: 'artefacts/bench/flatness-sent.json' },
  },
});
const [subscribers, videoPps, workers] = [
  Number(values.subscribers),
  Number(values['video-pps']),
  Number(values.workers),
];
const seconds = Math.min(Number(values.seconds), SECONDS_MAX);
if (!(subscribers > 0 && videoPps > 0 && workers > 0 && seconds > 0))
  throw new Error('--subscribers, --video-pps, --workers, --seconds: numbers over 0');
const env = Object.fromEntries(
  values.env.map((one) => {
    const [name = '', ...rest] = one.split('=');
    return [name, rest.join('=')];
  }),
);

const server = await startJanusSfu(workers, {
  WS_PING_INTERVAL: '0',
  LOOP_DELAY_MAX: '0',
  FAN_OUT: workers > 1 ? 'spread' : 'off',
  ...env,
});
const generator = new GeneratorProcess();
let sink: ChildProcess | null = null;
try {
  await generator.connect(server.target);
  await generator.publish(PUBLISHER, { room: ROOM });
  await generator.send({ videoPps: WHILE_CONNECTING });
  const [sender] = places(PUBLISHER, ROOM).senders;
  if (!sender) throw new Error('there is no publisher');
  sink = await connectSink({ url: server.wsUrl, room: sender.room, source: sender.user, subscribers });
  sink.kill('SIGSTOP');
  await generator.send({ videoPps });
  await elapse(WARM_UP_MS);
  const sentBy = async () => (await readWorkers(server.httpUrl, workers)).reduce((sum, { sent }) => sum + sent, 0);
  const before = await sentBy();
  const cpuBefore = cpuMicroseconds(server.pid);
  const started = performance.now();
  await elapse(seconds * 1000);
  const cpu = cpuMicroseconds(server.pid) - cpuBefore;
  const passed = (performance.now() - started) / 1000;
  const sent = (await sentBy()) - before;
  const [cpuPerPacket, sentPerSecond, cores] = [cpu / sent, sent / passed, cpu / 1e6 / passed];
  const complete = sentPerSecond / (subscribers * videoPps);
  console.log(
    `${subscribers} subscribers x ${videoPps} packets/s, ${workers} worker(s): ${cpuPerPacket.toFixed(2)} us for each of ` +
      `${sentPerSecond.toFixed(0)} packets/s sent (${(complete * 100).toFixed(0)} % of what was offered), ${cores.toFixed(2)} cores`,
  );
  const settings = { subscribers, videoPps, workers, seconds, env };
  saveJson(values.output, { ...machineFacts(), settings, cpuPerPacket, sentPerSecond, cores, complete });
} finally {
  sink?.kill('SIGKILL');
  generator.kill();
  await server.stop();
}

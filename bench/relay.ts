/**
 * `npm run bench:relay -- --publishers P --subscribers S --video-pps N --workers W [--seconds 5] [--runs 2] [--json]`
 *
 * What forwarding costs: real peers send RTP through the real server and, in turns, through the bare loop
 * (bench/bare-loop.ts). Each publisher has S subscribers: with S < P all are users of one room who hear S others each,
 * otherwise each publisher has a room of its own. A publisher sends N video packets a second of 1200 bytes, the first of
 * each second a keyframe, and 50 audio packets of 100 bytes. CPU is user + system time of the relay's whole process.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as elapse } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '../test/support/server.js';
import { GeneratorProcess } from './load/generator-process.js';
import { cpuMicroseconds, residentBytes } from './load/process-stats.js';
import type { LoadCommand, LoadMeasurement } from './load/protocol.js';

/** Long enough that the engines of JavaScript have compiled what runs per packet: before, that is most of what is measured. */
const warmUpMs = 8000;
/** Subscribers whose memory doesn't count: with them come code and heap that are needed once. */
const firstSubscribers = 10;

interface Settings {
  publishers: number;
  subscribers: number;
  videoPps: number;
  audioPps: number;
  workers: number;
  seconds: number;
  runs: number;
}

interface Result {
  relay: 'janus-sfu' | 'bare loop';
  /** User + system microseconds of the relay's process per packet that a subscriber received. */
  cpuPerPacket: number;
  /** Of one core, 0..1 and more. */
  cpuLoad: number;
  /** Packets per second that subscribers received. */
  forwardedPerSecond: number;
  /** Share of the packets that subscribers should have received, 0..1. */
  loss: number;
  latency: LoadMeasurement['latency'];
  /** Growth of resident memory per subscriber peer, MiB. */
  memoryPerSubscriber: number;
}

type Target = Extract<LoadCommand, { type: 'connect' }>['target'];

function readSettings(): { settings: Settings; json: boolean; only: string } {
  const { values } = parseArgs({
    options: {
      publishers: { type: 'string', default: '1' },
      subscribers: { type: 'string', default: '50' },
      'video-pps': { type: 'string', default: '300' },
      'audio-pps': { type: 'string', default: '50' },
      workers: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '5' },
      runs: { type: 'string', default: '2' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const whole = (name: 'publishers' | 'subscribers' | 'video-pps' | 'audio-pps' | 'workers' | 'seconds' | 'runs') => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new Error(`--${name} ${values[name]}: a whole number is needed`);
  };
  return {
    settings: {
      publishers: whole('publishers'),
      subscribers: whole('subscribers'),
      videoPps: whole('video-pps'),
      audioPps: whole('audio-pps'),
      workers: whole('workers'),
      seconds: whole('seconds'),
      runs: whole('runs'),
    },
    json: values.json,
    only: values.only,
  };
}

/** One run against a relay that is up: connects, warms up, measures. */
async function measure(relay: Result['relay'], pid: number, target: Target, settings: Settings): Promise<Result> {
  const { publishers, subscribers, videoPps, audioPps, seconds } = settings;
  const generator = new GeneratorProcess();
  await generator.command({ type: 'connect', target });
  await generator.command({ type: 'publish', publishers, subscribers });
  const first = Math.min(firstSubscribers, publishers * subscribers - 1);
  await generator.command({ type: 'subscribe', count: first });
  const memoryBefore = residentBytes(pid);
  await generator.command({ type: 'subscribe' });
  const memory = residentBytes(pid) - memoryBefore;
  await generator.command({ type: 'send', videoPps, audioPps });
  await elapse(warmUpMs);
  await generator.command({ type: 'begin-measuring' });
  const cpuBefore = cpuMicroseconds(pid);
  const startedAt = performance.now();
  await elapse(seconds * 1000);
  const cpu = cpuMicroseconds(pid) - cpuBefore;
  const elapsed = (performance.now() - startedAt) * 1000;
  const measurement = await generator.command({ type: 'end-measuring' });
  if (!measurement) throw new Error('the load generator measured nothing');
  await generator.stop();
  return {
    relay,
    cpuPerPacket: cpu / measurement.received,
    cpuLoad: cpu / elapsed,
    forwardedPerSecond: measurement.received / (elapsed / 1e6),
    loss: 1 - measurement.received / measurement.expected,
    latency: measurement.latency,
    memoryPerSubscriber: memory / 1048576 / (publishers * subscribers - first),
  };
}

async function measureServer(settings: Settings): Promise<Result> {
  const server = await startServer({ workers: settings.workers, env: { MAX_ROOM_SIZE: '1000', MAX_CCU: '1000' } });
  try {
    return await measure('janus-sfu', server.pid, { kind: 'janus', url: server.wsUrl }, settings);
  } finally {
    await server.stop();
  }
}

async function measureBareLoop(settings: Settings): Promise<Result> {
  const child: ChildProcess = fork(fileURLToPath(new URL('./bare-loop.js', import.meta.url)));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  try {
    return await measure('bare loop', child.pid ?? 0, { kind: 'bare', port }, settings);
  } finally {
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle - 1)] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

function format(result: Result): string {
  const { cpuPerPacket, cpuLoad, forwardedPerSecond, loss, latency, memoryPerSubscriber } = result;
  return [
    result.relay.padEnd(10),
    `${cpuPerPacket.toFixed(2)} us/packet`,
    `${(cpuLoad * 100).toFixed(0)} % of a core`,
    `${forwardedPerSecond.toFixed(0)} packets/s`,
    `latency p50 ${latency.p50.toFixed(2)} p99 ${latency.p99.toFixed(2)} ms`,
    `loss ${(loss * 100).toFixed(3)} %`,
    `${memoryPerSubscriber.toFixed(3)} MiB/subscriber`,
  ].join(', ');
}

const { settings, json, only } = readSettings();
const results: Result[] = [];
const log = (line: string) => json || console.log(line);
log(
  `${settings.publishers} x ${settings.subscribers} x ${settings.videoPps} video + ${settings.audioPps} audio packets/s, ` +
    `${settings.workers} worker(s), ${settings.runs} run(s) of ${settings.seconds} s`,
);
for (let run = 0; run < settings.runs; run++) {
  for (const measureOne of [
    ...(only === 'bare' ? [] : [measureServer]),
    ...(only === 'ours' ? [] : [measureBareLoop]),
  ]) {
    const result = await measureOne(settings);
    results.push(result);
    log(format(result));
  }
}
const medianOf = (relay: Result['relay']) =>
  median(results.filter((result) => result.relay === relay).map((result) => result.cpuPerPacket));
const ratio = medianOf('janus-sfu') / medianOf('bare loop');
log(`CPU per packet against the bare loop, medians: ${ratio.toFixed(2)}`);
if (json) console.log(JSON.stringify({ settings, results, ratio }, null, 2));

/**
 * `npm run bench:relay -- --publishers P --subscribers S --video-pps N --workers W [--seconds 5] [--runs 2] [--json]`
 *
 * What forwarding costs: real peers send RTP through the real server and, in turns, through the bare loop
 * (bench/bare-loop.ts). Each publisher has S subscribers: with S < P all are users of one room who hear S others each,
 * otherwise each publisher has a room of its own. A publisher sends N video packets a second of 1200 bytes, the first of
 * each second a keyframe, and 50 audio packets of 100 bytes. CPU is user + system time of the relay's whole process.
 */

import { parseArgs } from 'node:util';
import { startBareLoop, startJanusSfu } from './contenders.js';
import { type ForwardingResult, forwardingLine, measureForwarding } from './forwarding.js';
import { shapeOf } from './load/shape.js';
import { median } from './report/statistics.js';

interface Settings {
  publishers: number;
  subscribers: number;
  videoPps: number;
  audioPps: number;
  workers: number;
  seconds: number;
  runs: number;
}

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

async function measureOne(
  start: () => ReturnType<typeof startBareLoop>,
  settings: Settings,
): Promise<ForwardingResult> {
  const { publishers, subscribers, videoPps, audioPps, seconds } = settings;
  const contender = await start();
  try {
    const shape = shapeOf(publishers, subscribers);
    return await measureForwarding(contender, { shape, rates: { videoPps, audioPps }, seconds });
  } finally {
    await contender.stop();
  }
}

const { settings, json, only } = readSettings();
const results: ForwardingResult[] = [];
const log = (line: string) => json || console.log(line);
log(
  `${settings.publishers} x ${settings.subscribers} x ${settings.videoPps} video + ${settings.audioPps} audio packets/s, ` +
    `${settings.workers} worker(s), ${settings.runs} run(s) of ${settings.seconds} s`,
);
for (let run = 0; run < settings.runs; run++) {
  for (const start of [
    ...(only === 'bare' ? [] : [() => startJanusSfu(settings.workers)]),
    ...(only === 'ours' ? [] : [startBareLoop]),
  ]) {
    const result = await measureOne(start, settings);
    results.push(result);
    log(forwardingLine(result));
  }
}
const medianOf = (relay: ForwardingResult['relay']) =>
  median(results.filter((result) => result.relay === relay).map((result) => result.cpuPerPacket));
const ratio = medianOf('janus-sfu') / medianOf('bare loop');
log(`CPU per packet against the bare loop, medians: ${ratio.toFixed(2)}`);
if (json) console.log(JSON.stringify({ settings, results, ratio }, null, 2));

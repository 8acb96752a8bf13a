/**
 * Media over bad lines, in Chromium: what a viewer sees and hears of one publisher (640x480 at 30 pictures a second, a tone),
 * through our server and, as the yardstick, straight from page to page over the same two lines (test/support/lossy-proxy.ts).
 *
 * Lines are good until the first picture is there (but for the row that times it); then their faults begin, a while is
 * left to settle, and a window is measured. Loss hits both directions of the line, and everything on it, RTCP and STUN too.
 * Runs of the two are taken in turns; a figure is the median, with the least and the most in brackets.
 *
 * Run: npm run bench:network [-- --rows loss --runs 3 --seconds 15 --settle 5 --codec video/H264 --only ours --quiet 0.5 --output FILE]
 * (--quiet: a run starts when no more than this share of the CPU time is in use, or after 2 minutes)
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { quietFor } from '../test/support/browser.js';
import { FILM } from '../test/support/camera-film.js';
import type { LineConditions } from '../test/support/lossy-proxy.js';
import { type MediaTotals, type Sent, sent, type Viewed, viewed } from '../test/support/media-figures.js';
import { bursty, type LinkConditions } from '../test/support/network.js';
import {
  callDirectly,
  callThroughServer,
  type MediaPage,
  type NetworkCall,
  withFilmedBrowser,
} from '../test/support/network-call.js';

type Way = 'ours' | 'direct';
type Leg = 'viewer' | 'publisher' | 'both';

interface Row {
  name: string;
  /** Whose line is bad. */
  leg: Leg;
  line: LineConditions;
  /** What the row is about: the window, the first picture, or the publisher's rate 8 s after its start. */
  about: 'window' | 'first frame' | 'rate';
  /** As issue 4 has them of an earlier day: a Janus 0.14 with the Rust plugin, and two pages without a server. */
  reference: string;
  issueDirect: string;
}

const both = (conditions: LinkConditions): LineConditions => ({ up: conditions, down: conditions });
const row = (name: string, leg: Leg, line: LineConditions, reference = '', issueDirect = ''): Row => ({
  name,
  leg,
  line,
  about: 'window',
  reference,
  issueDirect,
});

const ROWS: readonly Row[] = [
  row('clean', 'viewer', {}),
  row('viewer: 5 % loss', 'viewer', both({ loss: 0.05 }), '29 fps, 0.7-1.3 s frozen', '29 fps, none'),
  row('viewer: 10 % loss', 'viewer', both({ loss: 0.1 }), '19-22 fps, 5-8 s frozen', '28-30 fps, none'),
  row('viewer: 20 % loss', 'viewer', both({ loss: 0.2 }), '2-5 fps', '25-29 fps, under 1 s'),
  row('viewer: 5 % loss in bursts', 'viewer', both({ bursts: bursty(0.05) })),
  row('viewer: 5 % loss, RTT 100 ms', 'viewer', both({ loss: 0.05, delay: 50, jitter: 10 })),
  row('viewer: line of 1 Mbit/s', 'viewer', both({ rate: 1e6 }), '20 fps, 8 % concealed', '30 fps, 0 %'),
  row('viewer: line of 500 kbit/s', 'viewer', both({ rate: 5e5 }), '3-4 fps, 40 % concealed', '28 fps, 0 %'),
  row('publisher: 5 % loss', 'publisher', both({ loss: 0.05 })),
  row('publisher: 10 % loss', 'publisher', both({ loss: 0.1 })),
  row('publisher: line of 500 kbit/s', 'publisher', both({ rate: 5e5 })),
  row('both: 5 % loss', 'both', both({ loss: 0.05 })),
  { ...row('RTT 300 ms', 'viewer', both({ delay: 150 }), '1.6 s', '1.4 s'), about: 'first frame' },
  { ...row('publisher after 8 s', 'viewer', {}, '0.95 Mbit/s', '1.7 Mbit/s'), about: 'rate' },
];

interface Result {
  row: string;
  way: Way;
  run: number;
  codec: string;
  /** Milliseconds. */
  firstFrame: number;
  viewed: Viewed | null;
  sent: Sent;
  /** Share of the machine's CPU time in use during the window, and the longest that the proxy held a datagram too long, ms. */
  busy: number;
  proxyDelay: number;
}

interface Settings {
  seconds: number;
  settle: number;
  codec: string | undefined;
  env: Record<string, string>;
}

const RATE_AFTER_MS = 8_000;
const RATE_WINDOW_MS = 2_000;
const QUIET_WAIT_MAX_S = 120;

/** CPU time so far, of all cores: in use, and in all. */
function cpuTime(): { used: number; all: number } {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { used: all - idle, all };
}

/** Starts to measure the share of CPU time in use: the function tells it. */
function watchCpu(): () => number {
  const before = cpuTime();
  return () => {
    const now = cpuTime();
    return (now.used - before.used) / Math.max(now.all - before.all, 1);
  };
}

/** Waits while other programs keep the machine busy: browsers without CPU time drop pictures on any line. */
async function untilQuiet(limit: number): Promise<void> {
  for (let waited = 0; waited < QUIET_WAIT_MAX_S; waited += 2) {
    const busy = watchCpu();
    await quietFor(2_000);
    if (busy() <= limit) return;
    if (waited % 20 === 0) console.log(`     waiting: ${(busy() * 100).toFixed(0)} % of the CPU time is in use`);
  }
}

async function readTotals(call: NetworkCall): Promise<{ publisher: MediaTotals; viewer: MediaTotals }> {
  const [publisher, viewer] = await Promise.all([call.publisher.totals(), call.viewer.totals()]);
  return { publisher, viewer };
}

async function between(call: NetworkCall, ms: number): Promise<{ viewed: Viewed; sent: Sent; codec: string }> {
  const before = await readTotals(call);
  await quietFor(ms);
  const after = await readTotals(call);
  const frames = await call.viewer.frameTimes(before.viewer.at);
  return {
    viewed: viewed(before.viewer, after.viewer, frames, FILM.framesPerSecond),
    sent: sent(before.publisher, after.publisher),
    codec: after.viewer.codec,
  };
}

function badPages({ leg }: Row, call: NetworkCall): MediaPage[] {
  if (leg === 'both') return [call.publisher, call.viewer];
  return [leg === 'publisher' ? call.publisher : call.viewer];
}

async function measure(browser: Browser, row: Row, way: Way, run: number, settings: Settings): Promise<Result> {
  const { seconds, settle, codec, env } = settings;
  const fromTheStart = row.about === 'first frame';
  const options = {
    seed: run + 1,
    ...(codec && { codec }),
    ...(fromTheStart && {
      prepare: ({ viewers }: { viewers: { impair(line: LineConditions): void }[] }) => viewers[0]?.impair(row.line),
    }),
  };
  const call =
    way === 'ours' ? await callThroughServer(browser, { ...options, env }) : await callDirectly(browser, options);
  try {
    const firstFrame = await call.viewer.firstFrame();
    if (!fromTheStart) for (const { line } of badPages(row, call)) line.impair(row.line);
    if (row.about === 'rate') {
      const elapsed = await call.publisher.call<number>('elapsed');
      await quietFor(Math.max(RATE_AFTER_MS - RATE_WINDOW_MS / 2 - elapsed, 0));
    } else {
      await quietFor(fromTheStart ? 0 : settle * 1000);
    }
    const window = row.about === 'window' ? seconds * 1000 : RATE_WINDOW_MS;
    const busy = watchCpu();
    const figures = await between(call, window);
    return {
      row: row.name,
      way,
      run,
      firstFrame,
      ...figures,
      viewed: row.about === 'window' ? figures.viewed : null,
      busy: busy(),
      proxyDelay: call.time.worstDelay,
    };
  } finally {
    await call.close();
  }
}

function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
  const text = (value: number | undefined) => (value ?? Number.NaN).toFixed(digits);
  if (sorted.length < 2) return text(median);
  return `${text(median)} (${text(sorted[0])}-${text(sorted.at(-1))})`;
}

/** What a row's runs come to, in words. */
function describe({ about }: Row, results: readonly Result[]): string {
  if (results.length === 0) return '';
  const all = (value: (result: Result) => number, digits: number) => spread(results.map(value), digits);
  if (about === 'first frame') return `${all(({ firstFrame }) => firstFrame / 1000, 2)} s`;
  if (about === 'rate') return `${all((result) => result.sent.bitrate / 1e6, 2)} Mbit/s`;
  const of = (value: (figures: Viewed) => number, digits: number) =>
    all(({ viewed: figures }) => (figures ? value(figures) : Number.NaN), digits);
  return [
    `${of(({ framesPerSecond }) => framesPerSecond, 1)} fps`,
    `${of(({ secondsFrozen }) => secondsFrozen, 1)} s frozen`,
    `${of(({ audioConcealed }) => audioConcealed * 100, 1)} % concealed`,
    `${of(({ bitrate }) => bitrate / 1e6, 2)} Mbit/s`,
  ].join(', ');
}

function line({ row, way, viewed: seen, sent: out, firstFrame, busy, proxyDelay, codec }: Result): string {
  const parts = seen
    ? [
        `${seen.framesPerSecond.toFixed(1)} fps`,
        `${seen.secondsFrozen.toFixed(2)} s frozen (${seen.secondsFrozenReported.toFixed(2)} reported)`,
        `${(seen.audioConcealed * 100).toFixed(1)} % concealed`,
        `down ${(seen.bitrate / 1e3).toFixed(0)} kbit/s ${seen.width} px`,
        `PLI ${seen.keyframeRequests} NACK ${seen.nacks} RTX ${seen.packetsRetransmitted} lost ${seen.packetsLost}`,
      ]
    : [];
  parts.push(
    `up ${(out.bitrate / 1e3).toFixed(0)} kbit/s ${out.framesPerSecond.toFixed(0)} fps ${out.width} px, ` +
      `PLI ${out.keyframeRequests} NACK ${out.nacks} RTX ${out.packetsRetransmitted}`,
    `first frame ${firstFrame.toFixed(0)} ms`,
    `${codec.replace('video/', '')}, CPU ${(busy * 100).toFixed(0)} %, proxy late ${proxyDelay.toFixed(0)} ms at most`,
  );
  return `${row.padEnd(30)} ${way.padEnd(6)} ${parts.join(' | ')}`;
}

function table(rows: readonly Row[], results: readonly Result[]): string {
  const lines = rows.map((one) => {
    const of = (way: Way) =>
      describe(
        one,
        results.filter((result) => result.row === one.name && result.way === way),
      );
    return `| ${[one.name, of('ours'), of('direct'), one.reference, one.issueDirect].join(' | ')} |`.replaceAll(
      '|  |',
      '| |',
    );
  });
  return ['| line | ours | direct | reference, earlier | direct, earlier |', '|---|---|---|---|---|', ...lines].join(
    '\n',
  );
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} ${text}: a number over 0 was expected`);
  return value;
}

const { values: given } = parseArgs({
  options: {
    rows: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '15' },
    settle: { type: 'string', default: '5' },
    codec: { type: 'string' },
    only: { type: 'string' },
    quiet: { type: 'string', default: '0.5' },
    output: { type: 'string', default: 'artefacts/network.json' },
  },
});
const settings: Settings = {
  seconds: positive('seconds', given.seconds),
  settle: positive('settle', given.settle),
  codec: given.codec,
  env: {},
};
const quiet = positive('quiet', given.quiet);
const runs = positive('runs', given.runs);
const rows = ROWS.filter(({ name }) => given.rows.split(',').some((part) => name.includes(part)));
if (rows.length === 0)
  throw new Error(`--rows ${given.rows}: there is no such row, only ${ROWS.map(({ name }) => name).join('; ')}`);
const ways = (['ours', 'direct'] as const).filter((way) => given.only === undefined || given.only === way);
if (ways.length === 0) throw new Error(`--only ${given.only}: ours or direct was expected`);

const results: Result[] = [];
const total = runs * rows.length * ways.length;
await withFilmedBrowser(async (browser) => {
  for (let run = 0; run < runs; run += 1) {
    for (const one of rows) {
      for (const way of ways) {
        try {
          await untilQuiet(quiet);
          const result = await measure(browser, one, way, run, settings);
          results.push(result);
          console.log(`${String(results.length).padStart(3)}/${total} ${line(result)}`);
        } catch (error) {
          console.log(`   /${total} ${one.name} ${way}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
  }
});
mkdirSync(path.dirname(given.output), { recursive: true });
writeFileSync(
  given.output,
  `${JSON.stringify({ date: new Date().toISOString(), settings, runs, results }, null, 2)}\n`,
);
console.log(`\n${table(rows, results)}\n\nAll figures: ${given.output}`);

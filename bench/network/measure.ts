/** One run of one row: a call over bad lines, and what its ends say of it. */
import { cpus } from 'node:os';
import type { Browser } from 'playwright-core';
import { quietFor } from '../../test/support/browser.js';
import { FILM } from '../../test/support/camera-film.js';
import { type MediaTotals, type Sent, sent, type Viewed, viewed } from '../../test/support/media-figures.js';
import {
  type CallOptions,
  callDirectly,
  callThroughServer,
  type NetworkCall,
} from '../../test/support/network-call.js';
import type { Row } from './rows.js';

export type Way = 'ours' | 'direct';

export interface Result {
  row: string;
  way: Way;
  run: number;
  codec: string;
  /** Milliseconds. */
  firstFrame: number;
  /** The viewer whose line is bad, or the only one. */
  viewed: Viewed;
  /** The other viewers of a room. */
  others: Viewed[];
  sent: Sent;
  /** Share of the machine's CPU time in use during the window, and the longest that the proxy held a datagram too long, ms. */
  busy: number;
  proxyDelay: number;
}

export interface Settings {
  seconds: number;
  settle: number;
  codec: string | undefined;
  /** Settings of the server. */
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

/** Waits, up to 2 minutes, while other programs keep the machine busy: without CPU time browsers drop pictures on any line. */
export async function untilQuiet(limit: number, tell: (line: string) => void): Promise<void> {
  for (let waited = 0; waited < QUIET_WAIT_MAX_S; waited += 2) {
    const watch = watchCpu();
    await quietFor(2_000);
    const busy = watch();
    if (busy <= limit) return;
    if (waited % 20 === 0) tell(`waiting: ${(busy * 100).toFixed(0)} % of the CPU time is in use`);
  }
}

interface Window {
  viewed: Viewed;
  others: Viewed[];
  sent: Sent;
  codec: string;
}

async function between({ publisher, viewers }: NetworkCall, ms: number): Promise<Window> {
  const read = () => Promise.all([publisher, ...viewers].map((page) => page.totals()));
  const before = await read();
  await quietFor(ms);
  const after = await read();
  const own = await Promise.all(
    viewers.map(async (viewer, index) => {
      const [first, last] = [before[index + 1], after[index + 1]] as [MediaTotals, MediaTotals];
      return viewed(first, last, await viewer.frameTimes(first.at), FILM.framesPerSecond);
    }),
  );
  const [bad, ...others] = own as [Viewed, ...Viewed[]];
  const [sentBefore, sentAfter] = [before[0], after[0]] as [MediaTotals, MediaTotals];
  return { viewed: bad, others, sent: sent(sentBefore, sentAfter), codec: sentAfter.codec };
}

function impair({ leg, line }: Row, call: NetworkCall): void {
  if (leg !== 'viewer') call.publisher.line.impair(line);
  if (leg !== 'publisher') call.viewer.line.impair(line);
}

/** Whether there is such a call: without a server a room of many is another thing altogether. */
export function isPossible(row: Row, way: Way): boolean {
  return way === 'ours' || row.viewers === 1;
}

/** @throws Error if the call does not come about */
export async function measure(browser: Browser, row: Row, way: Way, run: number, settings: Settings): Promise<Result> {
  const { seconds, settle, codec, env } = settings;
  const fromTheStart = row.subject === 'first frame';
  const options: CallOptions = { seed: run + 1, ...(codec && { codec }), ...(row.size && { size: row.size }) };
  if (fromTheStart) options.prepare = ({ viewers }) => viewers[0]?.impair(row.line);
  const call =
    way === 'ours'
      ? await callThroughServer(browser, { ...options, env, viewers: row.viewers })
      : await callDirectly(browser, options);
  try {
    const firstFrame = await call.viewer.firstFrame();
    await Promise.all(call.viewers.map((viewer) => viewer.firstFrame()));
    if (!fromTheStart) impair(row, call);
    let window = seconds * 1000;
    if (row.subject === 'rate') {
      window = RATE_WINDOW_MS;
      const elapsed = await call.publisher.call<number>('elapsed');
      await quietFor(Math.max(RATE_AFTER_MS - window / 2 - elapsed, 0));
    } else if (fromTheStart) {
      window = RATE_WINDOW_MS;
    } else {
      await quietFor(settle * 1000);
    }
    const busy = watchCpu();
    const figures = await between(call, window);
    return { row: row.name, way, run, firstFrame, ...figures, busy: busy(), proxyDelay: call.time.worstDelay };
  } finally {
    await call.close();
  }
}

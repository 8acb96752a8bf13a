/**
 * Media over bad lines, in Chromium: what a viewer sees and hears of one publisher (640x480 at 30 pictures a second, a tone),
 * through our server and, as the yardstick, straight from page to page over the same two lines (test/support/lossy-proxy.ts).
 *
 * Lines are good until the first picture is there (but for the row that times it); then their faults begin, a while is
 * left to settle, and a window is measured. Faults are the same in both directions of the line and hit everything on it,
 * RTCP and STUN too. Runs of the two are taken in turns; figures are medians, with the least and the most in brackets.
 *
 * Run: npm run bench:network [-- OPTIONS]
 *   --rows loss,rate     rows whose names contain one of these; all of them without it
 *   --runs 3 --seconds 15 --settle 5
 *   --only ours|direct
 *   --codec video/VP8    the only video codec that the publisher offers; otherwise its browser's choice
 *   --env NAME=VALUE     a setting of the server; may be there more than once
 *   --quiet 0.5          a run starts when no more than this share of the CPU time is in use, or after 2 minutes
 *   --output FILE        all figures as JSON; with --append they join those that are there
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { withFilmedBrowser } from '../test/support/network-call.js';
import { isPossible, measure, type Result, type Settings, untilQuiet } from './network/measure.js';
import { line, table } from './network/report.js';
import { ROWS } from './network/rows.js';

const { values: given } = parseArgs({
  options: {
    rows: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '15' },
    settle: { type: 'string', default: '5' },
    only: { type: 'string' },
    codec: { type: 'string' },
    env: { type: 'string', multiple: true, default: [] },
    quiet: { type: 'string', default: '0.5' },
    output: { type: 'string', default: 'artefacts/network.json' },
    append: { type: 'boolean', default: false },
  },
});

function positive(name: 'runs' | 'seconds' | 'settle' | 'quiet'): number {
  const value = Number(given[name]);
  if (!(value > 0)) throw new Error(`--${name} ${given[name]}: a number over 0 was expected`);
  return value;
}

const settings: Settings = {
  seconds: positive('seconds'),
  settle: positive('settle'),
  codec: given.codec,
  env: Object.fromEntries(given.env.map((pair) => [pair.replace(/=.*/, ''), pair.replace(/^[^=]*=/, '')])),
};
const [runs, quiet] = [positive('runs'), positive('quiet')];
const rows = ROWS.filter(({ name }) => given.rows.split(',').some((part) => name.includes(part)));
if (rows.length === 0) {
  throw new Error(`--rows ${given.rows}: there is no such row, only ${ROWS.map(({ name }) => name).join('; ')}`);
}
const ways = (['ours', 'direct'] as const).filter((way) => given.only === undefined || given.only === way);
if (ways.length === 0) throw new Error(`--only ${given.only}: ours or direct was expected`);

const earlier: Result[] =
  given.append && existsSync(given.output) ? JSON.parse(readFileSync(given.output, 'utf8')).results : [];
const results: Result[] = [];
const cases = rows.flatMap((row) => ways.filter((way) => isPossible(row, way)).map((way) => ({ row, way })));
const total = runs * cases.length;
let done = 0;

/** After each run: a long series that is stopped is not lost. */
function save(): Result[] {
  mkdirSync(path.dirname(given.output), { recursive: true });
  const all = [...earlier, ...results];
  writeFileSync(
    given.output,
    `${JSON.stringify({ date: new Date().toISOString(), settings, results: all }, null, 2)}\n`,
  );
  return all;
}

async function measureOne(browser: Parameters<typeof measure>[0], { row, way }: (typeof cases)[number], run: number) {
  await untilQuiet(quiet, (text) => console.log(`     ${text}`));
  done += 1;
  const progress = `${String(done).padStart(3)}/${total}`;
  try {
    const result = await measure(browser, row, way, run, settings);
    results.push(result);
    save();
    console.log(`${progress} ${line(result)}`);
  } catch (error) {
    console.log(`${progress} ${row.name} ${way} failed: ${error instanceof Error ? error.message : error}`);
  }
}

await withFilmedBrowser(async (browser) => {
  for (let run = 0; run < runs; run += 1) for (const one of cases) await measureOne(browser, one, run);
});
const all = save();
const measured = ROWS.filter(({ name }) => all.some(({ row }) => row === name));
console.log(`\n${table(measured, all)}\n\nAll figures: ${given.output}`);
if (results.length < total) process.exitCode = 1;

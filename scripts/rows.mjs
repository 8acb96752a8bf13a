// Which test files run at the same time, and how several runs become one report.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** The row of each folder of test/. In any other folder, such as a new one, files run alone. */
const ROWS = { unit: 'together', fuzz: 'together', conformance: 'together', browser: 'browsers', interop: 'peers' };
/** A file that is unlike its folder says so, with the reason, in a line of its own. */
const MARKER = /^\/\/ Runs (alone|beside others): \S/m;

/**
 * The row that a test file runs in: `together` (as many at once as there are cores), `browsers` and `peers` (each one file
 * after the other, both rows at once: peers wait most of their time), or `alone`.
 * @param name of the file below test/, such as unit/sdp.test.ts
 * @param source its text
 */
export function rowOf(name, source) {
  const [, marked] = MARKER.exec(source) ?? [];
  if (marked === 'alone') return 'alone';
  return marked ? 'together' : (ROWS[name.split(/[\\/]/)[0]] ?? 'alone');
}

/** Milliseconds after which a file's process is ended, and has failed: the longest takes two minutes on a slow machine. */
const FILE_LIMIT = 480_000;

/** The totals that node:test tells at the end of each run. */
const TOTAL = /^(tests|suites|pass|fail|cancelled|skipped|todo) (\d+)$/;
const DURATION = /^duration_ms /;

/**
 * The events of runs in turn, without their totals. What a run tells while another one is read waits in its stream.
 * @param totals gets the sums
 */
async function* told(streams, totals) {
  for (const stream of streams) {
    for await (const event of stream) {
      const { nesting, message = '' } = event.data;
      const isSummary = event.type === 'test:diagnostic' && nesting === 0;
      const [, name, count] = isSummary ? (TOTAL.exec(message) ?? []) : [];
      if (name) totals.set(name, (totals.get(name) ?? 0) + Number(count));
      else if (!isSummary || !DURATION.test(message)) yield event;
    }
  }
}

/** All rows, and at the end one set of totals as node:test writes it. */
async function* report(rows, totals) {
  const started = performance.now();
  const start = (files, concurrency = 1) =>
    files.length > 0 ? [run({ files, concurrency, timeout: FILE_LIMIT })] : [];
  yield* told(start(rows.together, Math.max(2, availableParallelism())), totals);
  yield* told([...start(rows.browsers), ...start(rows.peers)], totals);
  yield* told(start(rows.alone), totals);
  const diagnostic = (message) => ({ type: 'test:diagnostic', data: { nesting: 0, message } });
  for (const [name, count] of totals) yield diagnostic(`${name} ${count}`);
  yield diagnostic(`duration_ms ${performance.now() - started}`);
}

/**
 * Runs compiled test files, each in a process of its own, and reports on the standard output.
 * @param names below dist/test, such as unit/sdp.test.js
 * @returns whether something ran and nothing failed
 */
export async function runTests(root, names) {
  const rows = { together: [], browsers: [], peers: [], alone: [] };
  for (const name of names) {
    const source = readFileSync(path.join(root, 'test', name.replace(/\.js$/, '.ts')), 'utf8');
    rows[rowOf(name, source)].push(path.join(root, 'dist/test', name));
  }
  const totals = new Map();
  const reporter = new spec();
  const written = new Promise((resolve, reject) => reporter.on('end', resolve).on('error', reject));
  reporter.pipe(process.stdout);
  for await (const event of report(rows, totals)) {
    if (!reporter.write(event)) await new Promise((resolve) => reporter.once('drain', resolve));
  }
  reporter.end();
  await written;
  return totals.get('tests') > 0 && totals.get('fail') === 0 && totals.get('cancelled') === 0;
}

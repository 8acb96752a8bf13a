/**
 * `npm run fuzz -- --seconds 600 [--seed N] [--only rtp,sdp]`: tries inputs until the time is over, or one breaks its
 * target's promise. That one is made small, kept in test/fuzz/captures/, and the exit code is 1.
 */
import { parseArgs } from 'node:util';
import { keep } from './captures.js';
import { TARGETS } from './targets/all.js';
import type { Target } from './targets/target.js';

/** Milliseconds that a target is tried until it is the next one's turn. */
const TURN = 500;
/** Milliseconds between two lines of progress. */
const PROGRESS = 10_000;

interface Options {
  /** 1.. */
  seconds: number;
  seed: number;
  targets: Target[];
}

function readOptions(): Options | string {
  const options = { seconds: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } } as const;
  let values: { seconds?: string; seed?: string; only?: string };
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const seconds = Number(values.seconds ?? 60);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  if (!(seconds >= 1)) return '--seconds should be a number from 1';
  if (!Number.isSafeInteger(seed) || seed < 0) return '--seed should be a whole number from 0';
  const names = values.only?.split(',') ?? TARGETS.map(({ name }) => name);
  const targets = TARGETS.filter(({ name }) => names.includes(name));
  const unknown = names.filter((name) => !targets.some((target) => target.name === name));
  if (unknown.length > 0) {
    return `--only: there is no ${unknown.join(', ')}; there is ${TARGETS.map(({ name }) => name).join(', ')}`;
  }
  return { seconds, seed, targets };
}

/** By target: what was tried, and in how many milliseconds. */
type Tally = Map<Target, { units: number; spent: number }>;

function report(tally: Tally, since: number): string {
  const parts = [...tally].map(
    ([{ name, unit }, { units, spent }]) => `${name} ${units} ${unit} in ${(spent / 1000).toFixed(1)} s`,
  );
  return `${((performance.now() - since) / 1000).toFixed(0)} s: ${parts.join(', ')}`;
}

/** @returns the exit code */
async function fuzz({ seconds, seed: first, targets }: Options): Promise<number> {
  const since = performance.now();
  const end = since + seconds * 1000;
  const tally: Tally = new Map(targets.map((target) => [target, { units: 0, spent: 0 }]));
  let seed = first;
  let nextReport = since + PROGRESS;
  console.log(`seed ${first}, ${seconds} s`);
  while (performance.now() < end) {
    for (const [target, figures] of tally) {
      const start = performance.now();
      while (performance.now() - start < TURN && performance.now() < end) {
        const outcome = await target.attempt(seed);
        if (typeof outcome !== 'number') {
          console.error(`${target.name}, seed ${seed}: ${outcome.error.stack}`);
          console.error(`promised: ${target.promise}\nkept in ${keep(outcome)}`);
          return 1;
        }
        figures.units += outcome;
        seed += 1;
      }
      figures.spent += performance.now() - start;
    }
    if (performance.now() < nextReport) continue;
    console.log(report(tally, since));
    nextReport += PROGRESS;
  }
  console.log(`nothing found. ${report(tally, since)}`);
  return 0;
}

const options = readOptions();
if (typeof options === 'string') console.error(options);
process.exit(typeof options === 'string' ? 2 : await fuzz(options));

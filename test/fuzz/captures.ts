/** Inputs that were found to break a promise, kept for ever: the input in one file, what must hold beside it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../support/project.js';
import { TARGETS } from './targets/all.js';
import type { Find, Target } from './targets/target.js';

const FOLDER = path.join(projectRoot, 'test/fuzz/captures');
const EXPECTED = '.expected.txt';

export interface Capture {
  /** `TARGET-what`: what the input was found by or is about. */
  name: string;
  target: Target;
  lines: string[];
  /** The target's promise, then what was seen instead. */
  expected: string;
}

/** @throws Error for a capture that no target takes, or that lacks its expected text */
export function readCaptures(): Capture[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.txt') && !file.endsWith(EXPECTED))
    .sort()
    .map((file) => {
      const name = path.basename(file, '.txt');
      const target = TARGETS.find((one) => name.startsWith(`${one.name}-`));
      if (!target) throw new Error(`${file} is for no target: ${TARGETS.map((one) => one.name).join(', ')}`);
      const lines = readFileSync(path.join(FOLDER, file), 'utf8').split('\n').filter(Boolean);
      return { name, target, lines, expected: readFileSync(path.join(FOLDER, `${name}${EXPECTED}`), 'utf8') };
    });
}

/** @returns the file with the input */
export function keep({ target, seed, lines, error }: Find): string {
  const { promise } = TARGETS.find((one) => one.name === target) ?? {};
  mkdirSync(FOLDER, { recursive: true });
  const file = path.join(FOLDER, `${target}-${seed}.txt`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const found = error.message.split('\n').slice(0, 20).join('\n');
  writeFileSync(file.replace(/\.txt$/, EXPECTED), `${promise}\n\nFound by seed ${seed}:\n${found}\n`);
  return path.relative(projectRoot, file);
}

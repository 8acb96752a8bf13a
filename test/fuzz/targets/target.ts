/**
 * What can be fuzzed: a maker of inputs from a seed, and a promise about what the built artefact does with any of them.
 * The tests try a fixed number of inputs per commit, `npm run fuzz` as many as there is time for.
 */
import { Random } from '../../support/random.js';

/** One input is a list of parts, tried one after the other on a fresh state: packets, lines, requests. */
export interface Definition<Part> {
  name: string;
  /** What is counted: packets, SDPs, messages. */
  unit: string;
  /** What must hold for every input. */
  promise: string;
  make(random: Random): Part[];
  /**
   * Tries an input.
   *
   * @returns how many units it held
   * @throws if the promise does not hold
   */
  run(parts: Part[]): number | Promise<number>;
  /** A part as one line of text, and back. */
  write(part: Part): string;
  read(line: string): Part;
}

/** An input for which the promise does not hold. */
export interface Find {
  target: string;
  seed: number;
  /** The smallest list of parts found that still breaks the promise; a line each. */
  lines: string[];
  error: Error;
}

export interface Target {
  readonly name: string;
  readonly unit: string;
  readonly promise: string;
  /**
   * Makes the input of a seed and tries it.
   *
   * @returns how many units were tried, or what was found
   */
  attempt(seed: number): Promise<number | Find>;
  /** Tries an input that was kept. @throws if the promise does not hold */
  replay(lines: string[]): Promise<number>;
}

/** Tries while a find is made smaller: enough to drop most of what does not matter. */
const SHRINK_TRIES = 400;

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

export function defineTarget<Part>(definition: Definition<Part>): Target {
  const { name, unit, promise } = definition;
  const failureOf = async (parts: Part[]): Promise<Error | null> => {
    try {
      await definition.run(parts);
      return null;
    } catch (thrown) {
      return asError(thrown);
    }
  };
  /** Leaves out parts, first halves, then less, as long as what is left still fails. */
  const shrink = async (parts: Part[], error: Error): Promise<{ parts: Part[]; error: Error }> => {
    let smallest = { parts, error };
    let tries = SHRINK_TRIES;
    for (let size = parts.length >> 1; size > 0; size >>= 1) {
      for (let at = smallest.parts.length - size; at >= 0 && tries-- > 0; at -= size) {
        const rest = smallest.parts.toSpliced(at, size);
        const failure = await failureOf(rest);
        if (failure) smallest = { parts: rest, error: failure };
      }
    }
    return smallest;
  };
  return {
    name,
    unit,
    promise,
    async attempt(seed) {
      const parts = definition.make(new Random(seed));
      try {
        return await definition.run(parts);
      } catch (thrown) {
        const { parts: left, error } = await shrink(parts, asError(thrown));
        return { target: name, seed, lines: left.map((part) => definition.write(part)), error };
      }
    },
    replay: async (lines) => definition.run(lines.map((line) => definition.read(line))),
  };
}

/** For parts that are bytes. */
export const hexLines = {
  write: (part: Buffer): string => part.toString('hex'),
  read: (line: string): Buffer => Buffer.from(line, 'hex'),
};

/** For parts that are plain values; lone surrogates survive it. */
export const jsonLines = <Part>() => ({
  write: (part: Part): string => JSON.stringify(part),
  read: (line: string): Part => JSON.parse(line) as Part,
});

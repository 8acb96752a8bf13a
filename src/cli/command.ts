import type { Location } from '../config/sources.js';

/** It went well. */
export const EXIT_OK = 0;
/** Something that is needed is not to be had: a port, a worker, a server. */
export const EXIT_FAILED = 1;
/** Arguments or settings that make no sense. */
export const EXIT_USAGE = 2;

/** An option of one command, beside the settings. */
export interface Option {
  /** Without the dashes. */
  name: string;
  /** What its value is, for the help; absent = it takes none. */
  value?: string;
  meaning: string;
  /** It may be given several times. */
  repeated?: boolean;
}

/** The arguments of one call, read. */
export interface Arguments {
  /** Whether an option without value was given. */
  has(name: string): boolean;
  /** The last value of an option. */
  value(name: string): string | undefined;
  values(name: string): readonly string[];
  /** Settings by variable. */
  flags: ReadonlyMap<string, string>;
  /** Flags that say where settings are. */
  locations: ReadonlyMap<Location, string>;
}

/** What a command may ask of its surroundings. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** The current folder. */
  folder: string;
  out(text: string): void;
  err(text: string): void;
}

/** One thing that `janus-sfu` does. */
export interface Command {
  name: string;
  summary: string;
  /** What follows the name on its line. */
  usage: string;
  /** Whether settings are among its flags. */
  settings: boolean;
  options: readonly Option[];
  /** @returns the exit code; it throws `CommandError` for what people should read */
  run(given: Arguments, surroundings: Surroundings): Promise<number>;
}

/** Ends a command, with lines for people. */
export class CommandError extends Error {
  readonly lines: readonly string[];
  readonly exitCode: number;

  constructor(lines: string | readonly string[], exitCode: number = EXIT_FAILED) {
    const all = typeof lines === 'string' ? [lines] : lines;
    super(all.join('\n'));
    this.lines = all;
    this.exitCode = exitCode;
  }
}

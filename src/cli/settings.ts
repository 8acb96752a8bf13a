import type { KeyObject } from 'node:crypto';
import { thisMachine } from '../config/machine.js';
import { readSettings, type SettingValue } from '../config/read.js';
import type { Config } from '../config/schema.js';
import { readSettingFile } from '../config/setting-file.js';
import { collectSources } from '../config/sources.js';
import { type Warning, warningsOf } from '../config/warnings.js';
import type { TlsFiles } from '../http/tls.js';
import { readPublicKey } from '../sfu/token.js';
import { type Arguments, CommandError, EXIT_USAGE, type Surroundings } from './command.js';

/** The settings of one call, from all their places. */
export interface LoadedSettings {
  config: Config;
  values: SettingValue[];
  warnings: Warning[];
  /** Remarks on files that settings came from. */
  notes: string[];
}

/** @throws CommandError with a line for each thing that is wrong */
export function loadSettings(given: Arguments, { env, folder }: Surroundings): LoadedSettings {
  const { flags, locations } = given;
  const { sources, problems, notes } = collectSources({ flags, locations, env, folder });
  const machine = thisMachine();
  const read = readSettings(sources, machine);
  const wrong = [...problems, ...(read.ok ? [] : read.problems)];
  if (!read.ok || wrong.length > 0) throw new CommandError(wrong, EXIT_USAGE);
  const { config, values } = read;
  return { config, values, notes, warnings: warningsOf(config, values, machine) };
}

/**
 * Opens what TLS_CERT and TLS_KEY name.
 *
 * @returns null where none is set
 * @throws CommandError that says what is wrong with a file
 */
export function readTls<T>(
  { TLS_CERT: cert, TLS_KEY: key }: Pick<Config, 'TLS_CERT' | 'TLS_KEY'>,
  open: (files: TlsFiles) => T,
): T | null {
  if (cert === undefined || key === undefined) return null;
  try {
    return open({ cert, key });
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), EXIT_USAGE);
  }
}

/**
 * The key that tokens are checked with; null where none is set.
 *
 * @throws CommandError that says what is wrong with the file or the key
 */
export function readAuthKey({ AUTH_KEY: file }: Pick<Config, 'AUTH_KEY'>): KeyObject | null {
  if (file === undefined) return null;
  try {
    const bytes = readSettingFile('AUTH_KEY', file);
    return readPublicKey(bytes);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const named = text.startsWith('AUTH_KEY=') ? text : `AUTH_KEY=${JSON.stringify(file)}: ${text}`;
    throw new CommandError(named, EXIT_USAGE);
  }
}

import type { Kind } from './kinds.js';

/** One setting: everything that reading it, `--help` and docs/configuration.md need to know. Its name is its variable. */
export interface Setting<T = unknown, F extends string | null = string | null> {
  kind: Kind<T>;
  /** The default, as a variable would say it; null = then the setting is absent. */
  fallback: F;
  /** What it is, in Markdown without line breaks. */
  meaning: string;
  /** Other names of the variable; the first one that is set counts. */
  aliases?: readonly string[];
  /** What the default is called where it depends on the machine, or is nothing. */
  shown?: string;
  /** Its value is shown to nobody. */
  secret?: boolean;
  /** Why setting it changes nothing here: known for the sake of those who come from Janus. */
  noEffect?: string;
}

export type Extras = Pick<Setting, 'aliases' | 'shown' | 'secret' | 'noEffect'>;

export function setting<T, const F extends string | null>(
  kind: Kind<T>,
  fallback: F,
  meaning: string,
  extras: Extras = {},
): Setting<T, F> {
  return { kind, fallback, meaning, ...extras };
}

/** How much the log says; each level has those before it too. */
export type LogLevel = 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug';

/** Our levels by Janus' numbers: none, fatal, error, warning, info, verbose, huge, debug. */
export const LEVELS_BY_NUMBER: readonly LogLevel[] = [
  'silent',
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'debug',
  'debug',
];

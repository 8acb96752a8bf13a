import { type Logger, pino } from 'pino';
import type { LogLevel } from './levels.js';

export type { LogLevel } from './levels.js';

/** Values of a log line. Never a token, never SDP: who logs, chooses fields one by one. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** One line per call; `message` is a constant text, what varies is in `fields`. */
export type Log = (level: Exclude<LogLevel, 'silent'>, message: string, fields?: LogFields) => void;

/** The log as its owner holds it: what it says may change while the server runs. */
export interface AdjustableLog extends Log {
  /** Lines below it are not written. */
  level: LogLevel;
  /** Whether lines begin with the time. */
  timestamps: boolean;
  /** Whether lines for people have their level in colour. */
  colors: boolean;
}

/** Keeps a client's huge text from filling the disk. */
const FIELD_LENGTH_MAX = 300;

/** Of ECMA-48 (SGR): the level's colour, and back to none. */
const COLORS: Readonly<Record<string, string>> = {
  fatal: '\u001b[35m',
  error: '\u001b[31m',
  warn: '\u001b[33m',
  info: '\u001b[32m',
  debug: '\u001b[36m',
};
const NO_COLOR = '\u001b[0m';

function shorten(fields: LogFields): LogFields {
  const out: LogFields = {};
  for (const [name, value] of Object.entries(fields)) {
    out[name] =
      typeof value === 'string' && value.length > FIELD_LENGTH_MAX ? `${value.slice(0, FIELD_LENGTH_MAX)}…` : value;
  }
  return out;
}

/**
 * One JSON line of pino as a line for people: `12:00:01.000 info joined room="lobby" user="ann"`.
 * Text stays JSON-quoted, so that a line break in an id cannot forge a second line.
 *
 * @param colors whether the level is in colour
 */
export function formatForPeople(line: string, colors = false): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = time === undefined ? [] : [new Date(Number(time)).toISOString().slice(11, 23)];
  const color = colors ? COLORS[String(level)] : undefined;
  const label = color === undefined ? level : `${color}${level}${NO_COLOR}`;
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${[...clock, label, msg, ...rest].join(' ')}\n`;
}

/**
 * Makes the log, written to standard error.
 *
 * @param format `json`: one pino object a line; `text`: the same for people
 * @param write where lines go
 */
export function createLog(
  level: LogLevel,
  format: 'json' | 'text',
  write: (line: string) => void = (line) => void process.stderr.write(line),
): AdjustableLog {
  const shown = { timestamps: true, colors: false };
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: () => (shown.timestamps ? `,"time":${Date.now()}` : ''),
  };
  const logger: Logger = pino(options, {
    write: (line: string) => write(format === 'json' ? line : formatForPeople(line, shown.colors)),
  });
  const log: Log = (lineLevel, message, fields = {}) => logger[lineLevel](shorten(fields), message);
  return Object.defineProperties(log, {
    level: {
      get: () => logger.level,
      set: (wanted: LogLevel) => {
        logger.level = wanted;
      },
    },
    timestamps: {
      get: () => shown.timestamps,
      set: (wanted: boolean) => {
        shown.timestamps = wanted;
      },
    },
    colors: {
      get: () => shown.colors,
      set: (wanted: boolean) => {
        shown.colors = wanted;
      },
    },
  }) as AdjustableLog;
}

import { type Logger, pino } from 'pino';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';

/** Values of a log line. Never a token, never SDP: who logs, chooses fields one by one. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** One line per call; `message` is a constant text, what varies is in `fields`. */
export type Log = (level: Exclude<LogLevel, 'silent'>, message: string, fields?: LogFields) => void;

/** Keeps a client's huge text from filling the disk. */
const FIELD_LENGTH_MAX = 300;

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
 */
export function formatForPeople(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(Number(time)).toISOString().slice(11, 23);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${[clock, level, msg, ...rest].join(' ')}\n`;
}

/**
 * Makes the log, written to standard error.
 *
 * @param format `json`: one pino object a line; `text`: the same for people
 */
export function createLog(level: LogLevel, format: 'json' | 'text'): Log {
  const options = { level, base: null, formatters: { level: (label: string) => ({ level: label }) } };
  const logger: Logger =
    format === 'json'
      ? pino(options, pino.destination({ dest: 2, sync: true }))
      : pino(options, { write: (line: string) => void process.stderr.write(formatForPeople(line)) });
  return (lineLevel, message, fields = {}) => logger[lineLevel](shorten(fields), message);
}

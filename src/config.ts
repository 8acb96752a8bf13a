import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import os from 'node:os';
import { z } from 'zod';

/** A whole number as an environment variable writes it. */
function whole(min: number, max: number) {
  return z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max)
    .describe(`a whole number from ${min} to ${max}`);
}

/** Seconds, fractions allowed; in milliseconds afterwards. */
function seconds(min: number, max: number) {
  return z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform((value) => Math.round(Number(value) * 1000))
    .refine((value) => value >= min * 1000 && value <= max * 1000)
    .describe(`a number of seconds from ${min} to ${max}`);
}

const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no']))
  .transform((value) => value === 'true' || value === '1' || value === 'yes')
  .describe('true or false');

const word = <const T extends readonly [string, ...string[]]>(words: T) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(words))
    .describe(`one of ${words.join(', ')}`);

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

const addresses = list
  .refine((parts) => parts.every((part) => isIP(part) !== 0))
  .describe('IP addresses, separated by commas');

const codecs = list
  .transform((parts) => parts.map((part) => part.toLowerCase()))
  .pipe(z.array(z.enum(['h264', 'vp8', 'vp9', 'av1'])).min(1))
  .refine((parts) => new Set(parts).size === parts.length)
  .describe('h264, vp8, vp9, av1 or some of them, separated by commas, best first');

const text = z.string().describe('text');
const host = text
  .refine((value) => isIP(value) !== 0 || /^[\w.-]+$/.test(value))
  .describe('an address or host name to listen on');
const port = whole(0, 65535);
const MAX_SAFE = 1_000_000_000;

interface Setting {
  /** Other names of the variable; the first one that is set counts. */
  aliases?: readonly string[];
  schema: z.ZodType<unknown, string>;
  /** As an environment variable would say it; null = the setting is absent. */
  fallback: string | null;
}

/** Every setting, by its environment variable. docs/configuration lists what each of them does. */
const SETTINGS = {
  BIND: {
    aliases: ['HOST'],
    schema: host,
    fallback: null,
  },
  WS_PORT: { schema: port, fallback: '8188' },
  HTTP_PORT: { schema: port, fallback: '8088' },
  RTP_PORT: { schema: whole(1024, 65535), fallback: '51610' },
  SFU_WORKERS: {
    aliases: ['EVENT_LOOPS'],
    schema: whole(1, 64),
    fallback: String(Math.max(1, os.availableParallelism() - 1)),
  },
  PLACEMENT: { schema: word(['auto', 'spread', 'together']), fallback: 'auto' },
  PUBLIC_IP: { schema: addresses, fallback: '' },
  AUTH_KEY: { schema: text, fallback: null },
  MAX_ROOM_SIZE: { schema: whole(0, MAX_SAFE), fallback: '0' },
  MAX_CCU: { schema: whole(0, MAX_SAFE), fallback: '0' },
  SESSION_TIMEOUT: { schema: seconds(0, 86_400), fallback: '60' },
  RECLAIM_SESSION_TIMEOUT: { schema: seconds(0, 86_400), fallback: '0' },
  CANDIDATES_TIMEOUT: { schema: seconds(1, 3600), fallback: '45' },
  EVENT_QUEUE_MAX: { schema: whole(1, 100_000), fallback: '256' },
  EVENT_QUEUE_BYTES_MAX: { schema: whole(65_536, MAX_SAFE), fallback: '1048576' },
  OPAQUEID_IN_API: { schema: flag, fallback: 'false' },
  FULL_TRICKLE: { schema: flag, fallback: 'false' },
  API_SECRET: { schema: text, fallback: null },
  TOKEN_AUTH: { schema: flag, fallback: 'false' },
  TOKEN_AUTH_SECRET: { schema: text, fallback: null },
  TOKENS_MAX: { schema: whole(1, MAX_SAFE), fallback: '10000' },
  ADMIN_SECRET: { schema: text, fallback: null },
  ADMIN_BIND: { schema: host, fallback: '127.0.0.1' },
  ADMIN_PORT: { schema: port, fallback: '7088' },
  ADMIN_WS_PORT: { schema: port, fallback: '7188' },
  SUBSCRIBE_WAIT: { schema: seconds(0, 60), fallback: '5' },
  JOIN_REPLY_INCLUDES_SELF: { schema: flag, fallback: 'false' },
  NOTIFY_SCOPE: { schema: word(['room', 'server']), fallback: 'room' },
  VIDEO_CODECS: { schema: codecs, fallback: 'h264,vp8,vp9,av1' },
  VIDEO_BITRATE_MAX: { schema: whole(50_000, MAX_SAFE), fallback: '2500000' },
  NO_MEDIA_TIMEOUT: { schema: seconds(0, 3600), fallback: '1' },
  SLOWLINK_THRESHOLD: { schema: whole(0, MAX_SAFE), fallback: '0' },
  DATA_MESSAGE_BYTES_MAX: { schema: whole(1024, 262_144), fallback: '262144' },
  DATA_BACKLOG_MAX: { schema: whole(65_536, MAX_SAFE), fallback: '1048576' },
  UNRELIABLE_LABELS: { schema: list, fallback: 'unreliable' },
  BATCH_SCHEDULING: { schema: flag, fallback: 'true' },
  ADDON_FOLDERS: { schema: list, fallback: '' },
  BLOCK_STORE: { schema: word(['lmdb', 'memory']), fallback: 'lmdb' },
  DATA_DIR: { schema: text, fallback: 'data' },
  BLOCKS_PER_USER: { schema: whole(1, 100_000), fallback: '1000' },
  ID_BYTES_MAX: { schema: whole(16, 1024), fallback: '256' },
  WS_MESSAGE_BYTES_MAX: { schema: whole(1024, 16_777_216), fallback: '131072' },
  WS_FRAGMENTS_MAX: { schema: whole(1, 100_000), fallback: '64' },
  WS_BACKLOG_BYTES_MAX: { schema: whole(65_536, MAX_SAFE), fallback: '1048576' },
  WS_REQUEST_RATE: { schema: whole(1, MAX_SAFE), fallback: '100' },
  WS_REQUEST_BURST: { schema: whole(1, MAX_SAFE), fallback: '200' },
  WS_CONNECTIONS_PER_ADDRESS: { schema: whole(1, MAX_SAFE), fallback: '1000' },
  WS_IDLE_TIMEOUT: { schema: seconds(0, 3600), fallback: '10' },
  WS_PING_INTERVAL: { schema: seconds(0, 3600), fallback: '15' },
  WS_PONG_TIMEOUT: { schema: seconds(1, 3600), fallback: '10' },
  HTTP_CONNECTIONS_MAX: { schema: whole(1, MAX_SAFE), fallback: '1020' },
  HTTP_BODY_BYTES_MAX: { schema: whole(1024, 16_777_216), fallback: '131072' },
  HTTP_POLL_TIMEOUT: { schema: seconds(1, 55), fallback: '30' },
  HTTP_SESSIONS_PER_ADDRESS: { schema: whole(1, MAX_SAFE), fallback: '1000' },
  HTTP_REQUEST_RATE: { schema: whole(1, MAX_SAFE), fallback: '200' },
  HTTP_REQUEST_BURST: { schema: whole(1, MAX_SAFE), fallback: '400' },
  ALLOW_ORIGIN: { schema: text, fallback: null },
  ENFORCE_CORS: { schema: flag, fallback: 'false' },
  SESSIONS_PER_CONNECTION: { schema: whole(1, 100_000), fallback: '16' },
  HANDLES_PER_CONNECTION: { schema: whole(1, 100_000), fallback: '1024' },
  UNJOINED_HANDLES_PER_CONNECTION: { schema: whole(1, 100_000), fallback: '64' },
  REQUESTS_PER_HANDLE: { schema: whole(1, 100_000), fallback: '256' },
  SERVER_NAME: { schema: z.string().max(100).describe('at most 100 characters'), fallback: 'janus-sfu' },
  LOG_LEVEL: { schema: word(['fatal', 'error', 'warn', 'info', 'debug', 'silent']), fallback: 'info' },
  LOG_FORMAT: { schema: word(['text', 'json']), fallback: process.stderr.isTTY ? 'text' : 'json' },
} as const satisfies Record<string, Setting>;

type Settings = typeof SETTINGS;
type Name = keyof Settings;

/** The checked settings, by variable. Times are in milliseconds, lists are arrays, absent ones are undefined. */
export type Config = {
  readonly [N in Name]: z.infer<Settings[N]['schema']> | (Settings[N]['fallback'] extends null ? undefined : never);
};

export type ReadConfig = { ok: true; config: Config } | { ok: false; problems: string[] };

/**
 * Reads the settings from environment variables. An empty variable counts as not set.
 *
 * @returns all of them, or one line for each wrong value
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ReadConfig {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const used = [name, ...(setting.aliases ?? [])].find((one) => (env[one] ?? '') !== '');
    const value = used === undefined ? setting.fallback : (env[used] ?? '');
    if (value === null) continue;
    const parsed = setting.schema.safeParse(value);
    if (parsed.success) config[name] = parsed.data;
    else problems.push(`${used ?? name}=${JSON.stringify(value)}: should be ${setting.schema.description ?? 'valid'}`);
  }
  problems.push(...contradictions(config));
  return problems.length === 0 ? { ok: true, config: config as Config } : { ok: false, problems };
}

function contradictions(config: Record<string, unknown>): string[] {
  const { RTP_PORT: rtpPort, SFU_WORKERS: workers, TOKEN_AUTH: tokens } = config as Partial<Config>;
  const { TOKEN_AUTH_SECRET: tokenSecret, ENFORCE_CORS: enforce, ALLOW_ORIGIN: origin } = config as Partial<Config>;
  const problems: string[] = [];
  if (rtpPort !== undefined && workers !== undefined && rtpPort + workers - 1 > 65535) {
    problems.push(`RTP_PORT=${rtpPort}: with ${workers} workers the ports would go past 65535; each worker takes one`);
  }
  // A secret that nothing is checked against would look like protection.
  if (tokenSecret !== undefined && tokens === false) problems.push('TOKEN_AUTH_SECRET: needs TOKEN_AUTH=true');
  if (enforce && origin === undefined) problems.push('ENFORCE_CORS=true: needs ALLOW_ORIGIN');
  return problems;
}

/**
 * Reads a file that a setting names.
 *
 * @throws Error whose message names the setting, the file and the cause
 */
export function readSettingFile(name: Name, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const cause = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(`${name}=${JSON.stringify(file)}: the file can not be read (${cause})`);
  }
}

/** The version of this package, `1.2.3`. */
export function packageVersion(): string {
  for (const level of ['../', '../../', '../../../']) {
    try {
      const found = JSON.parse(readFileSync(new URL(`${level}package.json`, import.meta.url), 'utf8'));
      if (found.name === 'janus-sfu') return String(found.version);
    } catch {
      // Not here: the built files lie one or two folders below the package's own.
    }
  }
  return '0.0.0';
}

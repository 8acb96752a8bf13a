import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as elapse } from 'node:timers/promises';
import { GeneratorProcess } from '../../bench/load/generator-process.js';
import type { LoadCommand, LoadMeasurement } from '../../bench/load/protocol.js';
import { signToken } from '../sfu/token.js';
import { type Arguments, type Command, CommandError, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './command.js';
import { privateKeyOf } from './private-key.js';
import { loadSettings } from './settings.js';

/** Any port: nothing is sent to it. */
const DISCARD = 9;
/** Seconds for which the load's own tokens are valid. */
const TOKEN_TTL = 86_400;

interface Plan {
  publishers: number;
  subscribers: number;
  videoPps: number;
  audioPps: number;
  seconds: number;
  /** Percent. */
  lossMax: number;
}

/** Each option's default, and its range. */
const NUMBERS: Readonly<Record<string, { fallback: number; min: number; max: number; whole: boolean }>> = {
  publishers: { fallback: 1, min: 1, max: 1000, whole: true },
  subscribers: { fallback: 5, min: 1, max: 1000, whole: true },
  'video-pps': { fallback: 100, min: 1, max: 10_000, whole: true },
  'audio-pps': { fallback: 50, min: 0, max: 1000, whole: true },
  seconds: { fallback: 10, min: 1, max: 86_400, whole: true },
  'loss-max': { fallback: 1, min: 0, max: 100, whole: false },
};

function planOf(given: Arguments): Plan {
  const problems: string[] = [];
  const number = (name: string): number => {
    const { fallback, min, max, whole } = NUMBERS[name] ?? { fallback: 0, min: 0, max: 0, whole: true };
    const text = given.value(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (text !== '' && value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    problems.push(`--${name} ${text}: should be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    return fallback;
  };
  const plan = {
    publishers: number('publishers'),
    subscribers: number('subscribers'),
    videoPps: number('video-pps'),
    audioPps: number('audio-pps'),
    seconds: number('seconds'),
    lossMax: number('loss-max'),
  };
  if (problems.length > 0) throw new CommandError(problems, EXIT_USAGE);
  return plan;
}

/** The own address from which packets to the URL's host leave. */
async function bindAddressTo(url: string): Promise<string> {
  let hostname: string;
  try {
    hostname = new URL(url).hostname.replace(/^\[|\]$/g, '');
  } catch {
    throw new CommandError(`--url ${url}: should be a URL such as ws://localhost:8188`, EXIT_USAGE);
  }
  let socket: Socket | null = null;
  try {
    const { address, family } = await lookup(hostname);
    // A server tells clients of its own machine this address, and not the other loopback.
    if (address === '::1') return '127.0.0.1';
    socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    socket.connect(DISCARD, address);
    await once(socket, 'connect');
    return socket.address().address;
  } catch (error) {
    throw new CommandError(`--url ${url}: can not be reached (${error instanceof Error ? error.message : error})`);
  } finally {
    socket?.close();
  }
}

function tokenOf(given: Arguments, folder: string): string | undefined {
  const key = given.value('key');
  if (key === undefined) return given.value('token');
  const { privateKey } = privateKeyOf(path.resolve(folder, key));
  const now = Math.floor(Date.now() / 1000);
  return signToken({ joinHub: true, kickUsers: false, rooms: null, user: null }, privateKey, now, now + TOKEN_TTL);
}

const percent = (lost: number, of: number) => `${(of > 0 ? (100 * lost) / of : 0).toFixed(2)} %`;

/** One line each second of the measurement. */
function progress({ expected, received }: LoadMeasurement, second: number, seconds: number): string {
  return `${second}/${seconds} s: ${received} packets received, ${percent(Math.max(0, expected - received), expected)} on their way or lost\n`;
}

function summary({ sent, expected, received, latency }: LoadMeasurement, seconds: number): string {
  const rate = (received / seconds).toFixed(0);
  return [
    `sent ${sent}, received ${received} of ${expected} packets (${rate} a second)`,
    `lost ${percent(expected - received, expected)}`,
    `video latency: half under ${latency.p50.toFixed(1)} ms, 99 % under ${latency.p99.toFixed(1)} ms, worst ${latency.worst.toFixed(1)} ms`,
    '',
  ].join('\n');
}

/** Connects, sends, measures; `tell` gets a line for each step. */
async function generate(
  target: Extract<LoadCommand, { type: 'connect' }>['target'],
  plan: Plan,
  tell: (line: string) => void,
): Promise<LoadMeasurement> {
  const { publishers, subscribers, videoPps, audioPps, seconds } = plan;
  const generator = new GeneratorProcess();
  await generator.command({ type: 'connect', target });
  tell(`connecting ${publishers} ${publishers === 1 ? 'publisher' : 'publishers'}\n`);
  const room = `load-${randomBytes(4).toString('hex')}`;
  await generator.command({ type: 'publish', publishers, subscribers, room });
  tell(`connecting ${publishers * subscribers} subscriptions\n`);
  await generator.command({ type: 'subscribe' });
  await generator.command({ type: 'send', videoPps, audioPps });
  // The first keyframe is on its way; what comes before it counts for nobody.
  await elapse(1000);
  await generator.command({ type: 'begin-measuring' });
  for (let second = 1; second <= seconds; second += 1) {
    await elapse(1000);
    const measurement = await generator.command({ type: 'look' });
    if (measurement) tell(progress(measurement, second, seconds));
  }
  const measurement = await generator.command({ type: 'end-measuring' });
  await generator.stop();
  if (!measurement) throw new Error('the load generator measured nothing');
  return measurement;
}

export const load: Command = {
  name: 'load',
  summary: 'puts a running server under load: real peers that publish, subscribe and measure',
  usage: '[--url ws://host:8188] [--publishers 1] [--subscribers 5] [--seconds 10] [settings]',
  settings: true,
  options: [
    { name: 'url', value: 'url', meaning: 'of the WebSocket; unless told, WS_PORT of this machine' },
    { name: 'publishers', value: 'number', meaning: 'users that publish; 1 unless told' },
    {
      name: 'subscribers',
      value: 'number',
      meaning:
        'subscriptions to each publisher, 5 unless told; less than publishers: all are in one room, else each publisher has its own',
    },
    {
      name: 'video-pps',
      value: 'number',
      meaning: 'video packets of 1200 bytes, a second and publisher; 100 unless told',
    },
    {
      name: 'audio-pps',
      value: 'number',
      meaning: 'audio packets of 100 bytes, a second and publisher; 50 unless told',
    },
    { name: 'seconds', value: 'number', meaning: 'for how long; 10 unless told' },
    { name: 'loss-max', value: 'percent', meaning: 'more loss than this is a failure (exit code 1); 1 unless told' },
    { name: 'key', value: 'file', meaning: 'private key to sign tokens with, for a server with AUTH_KEY' },
    { name: 'token', value: 'token', meaning: 'a token that lets any user join any room, instead of a key' },
    { name: 'json', meaning: 'the result as JSON, no progress' },
  ],
  async run(given, surroundings) {
    const plan = planOf(given);
    const { config } = loadSettings(given, surroundings);
    const url = given.value('url') ?? `${config.TLS_CERT === undefined ? 'ws' : 'wss'}://127.0.0.1:${config.WS_PORT}`;
    const token = tokenOf(given, surroundings.folder);
    const json = given.has('json');
    const target = {
      kind: 'janus' as const,
      url,
      bindAddress: await bindAddressTo(url),
      ...(token === undefined ? {} : { token }),
      ...(config.API_SECRET === undefined ? {} : { apiSecret: config.API_SECRET }),
    };
    let measurement: LoadMeasurement;
    try {
      measurement = await generate(target, plan, json ? () => {} : surroundings.out);
    } catch (error) {
      throw new CommandError(`${url}: ${error instanceof Error ? error.message : error}`);
    }
    const { expected, received } = measurement;
    surroundings.out(json ? `${JSON.stringify({ plan, ...measurement })}\n` : summary(measurement, plan.seconds));
    const lost = expected > 0 ? (100 * (expected - received)) / expected : 100;
    return lost <= plan.lossMax ? EXIT_OK : EXIT_FAILED;
  },
};

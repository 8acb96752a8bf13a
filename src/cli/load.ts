import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as elapse } from 'node:timers/promises';
import { GeneratorProcess } from '../../bench/load/generator-process.js';
import type { ConnectReport, LoadTarget } from '../../bench/load/protocol.js';
import type { LoadMeasurement } from '../../bench/load/tally.js';
import { signToken } from '../sfu/token.js';
import { type Arguments, type Command, CommandError, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './command.js';
import { type LoadPlan, PLAN_OPTIONS, planOf } from './load-plan.js';
import { type LoadOutcome, lossOf, reportOf, reportText } from './load-report.js';
import { privateKeyOf } from './private-key.js';
import { loadSettings } from './settings.js';

/** Any port: nothing is sent to it. */
const DISCARD = 9;
/** Seconds for which the load's own tokens are valid. */
const TOKEN_TTL = 86_400;
/** Subscriptions that are set up between two lines of progress. */
const CONNECTED_BETWEEN_LINES = 100;

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

/** One line each second of the measurement. */
function progress(measurement: LoadMeasurement, second: number, seconds: number): string {
  const away = `${(100 * lossOf(measurement)).toFixed(2)} % on their way or lost`;
  const data = measurement.data.expected > 0 ? `, ${measurement.data.received} data messages` : '';
  return `${second}/${seconds} s: ${measurement.received} packets received, ${away}${data}\n`;
}

/** Adds up how connecting went, in parts that followed each other. */
function together(one: ConnectReport, other: ConnectReport): ConnectReport {
  return {
    connected: one.connected + other.connected,
    failed: one.failed + other.failed,
    reasons: [...new Set([...one.reasons, ...other.reasons])],
    setup: other.setup,
  };
}

/** Connects, sends, measures; `tell` gets a line for each step. */
async function generate(target: LoadTarget, plan: LoadPlan, tell: (line: string) => void): Promise<LoadOutcome> {
  const { rooms, users, listeners, videoPps, audioPps, dataRate, seconds, atOnce } = plan;
  const generator = new GeneratorProcess();
  try {
    await generator.connect(target);
    tell(`connecting ${rooms * users} users in ${rooms} ${rooms === 1 ? 'room' : 'rooms'}\n`);
    const pace = { atOnce, tolerant: true };
    const room = `load-${randomBytes(4).toString('hex')}`;
    const joined = await generator.publish({ rooms, users, listeners }, { room, data: dataRate > 0, ...pace });
    if (joined.connected === 0) throw new Error(`nobody could join: ${joined.reasons.join('; ')}`);
    const total = rooms * users * (users - 1 + listeners);
    let subscriptions = await generator.subscribe({ count: CONNECTED_BETWEEN_LINES, ...pace });
    for (let done = CONNECTED_BETWEEN_LINES; done < total; done += CONNECTED_BETWEEN_LINES) {
      tell(`${done} of ${total} subscriptions\n`);
      subscriptions = together(subscriptions, await generator.subscribe({ count: CONNECTED_BETWEEN_LINES, ...pace }));
    }
    tell(`${total} subscriptions, ${joined.failed + subscriptions.failed} connections failed\n`);
    await generator.send({ videoPps, audioPps, dataPps: dataRate });
    // The first keyframe is on its way; what comes before it counts for nobody.
    await elapse(1000);
    await generator.begin();
    for (let second = 1; second <= seconds; second += 1) {
      await elapse(1000);
      tell(progress(await generator.look(), second, seconds));
    }
    const measurement = await generator.end();
    await generator.stop();
    return { users: joined, subscriptions, measurement };
  } finally {
    generator.kill();
  }
}

export const load: Command = {
  name: 'load',
  summary: 'puts a running server under load: real peers that publish, subscribe and measure',
  usage: '[--url ws://host:8188] [--rooms 1] [--users 4] [--listeners 0] [--seconds 10] [settings]',
  settings: true,
  options: [
    { name: 'url', value: 'url', meaning: 'of the WebSocket; unless told, WS_PORT of this machine' },
    ...PLAN_OPTIONS,
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
    let outcome: LoadOutcome;
    try {
      outcome = await generate(target, plan, json ? () => {} : surroundings.out);
    } catch (error) {
      throw new CommandError(`${url}: ${error instanceof Error ? error.message : error}`);
    }
    const rows = reportOf(outcome, plan);
    const met = rows.every((row) => row.met);
    const reasons = [...new Set([...outcome.users.reasons, ...outcome.subscriptions.reasons])];
    surroundings.out(json ? `${JSON.stringify({ plan, met, ...outcome })}\n` : reportText(rows, reasons));
    return met ? EXIT_OK : EXIT_FAILED;
  },
};

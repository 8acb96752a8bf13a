import { type Arguments, CommandError, EXIT_USAGE, type Option } from './command.js';

/** What `janus-sfu load` does, and what the server is to reach. */
export interface LoadPlan {
  rooms: number;
  /** Of each room: users that send and hear all others, and listeners that only hear. */
  users: number;
  listeners: number;
  /** A second and sender. */
  videoPps: number;
  audioPps: number;
  dataRate: number;
  seconds: number;
  /** Peers that connect at the same time. */
  atOnce: number;
  /** Goals: connections, percent, milliseconds; null = none. */
  failedMax: number;
  lossMax: number;
  latencyMax: number | null;
  dataLatencyMax: number | null;
}

interface Range {
  name: string;
  value: string;
  meaning: string;
  /** Null: nothing unless told. */
  fallback: number | null;
  min: number;
  max: number;
  whole: boolean;
}

function range(
  name: string,
  value: string,
  [min, max]: [number, number],
  fallback: number | null,
  meaning: string,
  whole = true,
): Range {
  return { name, value, meaning, fallback, min, max, whole };
}

const RANGES = {
  rooms: range('rooms', 'number', [1, 10_000], 1, 'rooms'),
  users: range('users', 'number', [1, 1000], 4, 'users of each room that send, and hear all others'),
  listeners: range('listeners', 'number', [0, 10_000], 0, 'users of each room that only hear'),
  videoPps: range('video-pps', 'number', [0, 10_000], 100, 'video packets of 1200 bytes, a second and user'),
  audioPps: range('audio-pps', 'number', [0, 1000], 50, 'audio packets of 100 bytes, a second and user'),
  dataRate: range(
    'data-rate',
    'number',
    [0, 1000],
    15,
    'messages of 200 bytes through a data channel, a second and user',
  ),
  seconds: range('seconds', 'number', [1, 86_400], 10, 'for how long'),
  atOnce: range('at-once', 'number', [1, 1000], 10, 'PeerConnections that are set up at the same time'),
  failedMax: range('failed-max', 'number', [0, 1_000_000], 0, 'goal: so many connections may fail'),
  lossMax: range('loss-max', 'percent', [0, 100], 1, 'goal: loss of packets, and of data messages', false),
  latencyMax: range('latency-max', 'ms', [1, 60_000], null, 'goal: 99 % of the packets come within this', false),
  dataLatencyMax: range('data-latency-max', 'ms', [1, 60_000], null, 'goal: the same of data messages', false),
} satisfies Record<keyof LoadPlan, Range>;

/** The options of the plan, for the help. */
export const PLAN_OPTIONS: readonly Option[] = Object.values(RANGES).map(({ name, value, meaning, fallback }) => ({
  name,
  value,
  meaning: fallback === null ? meaning : `${meaning}; ${fallback} unless told`,
}));

/** @throws {CommandError} with a line for each figure that makes no sense */
export function planOf(given: Pick<Arguments, 'value'>): LoadPlan {
  const problems: string[] = [];
  const optional = ({ name, fallback, min, max, whole }: Range): number | null => {
    const text = given.value(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (text !== '' && value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    problems.push(`--${name} ${text}: should be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    return fallback;
  };
  const number = (one: Range) => optional(one) ?? 0;
  const plan: LoadPlan = {
    rooms: number(RANGES.rooms),
    users: number(RANGES.users),
    listeners: number(RANGES.listeners),
    videoPps: number(RANGES.videoPps),
    audioPps: number(RANGES.audioPps),
    dataRate: number(RANGES.dataRate),
    seconds: number(RANGES.seconds),
    atOnce: number(RANGES.atOnce),
    failedMax: number(RANGES.failedMax),
    lossMax: number(RANGES.lossMax),
    latencyMax: optional(RANGES.latencyMax),
    dataLatencyMax: optional(RANGES.dataLatencyMax),
  };
  if (problems.length === 0 && plan.users === 1 && plan.listeners === 0) {
    problems.push('--users 1 --listeners 0: nobody would hear anybody');
  }
  if (problems.length > 0) throw new CommandError(problems, EXIT_USAGE);
  return plan;
}

/**
 * The records that shards write into each other's rings for publishers that have mirrors (workers/fan-out.ts): a head of
 * fixed size, then a body. Both ends are the same build of the same process, so that nothing is checked but the type.
 */
import type { HandleNumber, UpTrackParameters, UserNumber } from './protocol.js';

/**
 * To the mirror: `packet` (an RTP packet), `report` (RTCP with a sender report), `configuration` ({@link Configuration}),
 * `held` (what the publisher is told to stay under). From it: `keyframe` and `limit`, what its subscribers ask for and take.
 */
export const RECORD = { packet: 1, report: 2, configuration: 3, held: 4, keyframe: 5, limit: 6 } as const;

export type RecordType = (typeof RECORD)[keyof typeof RECORD];

/** Bits of `flags`. */
export const VIDEO = 1;
/** Of a packet: a decoder can start with it. */
export const KEYFRAME = 2;
/** Of a request for a keyframe: a FIR, else a PLI. */
export const FIR = 4;

export interface RecordHead {
  type: RecordType;
  /** The publisher's. */
  handle: HandleNumber;
  /** {@link VIDEO}, {@link KEYFRAME}, {@link FIR}. */
  flags?: number;
  /** Of a packet: which source of its track it is of; of a limit: how many subscribers it is for. 0..2^32-1. */
  number?: number;
  /** Of a packet: its extended sequence number; of `held` and `limit`: bit/s. */
  value?: number;
  /** When the packet or report came: milliseconds of the process' monotonic clock. */
  time?: number;
}

/** What a mirror has to know of its publisher. */
export interface Configuration {
  /** 0: it has not joined. */
  user: UserNumber;
  tracks: UpTrackParameters[];
}

/** handle (4 bytes), type, flags, two spare ones, number (4), four spare ones, value (8), time (8). */
const HEAD = 32;

/** The one head that is written at a time: what writes it copies it at once. */
const head = Buffer.alloc(HEAD);

/** @returns the head's bytes, good until the next call */
export function writeHead(type: RecordType, handle: HandleNumber, flags = 0, number = 0, value = 0, time = 0): Buffer {
  head.writeUInt32LE(handle, 0);
  head[4] = type;
  head[5] = flags;
  head.writeUInt32LE(number, 8);
  head.writeDoubleLE(value, 16);
  head.writeDoubleLE(time, 24);
  return head;
}

/** @returns null for what no shard of ours wrote */
export function readHead(record: Buffer): Required<RecordHead> | null {
  const type = record[4] as RecordType;
  if (record.length < HEAD || type < RECORD.packet || type > RECORD.limit) return null;
  return {
    type,
    handle: record.readUInt32LE(0),
    flags: record[5] ?? 0,
    number: record.readUInt32LE(8),
    value: record.readDoubleLE(16),
    time: record.readDoubleLE(24),
  };
}

/** What follows the head, in place. */
export const bodyOf = (record: Buffer): Buffer => record.subarray(HEAD);

export const writeConfiguration = (configuration: Configuration): Buffer => Buffer.from(JSON.stringify(configuration));
export const readConfiguration = (body: Buffer): Configuration => JSON.parse(body.toString());

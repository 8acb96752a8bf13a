/** A shard's shared memory as seen from any thread: making it, and reading its counters in place. */
import * as layout from '../assembly/layout.js';

/** Names of the reasons for which packets are dropped, by verdict (assembly/layout.ts). */
export const VERDICT_NAMES = [
  'forwarded',
  'droppedTooShort',
  'droppedTooLarge',
  'droppedVersion',
  'droppedCsrc',
  'droppedExtension',
  'droppedPadding',
  'droppedUnknownPayloadType',
  'droppedRtx',
  'droppedUnknownSsrc',
  'droppedSequenceJump',
  'droppedDuplicate',
  'droppedLate',
  'droppedNoMemory',
  'droppedNotJoined',
  'droppedNotSubscribed',
  'droppedInactive',
  'droppedBlocked',
  'droppedWaitingForKeyframe',
  'droppedPaused',
  'droppedShed',
] as const;

const OTHER_COUNTERS = {
  bytesForwarded: layout.COUNTER_BYTES_FORWARDED,
  received: layout.COUNTER_RECEIVED,
  bytesReceived: layout.COUNTER_BYTES_RECEIVED,
  admitted: layout.COUNTER_ADMITTED,
  keyframes: layout.COUNTER_KEYFRAMES,
  sourceChanges: layout.COUNTER_SOURCE_CHANGES,
  retransmitted: layout.COUNTER_RETRANSMITTED,
  notRetransmitted: layout.COUNTER_NOT_RETRANSMITTED,
  rtcpReceived: layout.COUNTER_RTCP_RECEIVED,
  rtcpMalformed: layout.COUNTER_RTCP_MALFORMED,
  keyframeRequests: layout.COUNTER_KEYFRAME_REQUESTS,
  blockTableFull: layout.COUNTER_BLOCK_TABLE_FULL,
  trackTableFull: layout.COUNTER_TRACK_TABLE_FULL,
  packetsAsked: layout.COUNTER_ASKED,
  packetsRecovered: layout.COUNTER_RECOVERED,
  packetsGivenUp: layout.COUNTER_GIVEN_UP,
  keyframesReplayed: layout.COUNTER_REPLAYS,
  packetsMirrored: layout.COUNTER_MIRRORED,
  upTracks: layout.COUNTER_UP_TRACKS,
  downTracks: layout.COUNTER_DOWN_TRACKS,
  blockedPairs: layout.COUNTER_BLOCKED_PAIRS,
  packetSlots: layout.COUNTER_SLOTS,
  packetSlotsFree: layout.COUNTER_SLOTS_FREE,
} as const;

/** `forwarded`, `dropped…` (packets by verdict), and the rest of layout.ts' counters; the last five are present values. */
export type CounterName = (typeof VERDICT_NAMES)[number] | keyof typeof OTHER_COUNTERS;

const COUNTER_INDICES: readonly (readonly [CounterName, number])[] = [
  ...VERDICT_NAMES.map((name, verdict) => [name, verdict] as const),
  ...Object.entries(OTHER_COUNTERS).map(([name, index]) => [name as keyof typeof OTHER_COUNTERS, index] as const),
];

/** A zeroed memory for one shard: 24 MiB of tables, all but a few pages untouched at first; at most 1 GiB. */
export function createMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: layout.INITIAL_PAGES, maximum: layout.MAXIMUM_PAGES, shared: true });
}

/** The counters of one shard, each read whole, not all at one moment. Any thread may call it. */
export function readCounters(memory: WebAssembly.Memory): Record<CounterName, number> {
  const cells = new BigUint64Array(memory.buffer, layout.COUNTERS_START, layout.COUNTERS);
  const values = COUNTER_INDICES.map(([name, index]) => [name, Number(Atomics.load(cells, index))] as const);
  return Object.fromEntries(values) as Record<CounterName, number>;
}

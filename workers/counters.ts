/** A shard's own counters (the engine has more, in its memory): written by the shard, read in place by the main thread. */

/** Order is position; names are what /metrics and logs call them. */
export const SHARD_COUNTERS = [
  'peers',
  'peersEnding',
  'packetsReceived',
  'packetsSent',
  'packetsUnsent',
  'rtpFromSubscriber',
  'keyframeRequests',
  'retransmissions',
  'videoPauses',
  'dataReceived',
  'dataSent',
  'dataDropped',
  'dataChannelsClosed',
  'dataToShards',
  'dataRingFull',
  'mirrors',
  'packetsToShards',
  'videoRingFull',
  'audioRingFull',
  'mirrorDelayMicros',
  'faults',
  'loopDelayMicros',
  'loopBusyPercent',
  'videoShedPercent',
  'heartbeat',
] as const;

export type ShardCounter = (typeof SHARD_COUNTERS)[number];

const indexes = Object.fromEntries(SHARD_COUNTERS.map((name, index) => [name, index])) as Record<ShardCounter, number>;

export const createCounters = (): SharedArrayBuffer => new SharedArrayBuffer(SHARD_COUNTERS.length * 8);

/** Float64 cells: exact up to 2^53, and one writer, so that no atomics are needed. */
export class ShardCounters {
  private readonly cells: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Float64Array(memory);
  }

  add(name: ShardCounter, amount = 1): void {
    const index = indexes[name];
    this.cells[index] = (this.cells[index] ?? 0) + amount;
  }

  set(name: ShardCounter, value: number): void {
    this.cells[indexes[name]] = value;
  }

  get(name: ShardCounter): number {
    return this.cells[indexes[name]] ?? 0;
  }

  /** All of them. */
  read(): Record<ShardCounter, number> {
    return Object.fromEntries(SHARD_COUNTERS.map((name, index) => [name, this.cells[index] ?? 0])) as Record<
      ShardCounter,
      number
    >;
  }
}

/**
 * The engine's media path in plain TypeScript: the yardstick of the benches, and the second opinion of the tests.
 * Same decisions, same bounds; numbers for sequence numbers, objects and Buffers instead of records in shared memory.
 */
import * as layout from '../assembly/layout.js';
import type { DownTrackParameters, UpTrackParameters } from '../workers/protocol.js';
import {
  admitExtensions,
  type Block,
  emptyPacket,
  extensionIds,
  type PlainPacket,
  parseHeader,
  startsKeyframe,
  writeExtensions,
} from './plain-packet.js';

interface Segment {
  first: number;
  offset: number;
  epoch: number;
  timestampOffset: number;
}

export class PlainUpTrack {
  readonly parameters: UpTrackParameters;
  readonly user: number;
  readonly ids: number[];
  readonly history: (PlainPacket | null)[];
  readonly parameterSets = { seen: false };
  ssrc = 0;
  epoch = 0;
  base = 0;
  highest = 0;
  received = 0;
  transit: number | null = null;
  jitter = 0;
  candidate = { ssrc: -1, next: -1, timestamp: 0 };
  jumpNext = -1;
  keyframeTimestamp: number | null = null;
  keyframeStart = 0;
  lastPacketAt = 0;

  constructor(parameters: UpTrackParameters, user: number) {
    this.parameters = parameters;
    this.user = user;
    this.ids = extensionIds(parameters.extensions);
    this.history = new Array(parameters.kind === 'video' ? layout.HISTORY_VIDEO : layout.HISTORY_AUDIO).fill(null);
  }
}

export class PlainDownTrack {
  readonly up: PlainUpTrack;
  readonly parameters: DownTrackParameters;
  readonly user: number;
  readonly ids: number[];
  /** Newest first. */
  segments: Segment[] = [];
  active = true;
  suspended = true;
  highest = 0;
  lastTimestamp = 0;
  lastSentAt = 0;
  packetsSent = 0;
  octetsSent = 0;
  resendCredit = 0;
  readonly resends = new Map<number, number>();

  constructor(up: PlainUpTrack, parameters: DownTrackParameters, user: number) {
    this.up = up;
    this.parameters = parameters;
    this.user = user;
    this.ids = extensionIds(parameters.extensions);
  }
}

function blockKey(userA: number, userB: number): number {
  return Math.min(userA, userB) * 2 ** 22 + Math.max(userA, userB);
}

export class PlainEngine {
  readonly #blocks = new Set<number>();
  readonly #block: Block = { start: 0, end: 0 };
  #inbox = emptyPacket();
  #admitted: PlainPacket | null = null;
  #extended = 0;

  /** User numbers below 2^22. */
  setBlocked(userA: number, userB: number, blocked: boolean): void {
    if (blocked) this.#blocks.add(blockKey(userA, userB));
    else this.#blocks.delete(blockKey(userA, userB));
  }

  receive(up: PlainUpTrack, packet: Buffer, now: number): number {
    this.#admitted = null;
    if (packet.length > layout.PACKET_CAPACITY) return layout.DROP_TOO_LARGE;
    const slot = this.#inbox;
    packet.copy(slot.bytes);
    const malformed = parseHeader(slot, packet.length, this.#block);
    if (malformed !== layout.FORWARD) return malformed;
    if (((slot.bytes[1] ?? 0) & 0x7f) !== up.parameters.payloadType) return layout.DROP_UNKNOWN_PAYLOAD_TYPE;
    const foreign = this.#belongs(up, slot, now);
    if (foreign !== layout.FORWARD) return foreign;
    slot.extended = this.#extended;
    slot.epoch = up.epoch;
    this.#count(up, slot, now);
    const index = slot.extended % up.history.length;
    const former = up.history[index] ?? null;
    if (former?.epoch === up.epoch) {
      if (former.extended === slot.extended) return layout.DROP_DUPLICATE;
      if (former.extended > slot.extended) return layout.DROP_LATE;
    }
    up.history[index] = slot;
    this.#inbox = former ?? emptyPacket();
    admitExtensions(slot, this.#block, up.ids);
    slot.keyframe = up.parameters.kind === 'video' && this.#startsKeyframe(up, slot);
    up.lastPacketAt = now;
    this.#admitted = slot;
    return layout.FORWARD;
  }

  get packet(): Buffer {
    const slot = this.#admitted;
    return slot ? slot.bytes.subarray(0, slot.length) : Buffer.alloc(0);
  }

  translate(down: PlainDownTrack, now: number): number {
    const { up } = down;
    const slot = this.#admitted;
    if (!slot) return layout.DROP_NOT_SUBSCRIBED;
    if (!down.active) return layout.DROP_INACTIVE;
    if (this.#blocks.size > 0 && this.#blocks.has(blockKey(up.user, down.user))) {
      down.suspended = true;
      return layout.DROP_BLOCKED;
    }
    const present = down.segments[0];
    if (down.suspended || present?.epoch !== up.epoch) {
      if (present?.epoch === up.epoch && slot.extended + present.offset <= down.highest) return layout.DROP_LATE;
      if (up.parameters.kind === 'video' && (!slot.keyframe || slot.extended < up.highest)) {
        return layout.DROP_WAITING_FOR_KEYFRAME;
      }
      this.#start(down, slot, now);
    }
    const [segment] = down.segments;
    if (!segment || slot.extended < segment.first) return layout.DROP_LATE;
    const sequence = slot.extended + segment.offset;
    if (sequence > down.highest) {
      down.highest = sequence;
      down.lastTimestamp = (slot.timestamp + segment.timestampOffset) >>> 0;
      down.lastSentAt = now;
    }
    this.#write(slot, down, segment, now);
    if (down.resendCredit < layout.RESEND_CREDIT_MAX) down.resendCredit++;
    return layout.FORWARD;
  }

  /** The packet with that wire sequence number as the subscriber got it, or null. */
  retransmission(down: PlainDownTrack, wire: number, now: number): Buffer | null {
    const { up } = down;
    if (this.#blocks.has(blockKey(up.user, down.user)) || down.resendCredit === 0) return null;
    const behind = (down.highest - wire) & 0xffff;
    if (behind >= 0x8000) return null;
    const sequence = down.highest - behind;
    const segment = down.segments.find(({ first, offset }) => first + offset <= sequence);
    if (segment?.epoch !== up.epoch) return null;
    const slot = up.history[(sequence - segment.offset) % up.history.length];
    if (!slot || slot.epoch !== up.epoch || slot.extended !== sequence - segment.offset) return null;
    if (now - (down.resends.get(sequence) ?? Number.NEGATIVE_INFINITY) < layout.RESEND_INTERVAL_MS) return null;
    if (down.resends.size >= layout.RESENDS) down.resends.clear();
    down.resends.set(sequence, now);
    down.resendCredit--;
    this.#write(slot, down, segment, now);
    return slot.bytes.subarray(0, slot.length);
  }

  #adopt(up: PlainUpTrack, ssrc: number, sequence: number, lostStart: number | null): number {
    this.#extended = 65536 + sequence;
    up.base = this.#extended;
    up.highest = this.#extended;
    up.received = 0;
    up.transit = null;
    up.jitter = 0;
    up.epoch++;
    up.ssrc = ssrc;
    up.keyframeTimestamp = lostStart;
    up.keyframeStart = 0;
    up.parameterSets.seen = false;
    up.candidate.next = -1;
    up.jumpNext = -1;
    return layout.FORWARD;
  }

  #belongs(up: PlainUpTrack, slot: PlainPacket, now: number): number {
    const ssrc = slot.bytes.readUInt32BE(8);
    const sequence = slot.bytes.readUInt16BE(2);
    const { candidate } = up;
    if (up.epoch === 0) return this.#adopt(up, ssrc, sequence, null);
    if (ssrc !== up.ssrc) {
      const silent = now - up.lastPacketAt >= layout.SOURCE_SILENCE_MS;
      if (silent || ssrc === up.parameters.ssrc) return this.#adopt(up, ssrc, sequence, null);
      if (ssrc === candidate.ssrc && sequence === candidate.next) {
        return this.#adopt(up, ssrc, sequence, candidate.timestamp);
      }
      up.candidate = { ssrc, next: (sequence + 1) & 0xffff, timestamp: slot.timestamp };
      return layout.DROP_UNKNOWN_SSRC;
    }
    const ahead = (sequence - up.highest) & 0xffff;
    if (ahead < layout.MAX_DROPOUT) this.#extended = up.highest + ahead;
    else if (65536 - ahead <= layout.MAX_MISORDER) this.#extended = up.highest - (65536 - ahead);
    else {
      if (sequence === up.jumpNext) return this.#adopt(up, ssrc, sequence, candidate.timestamp);
      up.jumpNext = (sequence + 1) & 0xffff;
      candidate.timestamp = slot.timestamp;
      return layout.DROP_SEQUENCE_JUMP;
    }
    up.jumpNext = -1;
    candidate.next = -1;
    return layout.FORWARD;
  }

  #count(up: PlainUpTrack, slot: PlainPacket, now: number): void {
    up.highest = Math.max(up.highest, slot.extended);
    up.received++;
    const arrival = Math.trunc((now * up.parameters.clockRate) / 1000);
    const transit = (arrival - slot.timestamp) | 0;
    if (up.transit !== null) up.jitter += Math.abs((transit - up.transit) | 0) - ((up.jitter + 8) >> 4);
    up.transit = transit;
  }

  #startsKeyframe(up: PlainUpTrack, slot: PlainPacket): boolean {
    if (!startsKeyframe(up.parameters.codec, slot, up.parameterSets)) return false;
    if (up.keyframeTimestamp === slot.timestamp || slot.extended < up.keyframeStart) return false;
    up.keyframeStart = slot.extended;
    up.keyframeTimestamp = slot.timestamp;
    return true;
  }

  #start(down: PlainDownTrack, slot: PlainPacket, now: number): void {
    const { up, parameters } = down;
    const [former] = down.segments;
    let sequence = down.highest + 1;
    let timestampOffset = former?.timestampOffset ?? 0;
    if (!former) sequence = 65537 + (Math.imul(parameters.ssrc, 0x9e3779b1) >>> 18);
    else if (former.epoch !== up.epoch) {
      const elapsed = Math.round(((now - down.lastSentAt) * up.parameters.clockRate) / 1000);
      timestampOffset = (down.lastTimestamp + Math.max(elapsed, 1) - slot.timestamp) >>> 0;
    }
    const offset = sequence - slot.extended;
    down.segments = [{ first: slot.extended, offset, epoch: up.epoch, timestampOffset }, ...down.segments.slice(0, 3)];
    down.highest = sequence - 1;
    down.suspended = false;
  }

  #write(slot: PlainPacket, down: PlainDownTrack, segment: Segment, now: number): void {
    const { bytes } = slot;
    bytes[1] = down.parameters.payloadType | (slot.marker ? 0x80 : 0);
    bytes.writeUInt16BE((slot.extended + segment.offset) & 0xffff, 2);
    bytes.writeUInt32BE((slot.timestamp + segment.timestampOffset) >>> 0, 4);
    bytes.writeUInt32BE(down.parameters.ssrc, 8);
    writeExtensions(slot, down.ids, now);
    down.packetsSent++;
    down.octetsSent += slot.payloadLength;
  }
}

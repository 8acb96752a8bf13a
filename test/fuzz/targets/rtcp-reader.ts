/** What RTCP says by RFC 3550, 4585, 5104 and 2032, read a second time and without the engine: what its readers must find. */
import * as layout from '../../../assembly/layout.js';

interface Packet {
  type: number;
  /** The 5 bits of the first byte. */
  subtype: number;
  /** Header included, padding not. */
  bytes: Buffer;
}

/** The packets of a compound up to the first that can't be one; those with bad padding are left out. */
function packetsOf(compound: Buffer): Packet[] {
  const packets: Packet[] = [];
  if (compound.length > layout.PACKET_CAPACITY) return packets;
  for (let at = 0; at + 4 <= compound.length; ) {
    const first = compound.readUInt8(at);
    const end = at + 4 * (compound.readUInt16BE(at + 2) + 1);
    if (first >> 6 !== 2 || end > compound.length) break;
    const padding = first & 0x20 ? compound.readUInt8(end - 1) : 0;
    const isLast = end === compound.length;
    const bad = (first & 0x20) !== 0 && (!isLast || padding === 0 || padding % 4 !== 0 || padding > end - at - 4);
    const bytes = compound.subarray(at, end - padding);
    if (!bad) packets.push({ type: compound.readUInt8(at + 1), subtype: first & 31, bytes });
    at = end;
  }
  return packets;
}

/**
 * Whether it is packets to its last byte, with padding in the last one at most. Of any length: transport-wide feedback is
 * filled up to whole words by less than one, as libwebrtc does it.
 */
export function isWellFormed(compound: Buffer): boolean {
  let at = 0;
  while (at + 4 <= compound.length) {
    const first = compound.readUInt8(at);
    const end = at + 4 * (compound.readUInt16BE(at + 2) + 1);
    if (first >> 6 !== 2 || end > compound.length) return false;
    const padding = first & 0x20 ? compound.readUInt8(end - 1) : 0;
    if (first & 0x20 && (end < compound.length || padding === 0 || padding > end - at - 4)) return false;
    at = end;
  }
  return compound.length > 0 && at === compound.length;
}

/** 32-bit words at a distance of `step` bytes, as long as `size` bytes of each entry are there. */
function entries(bytes: Buffer, start: number, step: number, most = Number.POSITIVE_INFINITY): number[] {
  const found: number[] = [];
  for (let at = start; at + step <= bytes.length && found.length < most; at += step) found.push(bytes.readUInt32BE(at));
  return found;
}

const REMB = 0x52454d42;

export interface Heard {
  /** SUBSCRIBER_ bits. */
  bits: number;
  /** What it wants again, each once: `audio` or `video` and the sequence number. */
  wanted: Set<string>;
}

/** A subscriber's compound, by the SSRCs of its two tracks. */
export function hearSubscriber(compound: Buffer, ssrcs: { audio: number; video: number }): Heard {
  const wanted = new Set<string>();
  let bits = 0;
  const kindOf = (ssrc: number) => (ssrc === ssrcs.audio ? 'audio' : ssrc === ssrcs.video ? 'video' : null);
  /** False: there is no room for more. */
  const want = (kind: string, sequence: number) => {
    const key = `${kind} ${sequence & 0xffff}`;
    if (!wanted.has(key) && wanted.size >= layout.RETRANSMISSIONS_MAX) return false;
    wanted.add(key);
    return true;
  };
  const nack = (kind: string, bytes: Buffer) => {
    let some = false;
    for (const entry of entries(bytes, 12, 4)) {
      if (!want(kind, entry >>> 16)) return some;
      some = true;
      for (let bit = 0; bit < 16; bit++) {
        if ((entry >> bit) & 1 && !want(kind, (entry >>> 16) + bit + 1)) return true;
      }
    }
    return some;
  };
  for (const { type, subtype, bytes } of packetsOf(compound)) {
    const blocks = type === 201 ? 8 : 28;
    if ((type === 201 || type === 200) && bytes.length >= blocks) {
      if (entries(bytes, blocks, 24, subtype).some(kindOf)) bits |= layout.SUBSCRIBER_REPORT;
    } else if (type === 205 && subtype === 1 && bytes.length >= 16) {
      const kind = kindOf(bytes.readUInt32BE(8));
      if (kind && nack(kind, bytes)) bits |= layout.SUBSCRIBER_NACK;
    } else if (type === 206 && bytes.length >= 12) {
      if (subtype === 15 && bytes.length >= 20 && bytes.readUInt32BE(12) === REMB) bits |= layout.SUBSCRIBER_ESTIMATE;
      if (subtype === 1 && bytes.readUInt32BE(8) === ssrcs.video) bits |= layout.SUBSCRIBER_PLI;
      if (subtype === 4 && entries(bytes, 12, 8).includes(ssrcs.video)) bits |= layout.SUBSCRIBER_FIR;
    } else if (type === 192 && bytes.length >= 8) {
      bits |= layout.SUBSCRIBER_FIR;
    }
  }
  return { bits, wanted };
}

/** A publisher's compound, by the SSRCs that it sends under. @returns PUBLISHER_ bits */
export function hearPublisher(compound: Buffer, ssrcs: { audio: number; video: number }): number {
  let bits = 0;
  for (const { type, subtype, bytes } of packetsOf(compound)) {
    if (type === 200 && bytes.length >= 28) {
      const ssrc = bytes.readUInt32BE(4);
      if (ssrc === ssrcs.audio) bits |= layout.PUBLISHER_AUDIO_REPORT;
      else if (ssrc === ssrcs.video) bits |= layout.PUBLISHER_VIDEO_REPORT;
    } else if (type === 203) {
      const named = entries(bytes, 4, 4, subtype);
      if (named.includes(ssrcs.audio) || named.includes(ssrcs.video)) bits |= layout.PUBLISHER_BYE;
    }
  }
  return bits;
}

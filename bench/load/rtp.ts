/**
 * RTP for load generators and tests (RFC 3550): streams whose payload says what each packet is, and the reader of them.
 *
 * A numbered payload starts with one codec byte (H264 NAL header, VP8 descriptor or Opus TOC), then, big-endian,
 * 32 bits of tag (which stream), 32 bits of number (which packet of it) and a double of send time in milliseconds.
 */

export type StreamCodec = 'opus' | 'h264' | 'vp8';

const fixedHeader = 12;
/** Bytes before the tag: one codec byte for Opus and H264, a one-byte descriptor and three bytes of frame tag for VP8. */
const codecBytes: Record<StreamCodec, number> = { opus: 1, h264: 1, vp8: 4 };
const numberedBytes = 16;

export interface StreamOptions {
  codec: StreamCodec;
  ssrc: number;
  payloadType: number;
  /** Says whose stream this is, wherever its packets end up: 0..2^32-1. */
  tag: number;
  /** Payload bytes; at least 20. */
  payloadBytes: number;
  /** Packets per second that the stream is meant to have: the step of its timestamps. */
  packetsPerSecond: number;
  sequenceNumber?: number;
  timestamp?: number;
  /** Header extensions as written on the wire, one-byte form (RFC 8285 4.2): id to value. */
  extensions?: ReadonlyMap<number, Buffer>;
}

/** Makes the packets of one stream, in one buffer that each call overwrites: a load generator's garbage costs the server CPU. */
export class NumberedStream {
  readonly codec: StreamCodec;
  readonly tag: number;
  readonly clockRate: number;
  /** Timestamp units from one packet to the next. */
  readonly step: number;
  ssrc: number;
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  /** Number that the next packet gets. */
  number = 0;
  #packet: Buffer;
  #payloadAt: number;

  constructor(options: StreamOptions) {
    this.codec = options.codec;
    this.tag = options.tag;
    this.clockRate = options.codec === 'opus' ? 48000 : 90000;
    this.ssrc = options.ssrc;
    this.payloadType = options.payloadType;
    this.sequenceNumber = options.sequenceNumber ?? 1;
    this.timestamp = options.timestamp ?? 1;
    this.step = Math.max(1, Math.round(this.clockRate / options.packetsPerSecond));
    const extension = writeExtensions(options.extensions);
    this.#payloadAt = fixedHeader + extension.length;
    this.#packet = Buffer.alloc(this.#payloadAt + Math.max(options.payloadBytes, 4 + numberedBytes));
    this.#packet[0] = extension.length > 0 ? 0x90 : 0x80;
    extension.copy(this.#packet, fixedHeader);
  }

  /**
   * The stream's next packet, valid until the next call.
   * @param keyframe for video: whether it starts a keyframe
   * @param now milliseconds on the receiver's clock
   */
  next(keyframe: boolean, now: number): Buffer {
    const packet = this.#packet;
    packet[1] = 0x80 | this.payloadType;
    packet.writeUInt16BE(this.sequenceNumber, 2);
    packet.writeUInt32BE(this.timestamp, 4);
    packet.writeUInt32BE(this.ssrc, 8);
    let at = this.#payloadAt;
    at = writeCodecBytes(packet, at, this.codec, keyframe);
    at = packet.writeUInt32BE(this.tag, at);
    at = packet.writeUInt32BE(this.number, at);
    packet.writeDoubleBE(now, at);
    this.number++;
    this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
    this.timestamp = (this.timestamp + this.step) >>> 0;
    return packet;
  }
}

function writeCodecBytes(packet: Buffer, at: number, codec: StreamCodec, keyframe: boolean): number {
  switch (codec) {
    case 'opus':
      return packet.writeUInt8(0x78, at);
    case 'h264': // a single NAL unit: IDR slice or non-IDR slice (RFC 6184 5.6)
      return packet.writeUInt8(keyframe ? 0x65 : 0x41, at);
    case 'vp8': // start of partition 0, then the frame tag, whose lowest bit is 0 for a key frame (RFC 7741 4.2, 4.3)
      packet.writeUInt8(0x10, at);
      return packet.writeUIntBE(keyframe ? 0x100000 : 0x110000, at + 1, 3);
  }
}

function writeExtensions(extensions: ReadonlyMap<number, Buffer> | undefined): Buffer {
  if (!extensions || extensions.size === 0) return Buffer.alloc(0);
  const elements = Buffer.concat(
    [...extensions].map(([id, value]) => Buffer.concat([Buffer.from([(id << 4) | (value.length - 1)]), value])),
  );
  const words = Math.ceil(elements.length / 4);
  const block = Buffer.alloc(4 + words * 4);
  block.writeUInt16BE(0xbede, 0);
  block.writeUInt16BE(words, 2);
  elements.copy(block, 4);
  return block;
}

export interface RtpHeader {
  payloadType: number;
  marker: boolean;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
  /** Where the payload starts. */
  payloadAt: number;
}

/** True for what shares the port with RTP but is RTCP (RFC 5761 4). */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1] ?? 0;
  return type >= 192 && type <= 223;
}

/** Reads the header; throws on a packet that is no RTP: only our own relay sends to it. */
export function readRtpHeader(packet: Buffer): RtpHeader {
  const first = packet.readUInt8(0);
  const second = packet.readUInt8(1);
  if (first >> 6 !== 2) throw new Error(`RTP version ${first >> 6}`);
  let payloadAt = fixedHeader + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) payloadAt += 4 + packet.readUInt16BE(payloadAt + 2) * 4;
  if (payloadAt > packet.length) throw new Error(`RTP header of ${payloadAt} bytes in a packet of ${packet.length}`);
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequenceNumber: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    payloadAt,
  };
}

/** The header extensions of a packet in one-byte or two-byte form (RFC 8285): id to value. */
export function readExtensions(packet: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  if ((packet.readUInt8(0) & 0x10) === 0) return found;
  const start = fixedHeader + (packet.readUInt8(0) & 0x0f) * 4;
  const oneByte = packet.readUInt16BE(start) === 0xbede;
  const end = start + 4 + packet.readUInt16BE(start + 2) * 4;
  for (let at = start + 4; at < end; ) {
    const head = packet.readUInt8(at);
    if (head === 0) {
      at++;
      continue;
    }
    const id = oneByte ? head >> 4 : head;
    const length = oneByte ? (head & 0x0f) + 1 : packet.readUInt8(at + 1);
    const value = at + (oneByte ? 1 : 2);
    found.set(id, packet.subarray(value, value + length));
    at = value + length;
  }
  return found;
}

export interface NumberedPayload {
  tag: number;
  number: number;
  /** Milliseconds, sender's clock. */
  sentAt: number;
  keyframe: boolean;
}

/** What a numbered payload says. */
export function readNumberedPayload(packet: Buffer, payloadAt: number, codec: StreamCodec): NumberedPayload {
  const first = packet.readUInt8(payloadAt);
  const at = payloadAt + codecBytes[codec];
  return {
    tag: packet.readUInt32BE(at),
    number: packet.readUInt32BE(at + 4),
    sentAt: packet.readDoubleBE(at + 8),
    keyframe:
      (codec === 'h264' && first === 0x65) || (codec === 'vp8' && (packet.readUInt8(payloadAt + 1) & 0x01) === 0),
  };
}

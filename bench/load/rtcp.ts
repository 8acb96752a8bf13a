/** RTCP for load generators and tests: writes what browsers send, reads what a relay sends (RFC 3550 6, RFC 4585, RFC 5104). */

const senderReportType = 200;
const receiverReportType = 201;
const sourceDescriptionType = 202;
const transportFeedbackType = 205;
const payloadFeedbackType = 206;
/** Seconds between 1900 and 1970: NTP time starts with the former. */
const ntpEpochOffset = 2208988800;

export interface ReportBlock {
  ssrc: number;
  /** 0..255, of 256. */
  fractionLost: number;
  packetsLost: number;
  highestSequenceNumber: number;
  jitter: number;
  lastSenderReport: number;
  delaySinceLastSenderReport: number;
}

export type RtcpPacket =
  | {
      kind: 'sender-report';
      ssrc: number;
      /** Middle 32 bits of the NTP time, as report blocks quote it. */
      ntpMiddle: number;
      rtpTimestamp: number;
      packetCount: number;
      octetCount: number;
      blocks: ReportBlock[];
    }
  | { kind: 'receiver-report'; ssrc: number; blocks: ReportBlock[] }
  | { kind: 'pli'; ssrc: number; mediaSsrc: number }
  | { kind: 'fir'; ssrc: number; entries: { ssrc: number; sequenceNumber: number }[] }
  | { kind: 'nack'; ssrc: number; mediaSsrc: number; lost: number[] }
  | { kind: 'remb'; ssrc: number; bitrate: number; ssrcs: number[] }
  | { kind: 'other'; type: number; count: number };

/** One RTCP packet: `count` is the five bits of the first byte, `body` what follows the length, of whole words. */
function packet(type: number, count: number, body: Buffer): Buffer {
  const head = Buffer.from([0x80 | count, type, 0, 0]);
  head.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([head, body]);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value >>> 0, index * 4);
  });
  return bytes;
}

function reportBlock(block: ReportBlock): Buffer {
  return words(
    block.ssrc,
    (block.fractionLost << 24) | (block.packetsLost & 0xffffff),
    block.highestSequenceNumber,
    block.jitter,
    block.lastSenderReport,
    block.delaySinceLastSenderReport,
  );
}

/** @param wallClock milliseconds since 1970 */
export function senderReport(
  ssrc: number,
  wallClock: number,
  rtpTimestamp: number,
  packetCount: number,
  octetCount: number,
): Buffer {
  const seconds = Math.floor(wallClock / 1000) + ntpEpochOffset;
  const fraction = Math.floor(((wallClock % 1000) / 1000) * 2 ** 32);
  return packet(senderReportType, 0, words(ssrc, seconds % 2 ** 32, fraction, rtpTimestamp, packetCount, octetCount));
}

export function receiverReport(ssrc: number, blocks: ReportBlock[]): Buffer {
  return packet(receiverReportType, blocks.length, Buffer.concat([words(ssrc), ...blocks.map(reportBlock)]));
}

/** SDES with a CNAME (RFC 3550 6.5.1). */
export function sourceDescription(ssrc: number, cname: string): Buffer {
  const text = Buffer.from(cname);
  const chunk = Buffer.alloc(Math.ceil((text.length + 3) / 4) * 4);
  chunk.writeUInt8(1, 0);
  chunk.writeUInt8(text.length, 1);
  text.copy(chunk, 2);
  return packet(sourceDescriptionType, 1, Buffer.concat([words(ssrc), chunk]));
}

/** Picture loss indication (RFC 4585 6.3.1). */
export function pictureLossIndication(ssrc: number, mediaSsrc: number): Buffer {
  return packet(payloadFeedbackType, 1, words(ssrc, mediaSsrc));
}

/** Full intra request (RFC 5104 4.3.1). */
export function fullIntraRequest(ssrc: number, mediaSsrc: number, sequenceNumber: number): Buffer {
  return packet(payloadFeedbackType, 4, words(ssrc, 0, mediaSsrc, (sequenceNumber & 0xff) << 24));
}

/** Generic NACK (RFC 4585 6.2.1). */
export function negativeAcknowledgement(ssrc: number, mediaSsrc: number, lost: number[]): Buffer {
  const items: number[] = [];
  const left = [...lost];
  for (let first = left.shift(); first !== undefined; first = left.shift()) {
    let mask = 0;
    while (left.length > 0) {
      const distance = ((left[0] ?? 0) - first - 1) & 0xffff;
      if (distance > 15) break;
      mask |= 1 << distance;
      left.shift();
    }
    items.push((first << 16) | mask);
  }
  return packet(transportFeedbackType, 1, words(ssrc, mediaSsrc, ...items));
}

/** Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03). */
export function receiverEstimatedMaximumBitrate(ssrc: number, bitrate: number, ssrcs: number[]): Buffer {
  const exponent = Math.max(0, Math.ceil(Math.log2(bitrate / 0x3ffff)));
  const mantissa = Math.floor(bitrate / 2 ** exponent);
  const head = (ssrcs.length << 24) | (exponent << 18) | mantissa;
  return packet(payloadFeedbackType, 15, Buffer.concat([words(ssrc, 0), Buffer.from('REMB'), words(head, ...ssrcs)]));
}

function readBlocks(bytes: Buffer, at: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, index) => {
    const start = at + index * 24;
    return {
      ssrc: bytes.readUInt32BE(start),
      fractionLost: bytes.readUInt8(start + 4),
      packetsLost: bytes.readIntBE(start + 5, 3),
      highestSequenceNumber: bytes.readUInt32BE(start + 8),
      jitter: bytes.readUInt32BE(start + 12),
      lastSenderReport: bytes.readUInt32BE(start + 16),
      delaySinceLastSenderReport: bytes.readUInt32BE(start + 20),
    };
  });
}

/** The packets of a compound; throws on a malformed one: only our own relay sends to it, and it must not. */
export function readRtcp(compound: Buffer): RtcpPacket[] {
  const packets: RtcpPacket[] = [];
  for (let at = 0; at < compound.length; ) {
    const end = at + 4 + compound.readUInt16BE(at + 2) * 4;
    if (end > compound.length) throw new Error(`RTCP packet ends at ${end} of ${compound.length} bytes`);
    packets.push(readPacket(compound.subarray(at, end)));
    at = end;
  }
  return packets;
}

function readPacket(bytes: Buffer): RtcpPacket {
  const count = bytes.readUInt8(0) & 0x1f;
  const type = bytes.readUInt8(1);
  if (type === senderReportType) {
    return {
      kind: 'sender-report',
      ssrc: bytes.readUInt32BE(4),
      ntpMiddle: bytes.readUInt32BE(10),
      rtpTimestamp: bytes.readUInt32BE(16),
      packetCount: bytes.readUInt32BE(20),
      octetCount: bytes.readUInt32BE(24),
      blocks: readBlocks(bytes, 28, count),
    };
  }
  if (type === receiverReportType) {
    return { kind: 'receiver-report', ssrc: bytes.readUInt32BE(4), blocks: readBlocks(bytes, 8, count) };
  }
  if (type === transportFeedbackType && count === 1) return readNack(bytes);
  if (type === payloadFeedbackType && count === 1) {
    return { kind: 'pli', ssrc: bytes.readUInt32BE(4), mediaSsrc: bytes.readUInt32BE(8) };
  }
  if (type === payloadFeedbackType && count === 4) return readFir(bytes);
  if (type === payloadFeedbackType && count === 15 && bytes.toString('latin1', 12, 16) === 'REMB')
    return readRemb(bytes);
  return { kind: 'other', type, count };
}

function readNack(bytes: Buffer): RtcpPacket {
  const lost: number[] = [];
  for (let at = 12; at < bytes.length; at += 4) {
    const first = bytes.readUInt16BE(at);
    const mask = bytes.readUInt16BE(at + 2);
    lost.push(first);
    for (let bit = 0; bit < 16; bit++) if ((mask >> bit) & 1) lost.push((first + bit + 1) & 0xffff);
  }
  return { kind: 'nack', ssrc: bytes.readUInt32BE(4), mediaSsrc: bytes.readUInt32BE(8), lost };
}

function readFir(bytes: Buffer): RtcpPacket {
  const entries: { ssrc: number; sequenceNumber: number }[] = [];
  for (let at = 12; at < bytes.length; at += 8) {
    entries.push({ ssrc: bytes.readUInt32BE(at), sequenceNumber: bytes.readUInt8(at + 4) });
  }
  return { kind: 'fir', ssrc: bytes.readUInt32BE(4), entries };
}

function readRemb(bytes: Buffer): RtcpPacket {
  const exponent = bytes.readUInt8(17) >> 2;
  const mantissa = bytes.readUIntBE(17, 3) & 0x3ffff;
  const ssrcs: number[] = [];
  for (let at = 20; at < bytes.length; at += 4) ssrcs.push(bytes.readUInt32BE(at));
  return { kind: 'remb', ssrc: bytes.readUInt32BE(4), bitrate: mantissa * 2 ** exponent, ssrcs };
}

/** Builds and reads RTCP packets for tests (RFC 3550 6.4, RFC 4585, RFC 5104), independently of the engine. */

/** One RTCP packet: the 5 bits of its first byte, its type, and the bytes after the header, a multiple of 4. */
export function rtcp(subtype: number, type: number, body: Buffer): Buffer {
  const header = Buffer.from([0x80 | subtype, type, 0, 0]);
  header.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([header, body]);
}

export function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    buffer.writeUInt32BE(value >>> 0, i * 4);
  });
  return buffer;
}

export interface SenderReportFields {
  ssrc: number;
  /** Seconds and their fraction in 1/2^32. */
  ntp: [number, number];
  timestamp: number;
  packets?: number;
  octets?: number;
}

export function senderReport({ ssrc, ntp, timestamp, packets = 0, octets = 0 }: SenderReportFields): Buffer {
  return rtcp(0, 200, words(ssrc, ...ntp, timestamp, packets, octets));
}

export interface ReportBlock {
  ssrc: number;
  /** 1/256. */
  fraction: number;
  /** Signed. */
  lost: number;
  highest: number;
  jitter: number;
  /** Middle of an NTP time, and 1/65536 s. */
  lastReport: number;
  delay: number;
}

export function receiverReport(ssrc: number, ...blocks: Partial<ReportBlock>[]): Buffer {
  const body = blocks.flatMap((block) => [
    block.ssrc ?? 0,
    ((block.fraction ?? 0) << 24) | ((block.lost ?? 0) & 0xffffff),
    block.highest ?? 0,
    block.jitter ?? 0,
    block.lastReport ?? 0,
    block.delay ?? 0,
  ]);
  return rtcp(blocks.length, 201, words(ssrc, ...body));
}

/** RFC 4585 6.2.1; entries are `[first, mask of the 16 after it]`. */
export function nack(ssrc: number, ...entries: [number, number][]): Buffer {
  return rtcp(1, 205, words(1, ssrc, ...entries.map(([first, mask]) => ((first & 0xffff) << 16) | mask)));
}

export function pli(ssrc: number): Buffer {
  return rtcp(1, 206, words(1, ssrc));
}

export function fir(...ssrcs: number[]): Buffer {
  return rtcp(4, 206, words(1, 0, ...ssrcs.flatMap((ssrc) => [ssrc, 0x01000000])));
}

export function bye(...ssrcs: number[]): Buffer {
  return rtcp(ssrcs.length, 203, words(...ssrcs));
}

export interface RtcpView {
  subtype: number;
  type: number;
  /** Without the header; a copy. */
  body: Buffer;
}

/** Splits a compound packet, which must be well-formed to its last byte. */
export function readRtcp(compound: Buffer): RtcpView[] {
  const packets: RtcpView[] = [];
  for (let at = 0; at < compound.length; ) {
    const first = compound.readUInt8(at);
    if (first >> 6 !== 2 || first & 0x20) throw new Error(`bad first byte ${first} at ${at}`);
    const end = at + 4 + compound.readUInt16BE(at + 2) * 4;
    if (end > compound.length) throw new Error(`packet at ${at} ends past the compound`);
    packets.push({
      subtype: first & 31,
      type: compound.readUInt8(at + 1),
      body: Buffer.from(compound.subarray(at + 4, end)),
    });
    at = end;
  }
  return packets;
}

export function readReportBlocks({ subtype, body }: RtcpView, start = 4): ReportBlock[] {
  return Array.from({ length: subtype }, (_, i) => {
    const at = start + i * 24;
    return {
      ssrc: body.readUInt32BE(at),
      fraction: body.readUInt8(at + 4),
      lost: body.readIntBE(at + 5, 3),
      highest: body.readUInt32BE(at + 8),
      jitter: body.readUInt32BE(at + 12),
      lastReport: body.readUInt32BE(at + 16),
      delay: body.readUInt32BE(at + 20),
    };
  });
}

/** Builds and reads RTP packets for tests (RFC 3550 5.1, RFC 8285), independently of the engine. */

export interface Element {
  id: number;
  data: Buffer;
}

export interface RtpFields {
  payloadType: number;
  sequence: number;
  timestamp?: number;
  ssrc?: number;
  marker?: boolean;
  csrcs?: number[];
  /** RFC 8285 elements in the one-byte or the two-byte form. */
  elements?: Element[];
  form?: 'one-byte' | 'two-byte';
  /** Any other extension block, instead of elements. */
  block?: { profile: number; data: Buffer };
  payload?: Buffer;
  /** Bytes of padding, the count included; 0: the padding bit is not set. */
  padding?: number;
}

export function element(id: number, ...data: number[]): Element {
  return { id, data: Buffer.from(data) };
}

function elementBytes({ id, data }: Element, form: 'one-byte' | 'two-byte'): Buffer {
  const header = form === 'one-byte' ? [(id << 4) | (data.length - 1)] : [id, data.length];
  return Buffer.concat([Buffer.from(header), data]);
}

function extensionBlock(profile: number, data: Buffer): Buffer {
  const words = Math.ceil(data.length / 4);
  const block = Buffer.alloc(4 + words * 4);
  block.writeUInt16BE(profile, 0);
  block.writeUInt16BE(words, 2);
  data.copy(block, 4);
  return block;
}

export function rtp(fields: RtpFields): Buffer {
  const { csrcs = [], elements, form = 'one-byte', payload = Buffer.from('payload'), padding = 0 } = fields;
  const block =
    fields.block ??
    (elements && {
      profile: form === 'one-byte' ? 0xbede : 0x1000,
      data: Buffer.concat(elements.map((one) => elementBytes(one, form))),
    });
  const header = Buffer.alloc(12 + csrcs.length * 4);
  header[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (block ? 0x10 : 0) | csrcs.length;
  header[1] = (fields.marker ? 0x80 : 0) | fields.payloadType;
  header.writeUInt16BE(fields.sequence & 0xffff, 2);
  header.writeUInt32BE((fields.timestamp ?? 0) >>> 0, 4);
  header.writeUInt32BE((fields.ssrc ?? 1000) >>> 0, 8);
  csrcs.forEach((csrc, i) => {
    header.writeUInt32BE(csrc, 12 + i * 4);
  });
  const end = Buffer.alloc(padding);
  if (padding > 0) end[padding - 1] = padding;
  return Buffer.concat([header, block ? extensionBlock(block.profile, block.data) : Buffer.alloc(0), payload, end]);
}

export interface RtpView {
  padded: boolean;
  extended: boolean;
  csrcs: number[];
  marker: boolean;
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  profile: number;
  elements: Element[];
  /** Payload and padding. */
  rest: Buffer;
}

function readElements(block: Buffer, profile: number): Element[] {
  const elements: Element[] = [];
  const oneByte = profile === 0xbede;
  for (let at = 0; at < block.length; ) {
    const first = block[at] ?? 0;
    if (first === 0) {
      at++;
      continue;
    }
    const id = oneByte ? first >> 4 : first;
    const length = oneByte ? (first & 15) + 1 : (block[at + 1] ?? 0);
    const start = at + (oneByte ? 1 : 2);
    elements.push({ id, data: Buffer.from(block.subarray(start, start + length)) });
    at = start + length;
  }
  return elements;
}

/** Reads a well-formed packet; nothing in the answer is a view of it. */
export function readRtp(packet: Buffer): RtpView {
  const first = packet[0] ?? 0;
  const second = packet[1] ?? 0;
  const csrcs = Array.from({ length: first & 15 }, (_, i) => packet.readUInt32BE(12 + i * 4));
  let end = 12 + csrcs.length * 4;
  let profile = 0;
  let elements: Element[] = [];
  if (first & 0x10) {
    profile = packet.readUInt16BE(end);
    const block = packet.subarray(end + 4, end + 4 + packet.readUInt16BE(end + 2) * 4);
    elements = readElements(block, profile);
    end += 4 + block.length;
  }
  return {
    padded: (first & 0x20) !== 0,
    extended: (first & 0x10) !== 0,
    csrcs,
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    profile,
    elements,
    rest: Buffer.from(packet.subarray(end)),
  };
}

/** First payload bytes of a key frame's first packet, and of a packet that starts nothing, by codec. */
export const KEYFRAME = {
  h264: Buffer.from('18000767424001abcdef000268ce', 'hex'),
  vp8: Buffer.from('1000', 'hex'),
  vp9: Buffer.from('0800', 'hex'),
  av1: Buffer.from('180a0b', 'hex'),
};
export const DELTA = {
  h264: Buffer.from('419a00', 'hex'),
  vp8: Buffer.from('1001', 'hex'),
  vp9: Buffer.from('4800', 'hex'),
  av1: Buffer.from('103200', 'hex'),
};

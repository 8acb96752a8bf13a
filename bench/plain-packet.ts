/** Packets as the plain engine sees them: parsing, header extensions and keyframes, for comparison with the Wasm engine. */
import * as layout from '../assembly/layout.js';
import type { Codec, HeaderExtensions } from '../workers/protocol.js';

/** What a packet's slot knows of it. */
export interface PlainPacket {
  bytes: Buffer;
  extended: number;
  epoch: number;
  timestamp: number;
  length: number;
  headerLength: number;
  payloadLength: number;
  marker: boolean;
  keyframe: boolean;
  twoByte: boolean;
  elements: { kind: number; at: number; data: number[] }[];
}

export function emptyPacket(): PlainPacket {
  return {
    bytes: Buffer.alloc(layout.PACKET_CAPACITY),
    extended: 0,
    epoch: 0,
    timestamp: 0,
    length: 0,
    headerLength: 0,
    payloadLength: 0,
    marker: false,
    keyframe: false,
    twoByte: false,
    elements: [],
  };
}

/** Where the header extension's elements lie; empty: there are none. */
export interface Block {
  start: number;
  end: number;
}

export function parseHeader(packet: PlainPacket, length: number, block: Block): number {
  const { bytes } = packet;
  block.start = 0;
  block.end = 0;
  if (length < 12) return layout.DROP_TOO_SHORT;
  const first = bytes[0] ?? 0;
  if (first >> 6 !== 2) return layout.DROP_VERSION;
  let end = 12 + (first & 15) * 4;
  if (end > length) return layout.DROP_CSRC;
  if (first & 0x10) {
    if (end + 4 > length) return layout.DROP_EXTENSION;
    block.start = end + 4;
    end = block.start + bytes.readUInt16BE(end + 2) * 4;
    if (end > length) return layout.DROP_EXTENSION;
    block.end = end;
  }
  let padding = 0;
  if (first & 0x20) {
    padding = end < length ? (bytes[length - 1] ?? 0) : 0;
    if (padding === 0 || padding > length - end) return layout.DROP_PADDING;
  }
  packet.length = length;
  packet.headerLength = end;
  packet.payloadLength = length - end - padding;
  packet.marker = ((bytes[1] ?? 0) & 0x80) !== 0;
  packet.timestamp = bytes.readUInt32BE(4);
  return layout.FORWARD;
}

const LENGTHS = [1, 3, 1, 3];

/** Ids by EXTENSION_ index, 0: not negotiated. */
export function extensionIds(extensions: HeaderExtensions): number[] {
  const { audioLevel = 0, absSendTime = 0, videoOrientation = 0, playoutDelay = 0 } = extensions;
  return [audioLevel, absSendTime, videoOrientation, playoutDelay];
}

export function admitExtensions(packet: PlainPacket, block: Block, ids: readonly number[]): void {
  const { bytes } = packet;
  packet.elements.length = 0;
  packet.twoByte = false;
  if (block.start === 0) return;
  const { end } = block;
  let at = block.start;
  const profile = bytes.readUInt16BE(at - 4);
  packet.twoByte = (profile & 0xfff0) === 0x1000;
  if (!packet.twoByte && profile !== 0xbede) {
    bytes.writeUInt16BE(0xbede, at - 4);
    bytes.fill(0, at, end);
    return;
  }
  const header = packet.twoByte ? 2 : 1;
  while (at < end) {
    const first = bytes[at] ?? 0;
    const id = packet.twoByte ? first : first >> 4;
    if (id === 0 && (packet.twoByte || first === 0)) {
      at++;
      continue;
    }
    if (!packet.twoByte && (id === 0 || id === 15)) break;
    if (at + header > end) break;
    const length = packet.twoByte ? (bytes[at + 1] ?? 0) : (first & 15) + 1;
    const next = at + header + length;
    if (next > end) break;
    const kind = ids.indexOf(id);
    if (kind >= 0 && LENGTHS[kind] === length && !packet.elements.some((element) => element.kind === kind)) {
      packet.elements.push({ kind, at, data: [...bytes.subarray(at + header, next)] });
    }
    at = next;
  }
  bytes.fill(0, block.start, end);
  layOut(packet, block, header);
}

/** By kind, one after the other; abs-send-time behind them if it was absent and there is room. */
function layOut({ elements }: PlainPacket, { start, end }: Block, header: number): void {
  elements.sort((a, b) => a.kind - b.kind);
  let at = start;
  for (const element of elements) {
    element.at = at;
    at += header + element.data.length;
  }
  const kind = layout.EXTENSION_ABS_SEND_TIME;
  if (!elements.some((element) => element.kind === kind) && at + header + 3 <= end) {
    elements.push({ kind, at, data: [0, 0, 0] });
  }
}

export function writeExtensions(packet: PlainPacket, ids: readonly number[], now: number): void {
  const { bytes, twoByte } = packet;
  const header = twoByte ? 2 : 1;
  for (const { kind, at, data } of packet.elements) {
    const id = ids[kind] ?? 0;
    if (id === 0 || (!twoByte && id > 14)) {
      bytes.fill(0, at, at + header + data.length);
      continue;
    }
    if (twoByte) {
      bytes[at] = id;
      bytes[at + 1] = data.length;
    } else bytes[at] = (id << 4) | (data.length - 1);
    if (kind === layout.EXTENSION_ABS_SEND_TIME) {
      bytes.writeUIntBE(Math.trunc((now * 262144) / 1000) & 0xffffff, at + header, 3);
    } else for (let i = 0; i < data.length; i++) bytes[at + header + i] = data[i] ?? 0;
  }
}

const H264_NOTHING = 0;
const H264_IDR = 1;
const H264_PARAMETERS = 2;

function classifyNal(type: number): number {
  return type === 7 ? H264_PARAMETERS : type === 5 ? H264_IDR : H264_NOTHING;
}

function classifyH264(payload: Buffer): number {
  const type = (payload[0] ?? 0) & 31;
  if (type === 24) {
    let best = H264_NOTHING;
    for (let at = 1; at + 3 <= payload.length; at += 2 + payload.readUInt16BE(at)) {
      best = Math.max(best, classifyNal((payload[at + 2] ?? 0) & 31));
    }
    return best;
  }
  if (type === 28) return (payload[1] ?? 0) & 0x80 ? classifyNal((payload[1] ?? 0) & 31) : H264_NOTHING;
  return classifyNal(type);
}

function startsVp8(payload: Buffer): boolean {
  const first = payload[0] ?? 0;
  if ((first & 0x17) !== 0x10) return false;
  let at = 1;
  if (first & 0x80) {
    const extended = payload[at++] ?? 0;
    if (extended & 0x80) at += (payload[at] ?? 0) & 0x80 ? 2 : 1;
    if (extended & 0x40) at++;
    if (extended & 0x30) at++;
  }
  return at < payload.length && ((payload[at] ?? 0) & 1) === 0;
}

function startsVp9(payload: Buffer): boolean {
  const first = payload[0] ?? 0;
  if ((first & 0x48) !== 0x08) return false;
  const at = first & 0x80 ? ((payload[1] ?? 0) & 0x80 ? 3 : 2) : 1;
  return at < payload.length && (!(first & 0x20) || ((payload[at] ?? 0) & 0x0e) === 0);
}

/** A source's memory of its parameter sets. */
export interface ParameterSets {
  seen: boolean;
}

export function startsKeyframe(codec: Codec, packet: PlainPacket, sets: ParameterSets): boolean {
  const payload = packet.bytes.subarray(packet.headerLength, packet.headerLength + packet.payloadLength);
  if (payload.length === 0) return false;
  if (codec === 'vp8') return startsVp8(payload);
  if (codec === 'vp9') return startsVp9(payload);
  if (codec === 'av1') return payload.length > 1 && ((payload[0] ?? 0) & 0x88) === 0x08;
  if (codec !== 'h264') return false;
  const found = classifyH264(payload);
  if (found === H264_PARAMETERS) sets.seen = true;
  return found === H264_PARAMETERS || (found === H264_IDR && !sets.seen);
}

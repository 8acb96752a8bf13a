/** Bytes of the RTCP packets that the relay sends, written one after the other into the RTCP outbox. */
import { writeU16, writeU32 } from './bytes';
import { REPORTER_SSRC, RTCP_OUTBOX_SIZE, RTCP_OUTBOX_START } from './layout';
import { RECEIVER_REPORT, SOURCE_DESCRIPTION } from './rtcp-reader';

let position: usize = RTCP_OUTBOX_START;

export function openOutbox(): void {
  position = RTCP_OUTBOX_START;
}

/** Bytes written since openOutbox(). */
export function outboxLength(): i32 {
  return <i32>(position - RTCP_OUTBOX_START);
}

export function putU32(value: u32): void {
  if (position + 4 > <usize>RTCP_OUTBOX_START + RTCP_OUTBOX_SIZE) return;
  writeU32(position, value);
  position += 4;
}

export function putU16(value: u32): void {
  if (position + 2 > <usize>RTCP_OUTBOX_START + RTCP_OUTBOX_SIZE) return;
  writeU16(position, value);
  position += 2;
}

export function putU8(value: u32): void {
  if (position + 1 > <usize>RTCP_OUTBOX_START + RTCP_OUTBOX_SIZE) return;
  store<u8>(position, <u8>value);
  position++;
}

/** RFC 3550 6.4.1: version 2, no padding, the 5 bits of `subtype`, the type, and the whole packet's size in bytes. */
export function putHeader(subtype: u32, type: u32, size: u32): void {
  putU32(0x80000000 | (subtype << 24) | (type << 16) | ((size >> 2) - 1));
}

/** Where the next byte goes: the start of a packet for closePacket(). */
export function outboxPosition(): usize {
  return position;
}

/** Writes the length of a packet whose size was not known when its header was put. */
export function closePacket(start: usize): void {
  writeU16(start + 2, <u32>((position - start) >> 2) - 1);
}

/** The same for the last packet of a compound, filled up to whole words as RFC 3550 6.4.1 has it: P, zeros, their count. */
export function closePaddedPacket(start: usize): void {
  const padding = <u32>((start - position) & 3);
  if (padding != 0) {
    for (let i: u32 = 1; i < padding; i++) putU8(0);
    putU8(padding);
    store<u8>(start, load<u8>(start) | 0x20);
  }
  closePacket(start);
}

/** An empty RR and SDES: how a compound begins whose matter is feedback, as not every publisher takes it alone (RFC 5506). */
export function openFeedback(): void {
  openOutbox();
  putHeader(0, RECEIVER_REPORT, 8);
  putU32(REPORTER_SSRC);
  putSourceDescription(REPORTER_SSRC);
}

/** RFC 3550 6.5: one chunk with the CNAME `janus`, which our SDP declares too (src/sdp/subscriber.ts). */
export function putSourceDescription(ssrc: u32): void {
  putHeader(1, SOURCE_DESCRIPTION, 16);
  putU32(ssrc);
  // CNAME (1), 5 characters; a zero byte ends the chunk on a 32-bit boundary.
  putU32(0x01056a61);
  putU32(0x6e757300);
}

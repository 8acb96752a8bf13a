/** Bytes of the RTCP packets that the relay sends, written one after the other into the RTCP outbox. */
import { writeU16, writeU32 } from './bytes';
import { RTCP_OUTBOX_SIZE, RTCP_OUTBOX_START } from './layout';
import { SOURCE_DESCRIPTION } from './rtcp-reader';

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

/** RFC 3550 6.4.1: version 2, no padding, the 5 bits of `subtype`, the type, and the whole packet's size in bytes. */
export function putHeader(subtype: u32, type: u32, size: u32): void {
  putU32(0x80000000 | (subtype << 24) | (type << 16) | ((size >> 2) - 1));
}

/** RFC 3550 6.5: one chunk with the CNAME `janus`, which our SDP declares too (src/sdp/subscriber.ts). */
export function putSourceDescription(ssrc: u32): void {
  putHeader(1, SOURCE_DESCRIPTION, 16);
  putU32(ssrc);
  // CNAME (1), 5 characters; a zero byte ends the chunk on a 32-bit boundary.
  putU32(0x01056a61);
  putU32(0x6e757300);
}

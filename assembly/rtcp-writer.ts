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

function hexDigit(value: u32): u32 {
  const digit = value & 0x0f;
  return digit < 10 ? 0x30 + digit : 0x57 + digit;
}

/** The digits of 16 bits as four characters. */
function hexDigits(value: u32): u32 {
  return (hexDigit(value >> 12) << 24) | (hexDigit(value >> 8) << 16) | (hexDigit(value >> 4) << 8) | hexDigit(value);
}

/**
 * RFC 3550 6.5: one chunk with the CNAME `sfu-` and 8 hexadecimal digits: the user whose tracks they are, since a
 * CNAME stands for one clock and the reports carry the publisher's. 0: the relay itself.
 */
export function putSourceDescription(ssrc: u32, user: u32): void {
  putHeader(1, SOURCE_DESCRIPTION, 24);
  putU32(ssrc);
  const high = hexDigits(user >> 16);
  const low = hexDigits(user);
  // CNAME (1), 12 characters; then two zero bytes end the chunk on a 32-bit boundary.
  putU32(0x010c7366);
  putU32(0x752d0000 | (high >> 16));
  putU32((high << 16) | (low >> 16));
  putU32(low << 16);
}

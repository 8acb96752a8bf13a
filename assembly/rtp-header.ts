/** RFC 3550 5.1: the RTP header, read from bytes that an enemy may have written. */
import { readU16, readU32 } from './bytes';
import {
  DROP_CSRC,
  DROP_EXTENSION,
  DROP_PADDING,
  DROP_TOO_LARGE,
  DROP_TOO_SHORT,
  DROP_VERSION,
  FORWARD,
  PACKET_CAPACITY,
} from './layout';
import { Slot } from './records';
import { bytesOf } from './slots';

/** Bytes before the CSRC list. */
export const FIXED_HEADER: i32 = 12;
/** Where the header extension's first element may be, and the end of its block; equal: there is none. */
export let extensionStart: i32 = 0;
export let extensionEnd: i32 = 0;

/**
 * Checks a slot's packet and fills in the slot's lengths, marker and timestamp. Nothing past `length` is read.
 *
 * @returns FORWARD or the reason why it is no RTP packet
 */
export function parseRtpHeader(slot: Slot, length: i32): i32 {
  if (length < FIXED_HEADER) return DROP_TOO_SHORT;
  if (length > PACKET_CAPACITY) return DROP_TOO_LARGE;
  const packet = bytesOf(slot);
  const first: u32 = load<u8>(packet);
  if (first >> 6 != 2) return DROP_VERSION;
  let end = FIXED_HEADER + ((first & 0x0f) << 2);
  if (<i32>end > length) return DROP_CSRC;
  extensionStart = 0;
  extensionEnd = 0;
  if ((first & 0x10) != 0) {
    if (<i32>end + 4 > length) return DROP_EXTENSION;
    extensionStart = end + 4;
    end = extensionStart + (readU16(packet + end + 2) << 2);
    if (<i32>end > length) return DROP_EXTENSION;
    extensionEnd = end;
  }
  let padding: i32 = 0;
  if ((first & 0x20) != 0) {
    if (<i32>end >= length) return DROP_PADDING;
    padding = load<u8>(packet + length - 1);
    if (padding == 0 || padding > length - <i32>end) return DROP_PADDING;
  }
  slot.length = <u16>length;
  slot.headerLength = <u16>end;
  slot.payloadLength = <u16>(length - <i32>end - padding);
  slot.marker = (load<u8>(packet + 1) & 0x80) != 0;
  slot.timestamp = readU32(packet + 4);
  return FORWARD;
}

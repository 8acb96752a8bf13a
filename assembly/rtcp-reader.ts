/**
 * RFC 3550 6.1: walks through the packets of a compound RTCP packet in the RTCP inbox. Reduced-size compounds are taken
 * too (RFC 5506), so any type may come first. A length or version that can't be right ends the walk, as nothing after it
 * can be found; a packet with bad padding is left out.
 */
import { count } from './counters';
import { COUNTER_RTCP_MALFORMED, COUNTER_RTCP_RECEIVED, PACKET_CAPACITY, RTCP_INBOX_START } from './layout';

export const SENDER_REPORT: u32 = 200;
export const RECEIVER_REPORT: u32 = 201;
export const SOURCE_DESCRIPTION: u32 = 202;
export const BYE: u32 = 203;
export const TRANSPORT_FEEDBACK: u32 = 205;
export const PAYLOAD_FEEDBACK: u32 = 206;
/** RFC 2032 5.2.1, the older request for a full picture. */
export const FULL_INTRA_REQUEST: u32 = 192;

/** The present packet: its type, the 5 bits of its first byte (RC, SC or FMT), its address, and the end of its contents. */
export let packetType: u32 = 0;
export let packetCount: u32 = 0;
export let packetStart: usize = 0;
export let packetEnd: usize = 0;

let next: usize = 0;
let end: usize = 0;

/** Begins with a compound packet of that length; false if it can't be one. */
export function openCompound(length: i32): bool {
  count(COUNTER_RTCP_RECEIVED);
  next = RTCP_INBOX_START;
  end = RTCP_INBOX_START + length;
  if (length >= 4 && length <= PACKET_CAPACITY) return true;
  end = next;
  count(COUNTER_RTCP_MALFORMED);
  return false;
}

/** Goes to the next packet; false when there is none. */
export function nextPacket(): bool {
  while (next < end) {
    if (next + 4 > end) break;
    const first: u32 = load<u8>(next);
    const size: usize = (<usize>bswap<u16>(load<u16>(next + 2)) + 1) << 2;
    if (first >> 6 != 2 || size > end - next) break;
    packetStart = next;
    packetEnd = next + size;
    packetType = load<u8>(next + 1);
    packetCount = first & 0x1f;
    next = packetEnd;
    if ((first & 0x20) == 0) return true;
    const padding: usize = load<u8>(packetEnd - 1);
    if (next == end && padding != 0 && (padding & 3) == 0 && padding <= size - 4) {
      packetEnd -= padding;
      return true;
    }
    count(COUNTER_RTCP_MALFORMED);
  }
  if (next < end) count(COUNTER_RTCP_MALFORMED);
  next = end;
  return false;
}

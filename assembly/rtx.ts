/** RFC 4588: packets that are sent again in a stream of their own, by a publisher and to a subscriber. */
import { readU16, writeU16, writeU32 } from './bytes';
import { PACKET_CAPACITY, RTX_OUTBOX_START } from './layout';
import { DownTrack, Slot } from './records';
import { firstSequence } from './rtp-munger';
import { bytesOf } from './slots';

/** Bytes of the original sequence number, before the original payload (section 4). */
const ORIGINAL: i32 = 2;

/** The sequence number that the packet of the last unwrap() had in its own stream. */
export let originalSequence: u32 = 0;

/**
 * Makes a parsed packet of a retransmission stream what it was: the payload moves up over the original sequence number.
 * Payload type, sequence number and SSRC in the bytes stay, as they are written anew for each subscriber.
 *
 * @returns false if there is no packet in it, as in those that only probe the path
 */
export function unwrap(slot: Slot): bool {
  if (slot.payloadLength < <u16>ORIGINAL) return false;
  const payload = bytesOf(slot) + slot.headerLength;
  originalSequence = readU16(payload);
  memory.copy(payload, payload + ORIGINAL, slot.length - slot.headerLength - ORIGINAL);
  slot.length -= <u16>ORIGINAL;
  slot.payloadLength -= <u16>ORIGINAL;
  return true;
}

/** "No retransmission stream" in place of its payload type. */
const NONE: u8 = 255;

/**
 * Puts a packet, as it was written for a subscriber, into its retransmission stream, in the RTX outbox.
 *
 * @param sequence its number in its own stream
 * @returns the length there; 0: no such stream was negotiated, or the packet is too long for it
 */
export function wrap(slot: Slot, down: DownTrack, sequence: u32): i32 {
  const length: i32 = slot.length;
  const header: i32 = slot.headerLength;
  if (down.rtxPayloadType == NONE || length + ORIGINAL > PACKET_CAPACITY || header > length) return 0;
  const packet = bytesOf(slot);
  memory.copy(RTX_OUTBOX_START, packet, header);
  store<u8>(RTX_OUTBOX_START + 1, (down.rtxPayloadType & 0x7f) | (load<u8>(packet + 1) & 0x80));
  writeU16(RTX_OUTBOX_START + 2, <u32>firstSequence(down.rtxSsrc) + down.rtxSent);
  writeU32(RTX_OUTBOX_START + 8, down.rtxSsrc);
  writeU16(RTX_OUTBOX_START + header, sequence);
  memory.copy(RTX_OUTBOX_START + header + ORIGINAL, packet + header, length - header);
  down.rtxSent++;
  return length + ORIGINAL;
}

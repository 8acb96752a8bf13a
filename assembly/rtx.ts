/** RFC 4588: packets that a publisher sends again in a stream of their own. */
import { readU16 } from './bytes';
import { Slot } from './records';
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

/** RFC 4585 6.2.1: what a subscriber's NACK asks for, and finding it again in the history of its up track. */
import { isBlocked } from './blocks';
import { setCell } from './cells';
import { count } from './counters';
import { findDownTrack } from './down-tracks';
import { countSent, writeForSubscriber } from './forwarder';
import {
  CELL_PACKET,
  CELL_PACKET_LENGTH,
  CELL_RETRANSMISSIONS,
  COUNTER_NOT_RETRANSMITTED,
  COUNTER_RETRANSMITTED,
  PACKET_CAPACITY,
  REQUESTED_SIZE,
  REQUESTED_START,
  RETRANSMISSION_SIZE,
  RETRANSMISSIONS_MAX,
  RETRANSMISSIONS_START,
  RTX_OUTBOX_START,
} from './layout';
import { findPacket } from './packet-history';
import { noteResend, wasResentLately } from './resends';
import { extendSent, segmentOf } from './rtp-munger';
import { wrap } from './rtx';
import { bytesOf } from './slots';
import { findUpTrack } from './up-tracks';

/** Entries in the list: down track's index, then kind << 16 | sequence number. */
let requests: i32 = 0;

function entryAt(index: i32): usize {
  return RETRANSMISSIONS_START + index * RETRANSMISSION_SIZE;
}

/** The byte of the bit map that has a bit for this kind and sequence number. */
function requestedByte(key: u32): usize {
  return REQUESTED_START + ((key >> 16) & 1) * REQUESTED_SIZE + ((key & 0xffff) >> 3);
}

export function clearRequests(): void {
  for (let i = 0; i < requests; i++) store<u8>(requestedByte(load<u32>(entryAt(i) + 4)), 0);
  requests = 0;
  setCell(CELL_RETRANSMISSIONS, 0);
}

/** Adds a packet to the list unless it is there. @returns false when the list is full */
export function request(downIndex: i32, audio: bool, sequence: u32): bool {
  const key = (audio ? 0 : 0x10000) | sequence;
  const address = requestedByte(key);
  const bit: u32 = 1 << (sequence & 7);
  const bits: u32 = load<u8>(address);
  if ((bits & bit) != 0) return true;
  if (requests >= RETRANSMISSIONS_MAX) return false;
  store<u8>(address, <u8>(bits | bit));
  store<i32>(entryAt(requests), downIndex);
  store<u32>(entryAt(requests) + 4, key);
  requests++;
  const down = findDownTrack(downIndex);
  if (down !== null) down.nacks++;
  setCell(CELL_RETRANSMISSIONS, requests);
  return true;
}

/** Makes a packet of the list ready to be sent again. @returns false if it is not to be had, or not now */
export function retransmit(index: i32, now: f64): bool {
  if (<u32>index >= <u32>requests) return false;
  const sent = find(load<i32>(entryAt(index)), load<u32>(entryAt(index) + 4) & 0xffff, now);
  count(sent ? COUNTER_RETRANSMITTED : COUNTER_NOT_RETRANSMITTED);
  return sent;
}

function find(downIndex: i32, sequence: u32, now: f64): bool {
  const down = findDownTrack(downIndex);
  if (down === null || !down.active || down.paused || down.resendCredit == 0) return false;
  const up = findUpTrack(down.up);
  if (up === null || isBlocked(up.user, down.user)) return false;
  const extended = extendSent(down, sequence);
  if (extended < 0) return false;
  const segment = segmentOf(down, extended, up.epoch);
  if (segment === null) return false;
  const slot = findPacket(down.up, up, extended - segment.offset);
  if (slot === null || wasResentLately(downIndex, down, sequence, now)) return false;
  noteResend(downIndex, sequence, now);
  down.resendCredit--;
  down.retransmissions++;
  writeForSubscriber(slot, down, segment, now);
  const wrapped = wrap(slot, down, sequence);
  setCell(CELL_PACKET, wrapped > 0 ? RTX_OUTBOX_START : <i32>bytesOf(slot));
  setCell(CELL_PACKET_LENGTH, wrapped > 0 ? wrapped : min<i32>(slot.length, PACKET_CAPACITY));
  // A retransmission stream is none of the packets that a sender report counts.
  if (wrapped == 0) countSent(slot, down);
  return true;
}

import { count } from './counters';
import {
  COUNTER_DOWN_TRACKS,
  COUNTER_TRACK_TABLE_FULL,
  DOWN_TRACK_SIZE,
  DOWN_TRACKS_MAX,
  DOWN_TRACKS_START,
} from './layout';
import { DownTrack } from './records';
import { clearResends } from './resends';
import { findUpTrack } from './up-tracks';

let madeEver: i32 = 0;
/** Index + 1 of the first free record below `madeEver`; 0: none. */
let firstFree: i32 = 0;

function recordAt(index: i32): DownTrack {
  return changetype<DownTrack>(DOWN_TRACKS_START + index * DOWN_TRACK_SIZE);
}

/** The track of that index, or null: any number may be asked for. */
export function findDownTrack(index: i32): DownTrack | null {
  if (<u32>index >= <u32>DOWN_TRACKS_MAX) return null;
  const down = recordAt(index);
  return down.used ? down : null;
}

/** @returns the index of a new track, inactive; -1: the table is full or there is no such up track */
export function addDownTrack(upIndex: i32, user: u32): i32 {
  const up = findUpTrack(upIndex);
  if (up === null) return -1;
  let index: i32;
  if (firstFree > 0 && firstFree <= DOWN_TRACKS_MAX) {
    index = firstFree - 1;
    firstFree = recordAt(index).nextFree;
  } else if (madeEver < DOWN_TRACKS_MAX) {
    index = madeEver++;
  } else {
    count(COUNTER_TRACK_TABLE_FULL);
    return -1;
  }
  const down = recordAt(index);
  memory.fill(changetype<usize>(down), 0, DOWN_TRACK_SIZE);
  clearResends(index);
  down.used = true;
  down.suspended = true;
  down.user = user;
  down.up = upIndex;
  down.previous = -1;
  down.next = up.firstDown;
  const next = findDownTrack(up.firstDown);
  if (next !== null) next.previous = index;
  up.firstDown = index;
  count(COUNTER_DOWN_TRACKS);
  return index;
}

/**
 * Sets what the subscriber was told to expect; sequence numbers and timestamps go on.
 *
 * @param extensionIds one byte per EXTENSION_ index, 0: not negotiated
 * @param rtxPayloadType of its retransmission stream, 255: none
 */
export function configureDownTrack(
  index: i32,
  ssrc: u32,
  payloadType: i32,
  extensionIds: u32,
  rtxPayloadType: i32,
  rtxSsrc: u32,
): bool {
  const down = findDownTrack(index);
  if (down === null) return false;
  down.ssrc = ssrc;
  down.payloadType = <u8>(payloadType & 0x7f);
  down.extensionIds = extensionIds;
  down.rtxPayloadType = <u8>rtxPayloadType;
  down.rtxSsrc = rtxSsrc;
  return true;
}

/** While inactive a track gets nothing; then it starts as after a block. */
export function setDownTrackActive(index: i32, active: bool): bool {
  const down = findDownTrack(index);
  if (down === null) return false;
  if (!active) down.suspended = true;
  down.active = active;
  return true;
}

/** While paused a track gets nothing; then it starts as after a block. */
export function setDownTrackPaused(index: i32, paused: bool): bool {
  const down = findDownTrack(index);
  if (down === null) return false;
  if (paused) down.suspended = true;
  down.paused = paused;
  return true;
}

/**
 * Tells the subscriber how long to keep pictures before it shows them, from its next packet on.
 *
 * @param least milliseconds in steps of 10, up to 40,950; with 0 it is told that it may show them as it likes
 */
export function setPlayoutDelay(index: i32, least: u32): bool {
  const down = findDownTrack(index);
  if (down === null) return false;
  // The playout-delay extension: 12 bits of the least and 12 of the most, in units of 10 ms.
  const value = (min<u32>(least / 10, 0xfff) << 12) | 0xfff;
  down.playoutDelay = bswap<u32>(value << 8);
  return true;
}

export function removeDownTrack(index: i32): bool {
  const down = findDownTrack(index);
  if (down === null) return false;
  removeFromUpTrack(down);
  down.used = false;
  down.nextFree = firstFree;
  firstFree = index + 1;
  count(COUNTER_DOWN_TRACKS, -1);
  return true;
}

/** Takes a track off its up track's list; it stays, and gets nothing. */
export function removeFromUpTrack(down: DownTrack): void {
  const up = findUpTrack(down.up);
  if (up === null) return;
  const previous = findDownTrack(down.previous);
  if (previous !== null) previous.next = down.next;
  else up.firstDown = down.next;
  const next = findDownTrack(down.next);
  if (next !== null) next.previous = down.previous;
  down.up = -1;
  down.previous = -1;
  down.next = -1;
}

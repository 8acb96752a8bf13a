import { count } from './counters';
import { findDownTrack, removeFromUpTrack } from './down-tracks';
import {
  COUNTER_TRACK_TABLE_FULL,
  COUNTER_UP_TRACKS,
  DOWN_TRACKS_MAX,
  KIND_VIDEO,
  UP_TRACK_SIZE,
  UP_TRACKS_MAX,
  UP_TRACKS_START,
} from './layout';
import { forgetMissing } from './missing';
import { clearHistory } from './packet-history';
import { UpTrack } from './records';
import { forgetArrivals } from './transport-arrivals';

let madeEver: i32 = 0;
/** Index + 1 of the first free record below `madeEver`; 0: none. */
let firstFree: i32 = 0;

function recordAt(index: i32): UpTrack {
  return changetype<UpTrack>(UP_TRACKS_START + index * UP_TRACK_SIZE);
}

/** The track of that index, or null: any number may be asked for. */
export function findUpTrack(index: i32): UpTrack | null {
  if (<u32>index >= <u32>UP_TRACKS_MAX) return null;
  const up = recordAt(index);
  return up.used ? up : null;
}

/** @returns the index of a new track that is not configured; -1: the table is full */
export function addUpTrack(kind: i32): i32 {
  let index: i32;
  if (firstFree > 0 && firstFree <= UP_TRACKS_MAX) {
    index = firstFree - 1;
    firstFree = recordAt(index).nextFree;
  } else if (madeEver < UP_TRACKS_MAX) {
    index = madeEver++;
  } else {
    count(COUNTER_TRACK_TABLE_FULL);
    return -1;
  }
  const up = recordAt(index);
  memory.fill(changetype<usize>(up), 0, UP_TRACK_SIZE);
  up.used = true;
  up.kind = <u8>kind;
  up.firstDown = -1;
  up.candidateNext = -1;
  up.jumpNext = -1;
  // Sound goes on without what is lost; browsers keep none of it to send again.
  up.asks = kind == KIND_VIDEO;
  count(COUNTER_UP_TRACKS);
  return index;
}

/**
 * Sets what was negotiated. A change of codec starts a new source; a change of payload type alone goes on.
 *
 * @param rtxPayloadType 255: none
 * @param ssrc which the publisher declared, 0: none
 * @param extensionIds one byte per EXTENSION_ index, 0: not negotiated
 * @param transportCcId id of the transport-wide sequence number, 0: not negotiated
 */
export function configureUpTrack(
  index: i32,
  codec: i32,
  payloadType: i32,
  rtxPayloadType: i32,
  clockRate: i32,
  ssrc: u32,
  extensionIds: u32,
  transportCcId: i32,
): bool {
  const up = findUpTrack(index);
  if (up === null) return false;
  if (up.hasSource && up.codec != <u8>codec) restart(up);
  up.configured = true;
  up.codec = <u8>codec;
  up.payloadType = <u8>payloadType;
  up.rtxPayloadType = <u8>rtxPayloadType;
  up.clockRate = <u32>clockRate;
  up.declaredSsrc = ssrc;
  up.extensionIds = extensionIds;
  up.transportCcId = <u8>transportCcId;
  return true;
}

/** Nothing is negotiated any more: its packets are dropped. The same codec negotiated again goes on. */
export function unconfigureUpTrack(index: i32): bool {
  const up = findUpTrack(index);
  if (up === null) return false;
  up.configured = false;
  return true;
}

export function setUpTrackUser(index: i32, user: u32): bool {
  const up = findUpTrack(index);
  if (up === null) return false;
  up.user = user;
  return true;
}

/** The next packet, of whatever SSRC, begins a new source. */
export function restartUpTrack(index: i32): bool {
  const up = findUpTrack(index);
  if (up === null) return false;
  restart(up);
  forgetArrivals(up);
  return true;
}

function restart(up: UpTrack): void {
  up.hasSource = false;
  up.hasReport = false;
  up.candidateNext = -1;
  forgetMissing(up);
}

export function removeUpTrack(index: i32): bool {
  const up = findUpTrack(index);
  if (up === null) return false;
  for (let rest = DOWN_TRACKS_MAX; rest > 0 && up.firstDown >= 0; rest--) {
    const down = findDownTrack(up.firstDown);
    if (down === null) break;
    removeFromUpTrack(down);
  }
  clearHistory(index);
  up.used = false;
  up.nextFree = firstFree;
  firstFree = index + 1;
  count(COUNTER_UP_TRACKS, -1);
  return true;
}

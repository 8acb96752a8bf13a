/** RFC 4585 6.2.1: asking a publisher for the packets that are missing. */
import { setCell } from './cells';
import { count } from './counters';
import {
  ASK_TIMES_MAX,
  CELL_GIVEN_UP,
  COUNTER_ASKED,
  HISTORY_VIDEO,
  MISSING_AGE_MAX_MS,
  REPORTER_SSRC,
} from './layout';
import {
  askInterval,
  giveUp,
  isOvertakenByMany,
  milliseconds,
  missingAt,
  missingCount,
  mustAsk,
  removeMissing,
} from './missing';
import { Missing, UpTrack } from './records';
import { TRANSPORT_FEEDBACK } from './rtcp-reader';
import { closePacket, openFeedback, outboxLength, outboxPosition, putHeader, putU32 } from './rtcp-writer';
import { findUpTrack } from './up-tracks';

const GENERIC_NACK: u32 = 1;
/** "Not before anything happens": a time that is never reached. */
const NEVER: f64 = Infinity;

/** The entry of the NACK that is being made: a sequence number and the mask of the 16 after it. */
let first: i32 = -1;
let mask: u32 = 0;

function putEntry(): void {
  if (first >= 0) putU32(((<u32>first) << 16) | mask);
  first = -1;
  mask = 0;
}

/** Adds a packet; they come in the order of their numbers. */
function put(sequence: u32): void {
  const distance = (sequence - <u32>first - 1) & 0xffff;
  if (first >= 0 && distance < 16) {
    mask |= 1 << distance;
    return;
  }
  putEntry();
  first = <i32>(sequence & 0xffff);
}

/** The extended number of an entry, which is not newer than the newest packet. */
function extendedOf(up: UpTrack, entry: Missing): i64 {
  return up.highest - <i64>(<u32>up.highest - entry.sequence);
}

function isHopeless(up: UpTrack, entry: Missing, extended: i64, time: u32): bool {
  if (up.highest - extended >= HISTORY_VIDEO || time - entry.since >= <u32>MISSING_AGE_MAX_MS) return true;
  return entry.times >= <u32>ASK_TIMES_MAX && <f64>(time - entry.askedAt) >= askInterval(up);
}

/** When an entry is to be asked for (again), in milliseconds from now; 0 or less: now. */
function wait(up: UpTrack, entry: Missing, extended: i64, time: u32): f64 {
  if (entry.times > 0) return askInterval(up) - <f64>(time - entry.askedAt);
  return isOvertakenByMany(up, extended) ? 0 : up.patience - <f64>(time - entry.since);
}

function giveUpHopeless(upIndex: i32, up: UpTrack, time: u32): void {
  for (let position = missingCount(up) - 1; position >= 0; position--) {
    const entry = missingAt(upIndex, position);
    const extended = extendedOf(up, entry);
    if (!isHopeless(up, entry, extended, time)) continue;
    giveUp(up, 1, extended);
    removeMissing(upIndex, up, position, 1);
  }
}

/**
 * A NACK for each missing packet whose turn has come, in a compound; CELL_GIVEN_UP says whether a picture is lost.
 *
 * @returns the length in the outbox; 0: nothing to ask for
 */
export function lossRequest(upIndex: i32, now: f64): i32 {
  setCell(CELL_GIVEN_UP, 0);
  const up = findUpTrack(upIndex);
  if (up === null || !up.configured || !mustAsk(up, now)) return 0;
  const time = milliseconds(now);
  giveUpHopeless(upIndex, up, time);
  setCell(CELL_GIVEN_UP, up.givenUp != 0 ? 1 : 0);
  up.givenUp = 0;
  up.unasked = 0;
  openFeedback();
  const start = outboxPosition();
  putHeader(GENERIC_NACK, TRANSPORT_FEEDBACK, 12);
  putU32(REPORTER_SSRC);
  putU32(up.ssrc);
  let asked: u32 = 0;
  let next = NEVER;
  const entries = missingCount(up);
  for (let position = 0; position < entries; position++) {
    const entry = missingAt(upIndex, position);
    const extended = extendedOf(up, entry);
    const left = wait(up, entry, extended, time);
    if (left <= 0) {
      put(entry.sequence & 0xffff);
      entry.askedAt = time;
      entry.times++;
      asked++;
      next = min<f64>(next, askInterval(up));
    } else {
      if (entry.times == 0 && up.unasked == 0) up.unasked = extended;
      next = min<f64>(next, left);
    }
  }
  up.askAt = now + next;
  if (asked == 0) return 0;
  putEntry();
  closePacket(start);
  up.asked += asked;
  count(COUNTER_ASKED, asked);
  return outboxLength();
}

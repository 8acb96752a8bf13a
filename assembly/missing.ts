/**
 * The packets that are missing from each up track, in the order of their numbers: noticed by gaps, and kept until they
 * come or are given up. loss-request.ts asks for them.
 */
import { count } from './counters';
import {
  ASK_INTERVAL_LEAST_MS,
  ASK_INTERVAL_MOST_MS,
  ASK_INTERVAL_MS,
  COUNTER_GIVEN_UP,
  COUNTER_RECOVERED,
  MISSING_MAX,
  MISSING_SIZE,
  MISSING_START,
  OVERTAKEN_MAX,
  PATIENCE_LEAST_MS,
  PATIENCE_MOST_MS,
} from './layout';
import { Missing, UpTrack } from './records';

/** Round-trip times above this are taken for nonsense. Milliseconds. */
const ROUND_TRIP_MAX: f64 = 10000;

export function milliseconds(now: f64): u32 {
  return <u32>(<i64>now);
}

/** Entries of the list; the record is not trusted to be right. */
export function missingCount(up: UpTrack): i32 {
  return <i32>min<u32>(up.missing, MISSING_MAX);
}

export function missingAt(upIndex: i32, position: i32): Missing {
  return changetype<Missing>(MISSING_START + (upIndex * MISSING_MAX + position) * MISSING_SIZE);
}

/** Takes `size` entries out of the list, from a position on; all of them are within it. */
export function removeMissing(upIndex: i32, up: UpTrack, position: i32, size: i32): void {
  const target = changetype<usize>(missingAt(upIndex, position));
  const rest = missingCount(up) - position - size;
  memory.copy(target, target + size * MISSING_SIZE, rest * MISSING_SIZE);
  up.missing = position + rest;
}

/** Another source: what the former one lost nobody will send again. */
export function forgetMissing(up: UpTrack): void {
  up.missing = 0;
  up.unasked = 0;
  up.givenUp = 0;
  if (up.patience < PATIENCE_LEAST_MS) up.patience = PATIENCE_LEAST_MS;
}

/** Counts packets that nobody asks for any more; only those after the newest keyframe are missed in a picture. */
export function giveUp(up: UpTrack, packets: i64, newest: i64): void {
  count(COUNTER_GIVEN_UP, <u64>packets);
  if (newest >= up.keyframeStart) up.givenUp++;
}

/** A packet came that is newer than all others: those between are missing. */
export function noteMissing(upIndex: i32, up: UpTrack, extended: i64, now: f64): void {
  let first = up.highest + 1;
  if (first >= extended || !up.asks) return;
  const known = missingCount(up);
  const fresh = extended - first;
  const surplus = <i64>known + fresh - MISSING_MAX;
  if (surplus > 0) {
    giveUp(up, surplus, first - 1);
    const removed = <i32>min<i64>(surplus, known);
    removeMissing(upIndex, up, 0, removed);
    first += surplus - removed;
  }
  if (up.unasked == 0) up.unasked = first;
  if (missingCount(up) == 0 || now + up.patience < up.askAt) up.askAt = now + up.patience;
  const since = milliseconds(now);
  let position = missingCount(up);
  for (; first < extended && position < MISSING_MAX; first++, position++) {
    const entry = missingAt(upIndex, position);
    entry.sequence = <u32>first;
    entry.since = since;
    entry.askedAt = 0;
    entry.times = 0;
  }
  up.missing = position;
}

/**
 * A packet came that is not newer than all others: it is missing no more.
 *
 * @param rtx it came in a retransmission stream, so it was certainly asked for
 * @returns how often it was asked for; -1 if it was not missing
 */
export function takeMissing(upIndex: i32, up: UpTrack, extended: i64, rtx: bool, now: f64): i32 {
  for (let position = missingCount(up) - 1; position >= 0; position--) {
    const entry = missingAt(upIndex, position);
    if (entry.sequence != <u32>extended) continue;
    const times = entry.times;
    const again = learn(up, entry, rtx, milliseconds(now));
    removeMissing(upIndex, up, position, 1);
    if (!again) return 0;
    up.recovered++;
    count(COUNTER_RECOVERED);
    return <i32>min<u32>(times, 0x7fffffff);
  }
  return -1;
}

/** Learns from an arrival about the way; false if it was overtaken, not lost: there was no time for an answer of ours. */
function learn(up: UpTrack, entry: Missing, rtx: bool, time: u32): bool {
  // Browsers probe the path with packets that they send again unasked.
  if (rtx && entry.times == 0) return true;
  const waited = <f64>(time - entry.askedAt);
  const overtaken = entry.times == 0 || (!rtx && waited * 2 < up.roundTripTime);
  if (!overtaken) {
    if (entry.times == 1 && waited <= ROUND_TRIP_MAX) learnRoundTrip(up, waited);
    // The answer to an earlier request, as it seems: then the way is longer than we think.
    else if (waited * 2 < up.roundTripTime) up.roundTripTime = min<f64>(up.roundTripTime * 1.25, ROUND_TRIP_MAX);
    up.patience -= (up.patience - PATIENCE_LEAST_MS) / 64;
    return true;
  }
  const late = <f64>(time - entry.since) + 2;
  if (late > up.patience) up.patience = min<f64>(late, PATIENCE_MOST_MS);
  return false;
}

/** RFC 6298 2.2 and 2.3, but for a first deviation that is closer to what networks do. */
function learnRoundTrip(up: UpTrack, sample: f64): void {
  const time = max<f64>(sample, 1);
  if (up.roundTripTime == 0) {
    up.roundTripTime = time;
    up.roundTripDeviation = time / 8;
    return;
  }
  up.roundTripDeviation += (abs<f64>(time - up.roundTripTime) - up.roundTripDeviation) / 4;
  up.roundTripTime += (time - up.roundTripTime) / 8;
}

/** Milliseconds after which an unanswered request is made again. */
export function askInterval(up: UpTrack): f64 {
  if (up.roundTripTime == 0) return ASK_INTERVAL_MS;
  const interval = up.roundTripTime + max<f64>(4 * up.roundTripDeviation, 10);
  return min<f64>(max<f64>(interval, ASK_INTERVAL_LEAST_MS), ASK_INTERVAL_MOST_MS);
}

/** Whether a gap is taken for a loss already because so many packets have come after it. */
export function isOvertakenByMany(up: UpTrack, extended: i64): bool {
  return up.patience < PATIENCE_LEAST_MS + 1 && up.highest - extended >= OVERTAKEN_MAX;
}

/** Whether there may be something to ask for now. */
export function mustAsk(up: UpTrack, now: f64): bool {
  if (up.missing == 0 && up.givenUp == 0) return false;
  return now >= up.askAt || up.givenUp != 0 || (up.unasked != 0 && isOvertakenByMany(up, up.unasked));
}

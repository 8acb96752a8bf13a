/**
 * The subscriber's sequence numbers and timestamps: those of the publisher plus an offset per segment, such that
 * the subscriber sees one stream whatever was left out and wherever the packets came from.
 */
import { DROP_LATE, FORWARD, SEGMENT_SIZE, SEGMENTS } from './layout';
import { DownTrack, Segment, Slot, UpTrack } from './records';
import { noteResend } from './resends';

function segmentAt(down: DownTrack, index: u32): Segment {
  const start = changetype<usize>(down) + offsetof<DownTrack>('segments');
  return changetype<Segment>(start + (index & (SEGMENTS - 1)) * SEGMENT_SIZE);
}

/** The segment that is being sent; meaningful once the track has started. */
export function presentSegment(down: DownTrack): Segment {
  return segmentAt(down, down.newestSegment);
}

/** True if the next packet must begin a segment: the first one, after a pause, or of another source. */
export function mustStart(down: DownTrack, up: UpTrack): bool {
  return down.suspended || presentSegment(down).epoch != up.epoch;
}

/** True for a packet from before the highest sent of the same source: its number is taken, it comes too late to start. */
export function belongsToFormer(down: DownTrack, up: UpTrack, slot: Slot): bool {
  if (down.segmentCount == 0) return false;
  const former = presentSegment(down);
  return former.epoch == up.epoch && slot.extended + former.offset <= down.highest;
}

/**
 * The first sequence number: the same for the same SSRC, and in the lower quarter of the range, since a receiver that
 * misses the first packets just before a rollover would guess SRTP's rollover counter wrong for good (RFC 3711 3.3.1).
 */
export function firstSequence(ssrc: u32): i64 {
  return 65536 + 1 + ((ssrc * 0x9e3779b1) >> 18);
}

/**
 * Begins a segment with this packet: its sequence number follows the highest sent. Its timestamp goes on with
 * the publisher's clock; from another source it is as much later as time has passed, at least 1.
 */
export function startSegment(down: DownTrack, up: UpTrack, slot: Slot, now: f64): void {
  const former = presentSegment(down);
  let sequence = down.highest + 1;
  let timestampOffset = former.timestampOffset;
  if (down.segmentCount == 0) {
    sequence = firstSequence(down.ssrc);
    timestampOffset = 0;
  } else if (former.epoch != up.epoch) {
    const elapsed = <i64>nearest(((now - down.lastSentAt) * <f64>up.clockRate) / 1000.0);
    timestampOffset = down.lastTimestamp + <u32>max<i64>(elapsed, 1) - slot.timestamp;
  }
  down.newestSegment = <u8>((down.newestSegment + 1) & (SEGMENTS - 1));
  if (down.segmentCount < <u8>SEGMENTS) down.segmentCount++;
  const segment = presentSegment(down);
  segment.first = slot.extended;
  segment.offset = sequence - slot.extended;
  segment.epoch = up.epoch;
  segment.timestampOffset = timestampOffset;
  down.highest = sequence - 1;
  down.suspended = false;
}

/**
 * Notes a packet as sent; a late one so that the NACK that is on its way for it is not answered with a second one.
 *
 * @returns FORWARD, or DROP_LATE for a packet from before the segment, which has no number left
 */
export function placeInSegment(downIndex: i32, down: DownTrack, slot: Slot, now: f64): i32 {
  const segment = presentSegment(down);
  if (slot.extended < segment.first) return DROP_LATE;
  const sequence = slot.extended + segment.offset;
  if (sequence > down.highest) {
    down.highest = sequence;
    down.lastTimestamp = slot.timestamp + segment.timestampOffset;
    down.lastSentAt = now;
  } else {
    noteResend(downIndex, <u32>sequence, now);
  }
  return FORWARD;
}

/** Extends a sequence number that a subscriber asks for: at most half the range behind the highest sent, or -1. */
export function extendSent(down: DownTrack, sequence: u32): i64 {
  const behind = (<u32>down.highest - sequence) & 0xffff;
  return behind < 0x8000 && down.segmentCount > 0 ? down.highest - behind : -1;
}

/** The segment of the given source in which a sequence number was sent, or null. */
export function segmentOf(down: DownTrack, sequence: i64, epoch: u32): Segment | null {
  for (let age: u32 = 0; age < down.segmentCount; age++) {
    const segment = segmentAt(down, down.newestSegment - age);
    if (segment.epoch != epoch) return null;
    if (segment.first + segment.offset <= sequence) return segment;
  }
  return null;
}

/**
 * A subscriber's picture without waiting for a new keyframe: the last one and what followed it, from the publisher's
 * history, if all of it is there and it is not old. Then the subscriber is where all others are.
 */
import { isBlocked } from './blocks';
import { setCell } from './cells';
import { count } from './counters';
import { findDownTrack } from './down-tracks';
import { countForwarded, writeForSubscriber } from './forwarder';
import {
  CELL_PACKET,
  CELL_PACKET_LENGTH,
  COUNTER_REPLAYS,
  FORWARD,
  KIND_VIDEO,
  PACKET_CAPACITY,
  REPLAY_PACKETS_MAX,
} from './layout';
import { findPacket } from './packet-history';
import { UpTrack } from './records';
import { belongsToFormer, mustStart, placeInSegment, presentSegment, startSegment } from './rtp-munger';
import { bytesOf } from './slots';
import { findUpTrack } from './up-tracks';

/** What replayed() goes on with. */
let replayDown: i32 = -1;
let replayUp: i32 = -1;
let replayFirst: i64 = 0;
let replayPackets: i32 = 0;

/** Packets from the newest keyframe to the newest of all; 0: too many, or one is missing. */
function completeSinceKeyframe(upIndex: i32, up: UpTrack): i32 {
  const packets = up.highest - up.keyframeStart + 1;
  if (up.keyframeStart == 0 || packets < 1 || packets > REPLAY_PACKETS_MAX) return 0;
  for (let i: i64 = 0; i < packets; i++) {
    if (findPacket(upIndex, up, up.keyframeStart + i) === null) return 0;
  }
  return <i32>packets;
}

/**
 * Starts a subscriber's video that waits for a keyframe with the last one.
 *
 * @param ageMax milliseconds since the keyframe came
 * @returns how many packets replayed() has for it now; 0: it does not wait, or there is nothing to start with
 */
export function beginReplay(downIndex: i32, ageMax: f64, now: f64): i32 {
  replayPackets = 0;
  const down = findDownTrack(downIndex);
  if (down === null || !down.active || down.paused) return 0;
  const up = findUpTrack(down.up);
  if (up === null || up.kind != KIND_VIDEO || up.user == 0 || !up.hasSource || !up.configured) return 0;
  if (!mustStart(down, up) || isBlocked(up.user, down.user) || now - up.keyframeAt > ageMax) return 0;
  const packets = completeSinceKeyframe(down.up, up);
  const start = findPacket(down.up, up, up.keyframeStart);
  if (packets == 0 || start === null || belongsToFormer(down, up, start)) return 0;
  startSegment(down, up, start, now);
  replayDown = downIndex;
  replayUp = down.up;
  replayFirst = up.keyframeStart;
  replayPackets = packets;
  count(COUNTER_REPLAYS);
  return packets;
}

/** Makes one packet of the replay that was begun last ready to be sent. @returns false if there is no such one */
export function replayed(position: i32, now: f64): bool {
  if (<u32>position >= <u32>replayPackets) return false;
  const down = findDownTrack(replayDown);
  const up = findUpTrack(replayUp);
  if (down === null || up === null || down.up != replayUp) return false;
  const slot = findPacket(replayUp, up, replayFirst + position);
  if (slot === null || placeInSegment(replayDown, down, slot, now) != FORWARD) return false;
  writeForSubscriber(slot, down, presentSegment(down), now);
  countForwarded(slot, down);
  setCell(CELL_PACKET, <i32>bytesOf(slot));
  setCell(CELL_PACKET_LENGTH, min<i32>(slot.length, PACKET_CAPACITY));
  return true;
}

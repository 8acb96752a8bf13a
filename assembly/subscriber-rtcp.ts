/** RTCP that comes from a subscriber: reports (RFC 3550 6.4), NACK and PLI (RFC 4585), FIR (RFC 5104, RFC 2032). */
import { isBlocked } from './blocks';
import { readU16, readU32 } from './bytes';
import { setCell } from './cells';
import { count } from './counters';
import { findDownTrack } from './down-tracks';
import {
  CELL_ESTIMATE,
  COUNTER_KEYFRAME_REQUESTS,
  SUBSCRIBER_ESTIMATE,
  SUBSCRIBER_FIR,
  SUBSCRIBER_NACK,
  SUBSCRIBER_PLI,
  SUBSCRIBER_REPORT,
} from './layout';
import { DownTrack } from './records';
import { clearRequests, request } from './retransmission';
import {
  FULL_INTRA_REQUEST,
  nextPacket,
  openCompound,
  PAYLOAD_FEEDBACK,
  packetCount,
  packetEnd,
  packetStart,
  packetType,
  RECEIVER_REPORT,
  SENDER_REPORT,
  TRANSPORT_FEEDBACK,
} from './rtcp-reader';
import { findUpTrack } from './up-tracks';

const REPORT_BLOCK: usize = 24;
const GENERIC_NACK: u32 = 1;
const PICTURE_LOSS: u32 = 1;
const FULL_INTRA: u32 = 4;
const APPLICATION: u32 = 15;
/** "REMB" */
const REMB: u32 = 0x52454d42;
/** A round trip longer than this is taken for nonsense. Milliseconds. */
const ROUND_TRIP_MAX: f64 = 60000;

/** The track, if it is one that gets packets now: nobody asks the publisher for anything through a block. */
function findServed(index: i32): DownTrack | null {
  const down = findDownTrack(index);
  if (down === null || !down.active || down.paused) return null;
  const up = findUpTrack(down.up);
  if (up === null || isBlocked(up.user, down.user)) return null;
  return down;
}

function hasSsrc(index: i32, ssrc: u32): bool {
  const down = findDownTrack(index);
  return down !== null && down.ssrc == ssrc;
}

/** One report block (RFC 3550 6.4.1); the round-trip time is A - LSR - DLSR, by our own clock alone. */
function readReportBlock(index: i32, block: usize, now: f64): void {
  const down = findDownTrack(index);
  if (down === null) return;
  const lost = <i64>(<i32>(readU32(block + 4) << 8) >> 8);
  if (lost > down.lostReported) {
    down.lostPending += lost - down.lostReported;
    down.lostReported = lost;
  }
  down.reportedJitter = readU32(block + 12);
  const lastReport = readU32(block + 16);
  if (lastReport == 0) return;
  let sentAt: f64 = 0;
  if (lastReport == down.reportMiddle) sentAt = down.reportSentAt;
  else if (lastReport == down.earlierReportMiddle) sentAt = down.earlierReportSentAt;
  if (sentAt == 0) return;
  const roundTrip = now - sentAt - (<f64>readU32(block + 20) * 1000.0) / 65536.0;
  // An answer within the resolution of DLSR is a very short way, not an unknown one.
  if (roundTrip > -1 && roundTrip < ROUND_TRIP_MAX) down.roundTripTime = max<f64>(roundTrip, 0.01);
}

function readReportBlocks(downAudio: i32, downVideo: i32, first: usize, now: f64): bool {
  let seen = false;
  let block = first;
  for (let i: u32 = 0; i < packetCount && block + REPORT_BLOCK <= packetEnd; i++) {
    const ssrc = readU32(block);
    const index = hasSsrc(downAudio, ssrc) ? downAudio : hasSsrc(downVideo, ssrc) ? downVideo : -1;
    if (index >= 0) {
      readReportBlock(index, block, now);
      seen = true;
    }
    block += REPORT_BLOCK;
  }
  return seen;
}

/** RFC 4585 6.2.1: each entry is a sequence number and a mask of the 16 after it. */
function readNack(downAudio: i32, downVideo: i32): bool {
  const ssrc = readU32(packetStart + 8);
  const audio = hasSsrc(downAudio, ssrc);
  const index = audio ? downAudio : hasSsrc(downVideo, ssrc) ? downVideo : -1;
  if (findServed(index) === null) return false;
  let wanted = false;
  for (let entry = packetStart + 12; entry + 4 <= packetEnd; entry += 4) {
    const first = readU16(entry);
    if (!request(index, audio, first)) return wanted;
    wanted = true;
    for (let mask = readU16(entry + 2), step: u32 = 1; mask != 0; mask >>= 1, step++) {
      if ((mask & 1) != 0 && !request(index, audio, (first + step) & 0xffff)) return true;
    }
  }
  return wanted;
}

/** draft-alvestrand-rmcat-remb-03 2.2: what the subscriber's line carries of all that is sent to it. */
function readEstimate(): bool {
  if (packetStart + 20 > packetEnd || readU32(packetStart + 12) != REMB) return false;
  const bits = readU32(packetStart + 16) & 0xffffff;
  const exponent = bits >> 18;
  const mantissa = <u64>(bits & 0x3ffff);
  // More than any line is as good as the most that a cell can hold.
  const bitrate = exponent < 32 ? min<u64>(mantissa << exponent, 0x7fffffff) : <u64>0x7fffffff;
  setCell(CELL_ESTIMATE, <i32>bitrate);
  return true;
}

function readPayloadFeedback(downVideo: i32): i32 {
  if (packetCount == APPLICATION) return readEstimate() ? SUBSCRIBER_ESTIMATE : 0;
  if (findServed(downVideo) === null) return 0;
  if (packetCount == PICTURE_LOSS) return hasSsrc(downVideo, readU32(packetStart + 8)) ? SUBSCRIBER_PLI : 0;
  if (packetCount != FULL_INTRA) return 0;
  // RFC 5104 4.3.1: the entries name the streams, 8 bytes each; the media source field is unused.
  for (let entry = packetStart + 12; entry + 8 <= packetEnd; entry += 8) {
    if (hasSsrc(downVideo, readU32(entry))) return SUBSCRIBER_FIR;
  }
  return 0;
}

/** @returns SUBSCRIBER_ bits; what it wants again is in the list of retransmissions */
export function readSubscriberRtcp(downAudio: i32, downVideo: i32, length: i32, now: f64): i32 {
  clearRequests();
  let seen = 0;
  if (!openCompound(length)) return seen;
  while (nextPacket()) {
    if (packetType == RECEIVER_REPORT && packetStart + 8 <= packetEnd) {
      if (readReportBlocks(downAudio, downVideo, packetStart + 8, now)) seen |= SUBSCRIBER_REPORT;
    } else if (packetType == SENDER_REPORT && packetStart + 28 <= packetEnd) {
      if (readReportBlocks(downAudio, downVideo, packetStart + 28, now)) seen |= SUBSCRIBER_REPORT;
    } else if (packetType == TRANSPORT_FEEDBACK && packetCount == GENERIC_NACK && packetStart + 16 <= packetEnd) {
      if (readNack(downAudio, downVideo)) seen |= SUBSCRIBER_NACK;
    } else if (packetType == PAYLOAD_FEEDBACK && packetStart + 12 <= packetEnd) {
      seen |= readPayloadFeedback(downVideo);
    } else if (packetType == FULL_INTRA_REQUEST && packetStart + 8 <= packetEnd) {
      if (findServed(downVideo) !== null) seen |= SUBSCRIBER_FIR;
    }
  }
  if ((seen & (SUBSCRIBER_PLI | SUBSCRIBER_FIR)) != 0) {
    const down = findDownTrack(downVideo);
    if (down !== null) down.keyframeRequests++;
    count(COUNTER_KEYFRAME_REQUESTS);
  }
  return seen;
}

/** Packets that the subscriber newly called lost since the last call. */
export function takeLostOfSubscriber(index: i32): i32 {
  const down = findDownTrack(index);
  if (down === null) return 0;
  const lost = <i32>min<i64>(down.lostPending, 0x7fffffff);
  down.lostPending = 0;
  return lost;
}

export function roundTripTime(index: i32): f64 {
  const down = findDownTrack(index);
  return down === null ? 0 : down.roundTripTime;
}

/** RTCP that comes from a publisher: its sender reports (RFC 3550 6.4.1) and its BYE (6.6). */
import { readU32 } from './bytes';
import { PUBLISHER_AUDIO_REPORT, PUBLISHER_BYE, PUBLISHER_VIDEO_REPORT } from './layout';
import { UpTrack } from './records';
import {
  BYE,
  nextPacket,
  openCompound,
  packetCount,
  packetEnd,
  packetStart,
  packetType,
  SENDER_REPORT,
} from './rtcp-reader';
import { findUpTrack } from './up-tracks';

function isSource(up: UpTrack | null, ssrc: u32): bool {
  return up !== null && up.hasSource && up.ssrc == ssrc;
}

function readSenderReport(index: i32, now: f64): bool {
  const up = findUpTrack(index);
  if (up === null || !isSource(up, readU32(packetStart + 4))) return false;
  up.reportNtpHigh = readU32(packetStart + 8);
  up.reportNtpLow = readU32(packetStart + 12);
  up.reportTimestamp = readU32(packetStart + 16);
  up.reportedAt = now;
  up.hasReport = true;
  return true;
}

function saysBye(index: i32): bool {
  const up = findUpTrack(index);
  let at = packetStart + 4;
  for (let i: u32 = 0; i < packetCount && at + 4 <= packetEnd; i++) {
    if (isSource(up, readU32(at))) return true;
    at += 4;
  }
  return false;
}

/** @returns PUBLISHER_ bits: what was in it about these two tracks */
export function readPublisherRtcp(upAudio: i32, upVideo: i32, length: i32, now: f64): i32 {
  let seen = 0;
  if (!openCompound(length)) return seen;
  while (nextPacket()) {
    if (packetType == SENDER_REPORT && packetStart + 28 <= packetEnd) {
      if (readSenderReport(upAudio, now)) seen |= PUBLISHER_AUDIO_REPORT;
      else if (readSenderReport(upVideo, now)) seen |= PUBLISHER_VIDEO_REPORT;
    } else if (packetType == BYE && (saysBye(upAudio) || saysBye(upVideo))) {
      seen |= PUBLISHER_BYE;
    }
  }
  return seen;
}

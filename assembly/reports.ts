/** Reports of the relay: as the receiver of a publisher, as the sender to a subscriber (RFC 3550 6.4). */
import { isBlocked } from './blocks';
import { findDownTrack } from './down-tracks';
import { putReceiverEstimate } from './feedback';
import { REPORTER_SSRC } from './layout';
import { cumulativeLost, takeFractionLost } from './reception-stats';
import { UpTrack } from './records';
import { RECEIVER_REPORT, SENDER_REPORT } from './rtcp-reader';
import { openOutbox, outboxLength, putHeader, putSourceDescription, putU32 } from './rtcp-writer';
import { mustStart, presentSegment } from './rtp-munger';
import { findUpTrack } from './up-tracks';

/** The NTP timestamp of a publisher's last report, and its middle 32 bits (LSR). */
function ntpTime(up: UpTrack): u64 {
  return ((<u64>up.reportNtpHigh) << 32) | up.reportNtpLow;
}

function middle(ntp: u64): u32 {
  return <u32>(ntp >> 16);
}

/**
 * SR and SDES for a subscriber: the publisher's clock, carried on to this moment, and what was sent here.
 *
 * @returns the length in the outbox; 0 while nothing was sent or the publisher has not reported on this source
 */
export function senderReport(downIndex: i32, now: f64): i32 {
  const down = findDownTrack(downIndex);
  if (down === null || down.packetsSent == 0) return 0;
  const up = findUpTrack(down.up);
  if (up === null || !up.hasReport || mustStart(down, up) || isBlocked(up.user, down.user)) return 0;
  const elapsed = max<f64>(now - up.reportedAt, 0);
  const ntp = ntpTime(up) + <u64>(elapsed * 4294967.296);
  const timestamp = up.reportTimestamp + <u32>(<i64>((elapsed * <f64>up.clockRate) / 1000.0));
  openOutbox();
  putHeader(0, SENDER_REPORT, 28);
  putU32(down.ssrc);
  putU32(<u32>(ntp >> 32));
  putU32(<u32>ntp);
  putU32(timestamp + presentSegment(down).timestampOffset);
  putU32(down.packetsSent);
  putU32(down.octetsSent);
  putSourceDescription(down.ssrc);
  down.earlierReportMiddle = down.reportMiddle;
  down.earlierReportSentAt = down.reportSentAt;
  down.reportMiddle = middle(ntp);
  down.reportSentAt = now;
  return outboxLength();
}

function hasReception(up: UpTrack | null): bool {
  return up !== null && up.configured && up.hasSource;
}

function putReportBlock(index: i32, now: f64): void {
  const up = findUpTrack(index);
  if (up === null || !hasReception(up)) return;
  putU32(up.ssrc);
  putU32((takeFractionLost(up) << 24) | cumulativeLost(up));
  // Rollovers are counted from the first packet; the extended number starts a cycle later (sequence.ts).
  putU32(<u32>(up.highest - 65536));
  putU32(up.jitter >> 4);
  if (!up.hasReport) {
    putU32(0);
    putU32(0);
    return;
  }
  putU32(middle(ntpTime(up)));
  putU32(<u32>(<u64>((max<f64>(now - up.reportedAt, 0) * 65536.0) / 1000.0)));
}

/**
 * RR, SDES, and REMB for the video source where a bitrate is given.
 *
 * @param bitrate bit/s, 0: no REMB
 * @returns the length in the outbox; 0 while nothing was received
 */
export function receiverReport(upAudio: i32, upVideo: i32, bitrate: u32, now: f64): i32 {
  const audio = hasReception(findUpTrack(upAudio));
  const video = hasReception(findUpTrack(upVideo));
  const blocks: u32 = (audio ? 1 : 0) + (video ? 1 : 0);
  if (blocks == 0) return 0;
  openOutbox();
  putHeader(blocks, RECEIVER_REPORT, 8 + 24 * blocks);
  putU32(REPORTER_SSRC);
  putReportBlock(upAudio, now);
  putReportBlock(upVideo, now);
  putSourceDescription(REPORTER_SSRC);
  const source = findUpTrack(upVideo);
  if (video && source !== null && bitrate > 0) putReceiverEstimate(source.ssrc, bitrate);
  return outboxLength();
}

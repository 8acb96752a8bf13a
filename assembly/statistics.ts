/** What is known of single tracks, for who asks: read from their records one number at a time, never on a packet's way. */
import { findDownTrack } from './down-tracks';
import {
  STATISTIC_ACTIVE,
  STATISTIC_JITTER,
  STATISTIC_KEYFRAME_REQUESTS,
  STATISTIC_KEYFRAMES,
  STATISTIC_LOST,
  STATISTIC_NACKS,
  STATISTIC_OCTETS,
  STATISTIC_PACKETS,
  STATISTIC_RETRANSMISSIONS,
  STATISTIC_ROUND_TRIP_TIME,
  STATISTIC_SOURCES,
  STATISTIC_SSRC,
  STATISTIC_SUSPENDED,
} from './layout';
import { lostInAll } from './reception-stats';
import { findUpTrack } from './up-tracks';

function milliseconds(timestampUnits: u32, clockRate: u32): f64 {
  return clockRate == 0 ? 0 : (<f64>timestampUnits * 1000.0) / <f64>clockRate;
}

/** @returns 0 if there is no such track, or it has no such statistic */
export function upTrackStatistic(upIndex: i32, statistic: i32): f64 {
  const up = findUpTrack(upIndex);
  if (up === null) return 0;
  if (statistic == STATISTIC_PACKETS) return <f64>up.packets;
  if (statistic == STATISTIC_OCTETS) return <f64>up.octets;
  if (statistic == STATISTIC_LOST) return up.epoch == 0 ? 0 : <f64>lostInAll(up);
  if (statistic == STATISTIC_JITTER) return milliseconds(up.jitter >> 4, up.clockRate);
  if (statistic == STATISTIC_KEYFRAME_REQUESTS) return <f64>up.keyframeRequests;
  if (statistic == STATISTIC_SSRC) return up.hasSource ? <f64>up.ssrc : <f64>up.declaredSsrc;
  if (statistic == STATISTIC_KEYFRAMES) return <f64>up.keyframes;
  if (statistic == STATISTIC_SOURCES) return <f64>up.epoch;
  if (statistic == STATISTIC_NACKS) return <f64>up.asked;
  if (statistic == STATISTIC_RETRANSMISSIONS) return <f64>up.recovered;
  if (statistic == STATISTIC_ROUND_TRIP_TIME) return up.roundTripTime;
  return 0;
}

/** @returns 0 if there is no such track, or it has no such statistic */
export function downTrackStatistic(downIndex: i32, statistic: i32): f64 {
  const down = findDownTrack(downIndex);
  if (down === null) return 0;
  if (statistic == STATISTIC_PACKETS) return <f64>down.packetsSent;
  if (statistic == STATISTIC_OCTETS) return <f64>down.octetsSent;
  if (statistic == STATISTIC_LOST) return <f64>down.lostReported;
  if (statistic == STATISTIC_JITTER) {
    const up = findUpTrack(down.up);
    return up === null ? 0 : milliseconds(down.reportedJitter, up.clockRate);
  }
  if (statistic == STATISTIC_KEYFRAME_REQUESTS) return <f64>down.keyframeRequests;
  if (statistic == STATISTIC_SSRC) return <f64>down.ssrc;
  if (statistic == STATISTIC_NACKS) return <f64>down.nacks;
  if (statistic == STATISTIC_RETRANSMISSIONS) return <f64>down.retransmissions;
  if (statistic == STATISTIC_ROUND_TRIP_TIME) return down.roundTripTime;
  if (statistic == STATISTIC_ACTIVE) return down.active ? 1 : 0;
  if (statistic == STATISTIC_SUSPENDED) return down.suspended ? 1 : 0;
  return 0;
}

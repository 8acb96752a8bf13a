/** The exports of the packet engine. Numbers in, numbers out; what is more lies where layout.ts says. */

import { setCell } from './cells';
import { openInbox } from './forwarder';
import { CELL_VERSION, CELLS_START, ENGINE_START, LAYOUT_VERSION } from './layout';
import { takeLost } from './reception-stats';
import { findUpTrack } from './up-tracks';

export { isBlocked, setBlocked } from './blocks';
export {
  addDownTrack,
  configureDownTrack,
  removeDownTrack,
  setDownTrackActive,
  setDownTrackPaused,
  setPlayoutDelay,
} from './down-tracks';
export { keyframeRequest } from './feedback';
export { receive, receiveMirrored, translate, waitingForKeyframe } from './forwarder';
export { lossRequest } from './loss-request';
export { exportPacket, exportReport, reportedAt } from './mirror';
export { readPublisherRtcp } from './publisher-rtcp';
export { beginReplay, replayed } from './replay';
export { receiverReport, senderReport } from './reports';
export { retransmit } from './retransmission';
export { downTrackStatistic, upTrackStatistic } from './statistics';
export { readSubscriberRtcp, roundTripTime, takeLostOfSubscriber } from './subscriber-rtcp';
export { transportFeedback } from './transport-feedback';
export {
  addUpTrack,
  configureUpTrack,
  removeUpTrack,
  restartUpTrack,
  setUpTrackUser,
  unconfigureUpTrack,
} from './up-tracks';

/**
 * Makes a zeroed memory this engine's own.
 *
 * @returns LAYOUT_VERSION; 0 if the memory is in use, too small, or the compiler's static data reach into the tables
 */
export function initialize(): i32 {
  if (__heap_base > <usize>ENGINE_START) return 0;
  if (load<i32>(CELLS_START + (CELL_VERSION << 2)) != 0) return 0;
  if (!openInbox()) return 0;
  setCell(CELL_VERSION, LAYOUT_VERSION);
  return LAYOUT_VERSION;
}

export function lastPacketAt(upIndex: i32): f64 {
  const up = findUpTrack(upIndex);
  return up === null ? 0 : up.lastPacketAt;
}

export function takeLostOfPublisher(upIndex: i32): i32 {
  const up = findUpTrack(upIndex);
  return up === null ? 0 : <i32>takeLost(up);
}
export { takeLoudness } from './loudness';
export { setShedding } from './shedding';

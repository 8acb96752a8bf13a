/**
 * A publisher whose subscribers outgrow its shard has mirrors on other shards: tracks that get each packet once its own
 * shard has admitted it (workers/fan-out.ts carries them). What is asked of the publisher is its own shard's matter.
 */
import { writeU16, writeU32 } from './bytes';
import { setCell } from './cells';
import { admittedPacket } from './forwarder';
import { writeExtensions } from './header-extensions';
import { CELL_EXPORTED_EPOCH, CELL_EXPORTED_HIGH, CELL_EXPORTED_LOW, EXTENSION_ABS_SEND_TIME } from './layout';
import { SENDER_REPORT } from './rtcp-reader';
import { openOutbox, outboxLength, putHeader, putU32 } from './rtcp-writer';
import { bytesOf } from './slots';
import { findUpTrack } from './up-tracks';

/** The time of sending is the mirror's, in the place that it finds for it. */
const WITHOUT_SEND_TIME: u32 = ~(0xff << (EXTENSION_ABS_SEND_TIME << 3));

/**
 * Writes the admitted packet as its publisher sent it: under the track's own payload type, SSRC and extension ids, also if
 * it came in a retransmission stream. Before the first translate(), or after it. Its place is in the cells.
 *
 * @param index the track that it was admitted to
 */
export function exportPacket(index: i32, now: f64): bool {
  const up = findUpTrack(index);
  const slot = admittedPacket();
  if (up === null || slot === null) return false;
  const packet = bytesOf(slot);
  store<u8>(packet + 1, (up.payloadType & 0x7f) | (slot.marker ? 0x80 : 0));
  writeU16(packet + 2, <u32>slot.extended);
  writeU32(packet + 4, slot.timestamp);
  writeU32(packet + 8, up.ssrc);
  writeExtensions(slot, up.extensionIds & WITHOUT_SEND_TIME, 0, now);
  setCell(CELL_EXPORTED_EPOCH, <i32>slot.epoch);
  setCell(CELL_EXPORTED_LOW, <i32>slot.extended);
  setCell(CELL_EXPORTED_HIGH, <i32>(slot.extended >> 32));
  return true;
}

/**
 * The publisher's last sender report (RFC 3550 6.4.1) as it sent it, but for its counts, for a mirror that was not there.
 *
 * @returns the length in the outbox; 0: it has not reported on this source
 */
export function exportReport(index: i32): i32 {
  const up = findUpTrack(index);
  if (up === null || !up.hasSource || !up.hasReport) return 0;
  openOutbox();
  putHeader(0, SENDER_REPORT, 28);
  putU32(up.ssrc);
  putU32(up.reportNtpHigh);
  putU32(up.reportNtpLow);
  putU32(up.reportTimestamp);
  putU32(0);
  putU32(0);
  return outboxLength();
}

/** When that report came, in milliseconds; 0: never. */
export function reportedAt(index: i32): f64 {
  const up = findUpTrack(index);
  return up === null || !up.hasReport ? 0 : up.reportedAt;
}

/** Which SSRC an up track takes its packets from, and where each packet belongs in it. */
import { count } from './counters';
import { COUNTER_SOURCE_CHANGES, DROP_SEQUENCE_JUMP, DROP_UNKNOWN_SSRC, FORWARD, SOURCE_SILENCE_MS } from './layout';
import { forgetMissing } from './missing';
import { startReception } from './reception-stats';
import { UpTrack } from './records';
import { extendSequence, FIRST_CYCLE, JUMP } from './sequence';

/** The extended sequence number of the packet that belongsToSource() let pass. */
export let extendedSequence: i64 = 0;

function adopt(up: UpTrack, ssrc: u32, sequence: u32, confirmed: bool): i32 {
  extendedSequence = FIRST_CYCLE + sequence;
  if (up.epoch != 0) count(COUNTER_SOURCE_CHANGES);
  startSource(up, ssrc, extendedSequence, up.epoch + 1);
  // A frame whose first packet was dropped as the unconfirmed one is nothing to start with.
  up.hasKeyframe = confirmed;
  up.keyframeTimestamp = up.candidateTimestamp;
  return FORWARD;
}

/** Another shard has adopted this source, as its `epoch`th; the number is of any packet of it. */
export function adoptMirrored(up: UpTrack, ssrc: u32, extended: i64, epoch: u32): void {
  startSource(up, ssrc, extended, epoch);
  up.hasKeyframe = false;
}

function startSource(up: UpTrack, ssrc: u32, extended: i64, epoch: u32): void {
  startReception(up, extended);
  up.epoch = epoch;
  up.ssrc = ssrc;
  up.hasSource = true;
  up.hasReport = false;
  up.hasParameterSets = false;
  up.keyframeStart = 0;
  up.candidateNext = -1;
  up.jumpNext = -1;
  forgetMissing(up);
}

/**
 * Decides whether a packet is of the track's source. The first SSRC is adopted; another one if it is the declared
 * one, if the present has been silent for SOURCE_SILENCE_MS, or with its second packet in a row. A jump in the sequence numbers of the present SSRC
 * is a restart once the next packet confirms it (RFC 3550 A.1).
 *
 * @returns FORWARD (extendedSequence is set), DROP_UNKNOWN_SSRC or DROP_SEQUENCE_JUMP
 */
export function belongsToSource(up: UpTrack, ssrc: u32, sequence: u32, timestamp: u32, now: f64): i32 {
  if (!up.hasSource) return adopt(up, ssrc, sequence, false);
  if (ssrc != up.ssrc) {
    const silent = now - up.lastPacketAt >= SOURCE_SILENCE_MS;
    const declared = ssrc == up.declaredSsrc && ssrc != 0;
    if (silent || declared) return adopt(up, ssrc, sequence, false);
    if (ssrc == up.candidateSsrc && <i32>sequence == up.candidateNext) return adopt(up, ssrc, sequence, true);
    up.candidateSsrc = ssrc;
    up.candidateNext = (sequence + 1) & 0xffff;
    up.candidateTimestamp = timestamp;
    return DROP_UNKNOWN_SSRC;
  }
  const extended = extendSequence(up.highest, sequence);
  if (extended == JUMP) {
    if (<i32>sequence == up.jumpNext) return adopt(up, ssrc, sequence, true);
    up.jumpNext = (sequence + 1) & 0xffff;
    up.candidateTimestamp = timestamp;
    return DROP_SEQUENCE_JUMP;
  }
  up.jumpNext = -1;
  up.candidateNext = -1;
  extendedSequence = extended;
  return FORWARD;
}

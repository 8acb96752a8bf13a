import { startsAv1Keyframe } from './codecs/av1';
import { classifyH264, NO_KEYFRAME, PARAMETER_SETS } from './codecs/h264';
import { startsVp8Keyframe } from './codecs/vp8';
import { startsVp9Keyframe } from './codecs/vp9';
import { CODEC_AV1, CODEC_H264, CODEC_VP8, CODEC_VP9 } from './layout';
import { Slot, UpTrack } from './records';
import { bytesOf } from './slots';

/** An IDR slice alone is a start only where no parameter sets come with the stream. */
function startsH264Keyframe(up: UpTrack, payload: usize, length: i32): bool {
  const found = classifyH264(payload, length);
  if (found == PARAMETER_SETS) up.hasParameterSets = true;
  return found == PARAMETER_SETS || (found != NO_KEYFRAME && !up.hasParameterSets);
}

function looksLikeStart(up: UpTrack, payload: usize, length: i32): bool {
  const codec = up.codec;
  if (codec == CODEC_H264) return startsH264Keyframe(up, payload, length);
  if (codec == CODEC_VP8) return startsVp8Keyframe(payload, length);
  if (codec == CODEC_VP9) return startsVp9Keyframe(payload, length);
  if (codec == CODEC_AV1) return startsAv1Keyframe(payload, length);
  return false;
}

/**
 * True for the packet with which a decoder can start. A frame of several slices starts once: parameter sets and
 * the slices after them share their timestamp, and the first of them is the start.
 */
export function startsKeyframe(up: UpTrack, slot: Slot, now: f64): bool {
  const payload = bytesOf(slot) + slot.headerLength;
  if (!looksLikeStart(up, payload, slot.payloadLength)) return false;
  if (up.hasKeyframe && up.keyframeTimestamp == slot.timestamp) return false;
  // One that comes late, after its successor, is nothing to start with any more.
  if (slot.extended < up.keyframeStart) return false;
  noteKeyframe(up, slot, now);
  return true;
}

/** A decoder can start with this packet, and with none of its track that is newer. */
export function noteKeyframe(up: UpTrack, slot: Slot, now: f64): void {
  up.keyframeStart = slot.extended;
  up.keyframeAt = now;
  up.hasKeyframe = true;
  up.keyframeTimestamp = slot.timestamp;
}

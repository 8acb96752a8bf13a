/** RFC 6184: H.264 in RTP. */
import { readU16 } from '../bytes';

const IDR: u32 = 5;
const SEQUENCE_PARAMETER_SET: u32 = 7;
const STAP_A: u32 = 24;
const FU_A: u32 = 28;

/** Nothing a decoder can start with; an IDR slice; a sequence parameter set (with or without what follows it). */
export const NO_KEYFRAME = 0;
export const IDR_SLICE = 1;
export const PARAMETER_SETS = 2;

function classify(nalType: u32): i32 {
  if (nalType == SEQUENCE_PARAMETER_SET) return PARAMETER_SETS;
  return nalType == IDR ? IDR_SLICE : NO_KEYFRAME;
}

/** The best that begins in the payload: alone, aggregated or as the first fragment (5.6 to 5.8). */
export function classifyH264(payload: usize, length: i32): i32 {
  if (length < 1) return NO_KEYFRAME;
  const type: u32 = load<u8>(payload) & 0x1f;
  if (type == STAP_A) {
    let best = NO_KEYFRAME;
    for (let at = 1; at + 3 <= length; ) {
      best = max<i32>(best, classify(load<u8>(payload + at + 2) & 0x1f));
      at += 2 + <i32>readU16(payload + at);
    }
    return best;
  }
  if (type == FU_A) {
    if (length < 2) return NO_KEYFRAME;
    const header: u32 = load<u8>(payload + 1);
    return (header & 0x80) != 0 ? classify(header & 0x1f) : NO_KEYFRAME;
  }
  return classify(type);
}

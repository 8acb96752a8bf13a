/** RFC 6184: H.264 in RTP. */
import { readU16 } from '../bytes';

const IDR: u32 = 5;
const SEQUENCE_PARAMETER_SET: u32 = 7;
const STAP_A: u32 = 24;
const FU_A: u32 = 28;

function isOfKeyframe(nalType: u32): bool {
  return nalType == IDR || nalType == SEQUENCE_PARAMETER_SET;
}

/** True if an IDR slice or a sequence parameter set begins in the payload, alone or aggregated or fragmented (5.6 to 5.8). */
export function startsH264Keyframe(payload: usize, length: i32): bool {
  if (length < 1) return false;
  const type: u32 = load<u8>(payload) & 0x1f;
  if (type == STAP_A) {
    for (let at = 1; at + 3 <= length; ) {
      if (isOfKeyframe(load<u8>(payload + at + 2) & 0x1f)) return true;
      at += 2 + <i32>readU16(payload + at);
    }
    return false;
  }
  if (type == FU_A) {
    if (length < 2) return false;
    const header: u32 = load<u8>(payload + 1);
    return (header & 0x80) != 0 && isOfKeyframe(header & 0x1f);
  }
  return isOfKeyframe(type);
}

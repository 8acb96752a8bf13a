/** RFC 7741: VP8 in RTP. */

/** True for the first packet of a key frame: start of partition 0 (S, PID 0) whose frame header has P = 0 (4.2, 4.3). */
export function startsVp8Keyframe(payload: usize, length: i32): bool {
  if (length < 2) return false;
  const first: u32 = load<u8>(payload);
  if ((first & 0x10) == 0 || (first & 0x07) != 0) return false;
  let at = 1;
  if ((first & 0x80) != 0) {
    const extended: u32 = load<u8>(payload + at);
    at++;
    if ((extended & 0x80) != 0) {
      if (at >= length) return false;
      at += (load<u8>(payload + at) & 0x80) != 0 ? 2 : 1;
    }
    if ((extended & 0x40) != 0) at++;
    if ((extended & 0x30) != 0) at++;
  }
  return at < length && (load<u8>(payload + at) & 0x01) == 0;
}

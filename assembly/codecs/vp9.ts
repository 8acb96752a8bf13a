/** RFC 9628: VP9 in RTP. */

/** True for the first packet of a key frame: P = 0, B = 1, and the lowest spatial layer where layers are told (4.2). */
export function startsVp9Keyframe(payload: usize, length: i32): bool {
  if (length < 2) return false;
  const first: u32 = load<u8>(payload);
  if ((first & 0x40) != 0 || (first & 0x08) == 0) return false;
  let at = 1;
  if ((first & 0x80) != 0) at += (load<u8>(payload + at) & 0x80) != 0 ? 2 : 1;
  if ((first & 0x20) == 0) return at < length;
  // Layer indices: TID (3 bits), U, SID (3 bits), D.
  return at < length && (load<u8>(payload + at) & 0x0e) == 0;
}

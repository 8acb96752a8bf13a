/** RTP Payload Format For AV1 (v1.0, AOM). */

/** True for the first packet of a coded video sequence: N = 1 in the aggregation header, and Z = 0 with it (4.4). */
export function startsAv1Keyframe(payload: usize, length: i32): bool {
  if (length < 2) return false;
  return (load<u8>(payload) & 0x88) == 0x08;
}

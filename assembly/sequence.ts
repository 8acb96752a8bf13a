/** RFC 3550 A.1: where a 16-bit sequence number belongs among those of its source. */
import { MAX_DROPOUT, MAX_MISORDER } from './layout';

/** The answer for a number too far from the highest to belong to the same stretch of packets. */
export const JUMP: i64 = -1;

/** The first number of a source is extended to this or more, so that late ones before it are not negative. */
export const FIRST_CYCLE: i64 = 65536;

/**
 * Extends a sequence number by its rollovers: the candidate nearest to the highest seen, at most MAX_DROPOUT - 1 ahead
 * and at most MAX_MISORDER behind.
 *
 * @param highest the highest extended number so far, at least FIRST_CYCLE
 * @param sequence the wire value, 0..65535
 * @returns the extended number, or JUMP
 */
export function extendSequence(highest: i64, sequence: u32): i64 {
  const ahead = (sequence - <u32>highest) & 0xffff;
  if (ahead < <u32>MAX_DROPOUT) return highest + ahead;
  const behind: u32 = 65536 - ahead;
  if (behind <= <u32>MAX_MISORDER) return highest - behind;
  return JUMP;
}

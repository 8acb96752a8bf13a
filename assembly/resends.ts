/**
 * When packets were last sent to a down track late or again: an answer that may still be on its way is not repeated.
 * An entry has the sequence number's high bits, plus 1 (0: empty), and the low 22 bits of the time in milliseconds.
 */
import { RESEND_INTERVAL_LEAST_MS, RESEND_INTERVAL_MS, RESEND_SIZE, RESENDS, RESENDS_START } from './layout';
import { milliseconds } from './missing';
import { DownTrack } from './records';

const TIME_BITS: u32 = 22;
const TIME_MASK: u32 = (1 << TIME_BITS) - 1;

function entryOf(downIndex: i32, sequence: u32): usize {
  return RESENDS_START + (downIndex * RESENDS + <i32>(sequence & (RESENDS - 1))) * RESEND_SIZE;
}

function tagOf(sequence: u32): u32 {
  return (sequence & 0xffff) / RESENDS + 1;
}

export function clearResends(downIndex: i32): void {
  memory.fill(entryOf(downIndex, 0), 0, RESENDS * RESEND_SIZE);
}

export function noteResend(downIndex: i32, sequence: u32, now: f64): void {
  store<u32>(entryOf(downIndex, sequence), (tagOf(sequence) << TIME_BITS) | (milliseconds(now) & TIME_MASK));
}

/** Whether the subscriber can't have known yet what became of the packet when it asked for it. */
export function wasResentLately(downIndex: i32, down: DownTrack, sequence: u32, now: f64): bool {
  const entry = load<u32>(entryOf(downIndex, sequence));
  if (entry >> TIME_BITS != tagOf(sequence)) return false;
  const known = max<f64>(down.roundTripTime, RESEND_INTERVAL_LEAST_MS);
  const interval = down.roundTripTime > 0 ? known : <f64>RESEND_INTERVAL_MS;
  return <f64>((milliseconds(now) - entry) & TIME_MASK) < interval;
}

/** What a receiver report says of a source (RFC 3550 6.4.1, A.3, A.8). */
import { UpTrack } from './records';

/** Begins with the first packet of a source; what the former one lost stays counted. */
export function startReception(up: UpTrack, extended: i64): void {
  if (up.epoch != 0) up.lostBefore = lostInAll(up);
  up.base = extended;
  up.highest = extended;
  up.received = 0;
  up.expectedPrior = 0;
  up.receivedPrior = 0;
  up.hasTransit = false;
  up.jitter = 0;
}

/**
 * Counts a packet of the source, late ones and duplicates too.
 *
 * @param again it was sent again as we had asked: its way was longer than the network made it, and is no jitter
 */
export function countReception(up: UpTrack, extended: i64, timestamp: u32, now: f64, again: bool): void {
  if (extended > up.highest) up.highest = extended;
  up.received++;
  if (again) return;
  const arrival = <u32>(<i64>((now * <f64>up.clockRate) / 1000.0));
  const transit = arrival - timestamp;
  if (up.hasTransit) {
    const difference = abs<i32>(<i32>(transit - up.transit));
    up.jitter += <u32>difference - ((up.jitter + 8) >> 4);
  }
  up.hasTransit = true;
  up.transit = transit;
}

function expected(up: UpTrack): i64 {
  return up.highest - up.base + 1;
}

/** Packets missing now, of the present and earlier sources. */
export function lostInAll(up: UpTrack): u64 {
  const lost = expected(up) - <i64>up.received;
  return up.lostBefore + <u64>max<i64>(lost, 0);
}

/** Packets missing that were not told before; one that arrives after it was told does not count again. */
export function takeLost(up: UpTrack): u32 {
  if (up.epoch == 0) return 0;
  const lost = lostInAll(up);
  if (lost <= up.lostTold) return 0;
  const news = lost - up.lostTold;
  up.lostTold = lost;
  return <u32>min<u64>(news, 0x7fffffff);
}

/** Cumulative number of packets lost of the present source: 24 bits, signed. */
export function cumulativeLost(up: UpTrack): u32 {
  const lost = expected(up) - <i64>up.received;
  return <u32>max<i64>(min<i64>(lost, 0x7fffff), -0x800000) & 0xffffff;
}

/** The share lost since the last call, in 1/256: 0..255. Begins a new interval. */
export function takeFractionLost(up: UpTrack): u32 {
  const nowExpected = expected(up);
  const expectedInterval = nowExpected - <i64>up.expectedPrior;
  const lostInterval = expectedInterval - (<i64>up.received - <i64>up.receivedPrior);
  up.expectedPrior = nowExpected;
  up.receivedPrior = up.received;
  if (expectedInterval <= 0 || lostInterval <= 0) return 0;
  return <u32>min<i64>((lostInterval << 8) / expectedInterval, 255);
}

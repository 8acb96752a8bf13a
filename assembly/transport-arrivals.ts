/**
 * When the packets of each publisher's transport arrived, by transport-wide sequence number
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01): of both its tracks, retransmissions and probes. Kept with its video
 * track. Times are in quarters of a millisecond modulo 2^32, as the feedback has them; 0: not arrived.
 */
import { readU16 } from './bytes';
import { findElement } from './header-extensions';
import { ARRIVAL_SIZE, ARRIVALS, ARRIVALS_START, TRANSPORT_INTERVAL_MS, TRANSPORT_PACKETS_MAX } from './layout';
import { Slot, UpTrack } from './records';

/** The first number is extended to this or more, so that late ones before it are not negative. */
const FIRST_CYCLE: i64 = 65536;

function cellOf(upIndex: i32, number: i64): usize {
  return ARRIVALS_START + (upIndex * ARRIVALS + (<i32>number & (ARRIVALS - 1))) * ARRIVAL_SIZE;
}

export function arrivalOf(upIndex: i32, number: i64): u32 {
  return load<u32>(cellOf(upIndex, number));
}

/** Another PeerConnection counts anew. */
export function forgetArrivals(transport: UpTrack): void {
  transport.arrivalHighest = 0;
  transport.arrivalBase = 0;
}

/** Notes a packet by the number in its extension. */
export function noteArrival(upIndex: i32, transport: UpTrack, slot: Slot, extensionId: u32, now: f64): void {
  const data = findElement(slot, extensionId, 2);
  if (data == 0) return;
  const number = place(upIndex, transport, readU16(data));
  if (number == 0 || arrivalOf(upIndex, number) != 0) return;
  store<u32>(cellOf(upIndex, number), max<u32>(<u32>(<i64>(now * 4.0)), 1));
  // One that was told missing is told again, with those after it, as browsers' own receivers do.
  if (number < transport.arrivalBase) transport.arrivalBase = number;
}

/** Makes room for a number. @returns it, extended; 0: it is too old to be told */
function place(upIndex: i32, transport: UpTrack, wire: u32): i64 {
  const highest = transport.arrivalHighest;
  const ahead = <i64>(<i32>((wire - <u32>highest) << 16) >> 16);
  if (highest == 0 || ahead >= ARRIVALS) {
    const number = highest == 0 ? FIRST_CYCLE + wire : highest + ahead;
    memory.fill(cellOf(upIndex, 0), 0, ARRIVALS * ARRIVAL_SIZE);
    transport.arrivalHighest = number;
    transport.arrivalBase = number;
    return number;
  }
  const number = highest + ahead;
  if (ahead <= 0) return ahead > -ARRIVALS ? number : 0;
  for (let between = highest + 1; between <= number; between++) store<u32>(cellOf(upIndex, between), 0);
  transport.arrivalHighest = number;
  if (transport.arrivalBase <= number - ARRIVALS) transport.arrivalBase = number - ARRIVALS + 1;
  return number;
}

/** How many numbers the publisher was not told of yet; the record is not trusted to be right. */
export function untold(transport: UpTrack): i32 {
  if (transport.arrivalHighest == 0) return 0;
  return <i32>min<i64>(transport.arrivalHighest - transport.arrivalBase + 1, ARRIVALS);
}

export function mustTellArrivals(transport: UpTrack, now: f64): bool {
  const packets = untold(transport);
  if (packets <= 0) return false;
  return packets >= TRANSPORT_PACKETS_MAX || now - transport.arrivalsToldAt >= TRANSPORT_INTERVAL_MS;
}

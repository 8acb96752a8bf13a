/** Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1), from which senders estimate. */
import { REPORTER_SSRC, TRANSPORT_DELTAS_START, TRANSPORT_PACKETS_MAX, TRANSPORT_SYMBOLS_START } from './layout';
import { UpTrack } from './records';
import { TRANSPORT_FEEDBACK } from './rtcp-reader';
import {
  closePaddedPacket,
  openFeedback,
  outboxLength,
  outboxPosition,
  putHeader,
  putU8,
  putU16,
  putU32,
} from './rtcp-writer';
import { arrivalOf, mustTellArrivals, untold } from './transport-arrivals';
import { findUpTrack } from './up-tracks';

const TRANSPORT_WIDE: u32 = 15;
/** Status symbols (3.1.1). */
const MISSING: u32 = 0;
const SMALL: u32 = 1;
const LARGE: u32 = 2;
/** Symbols in a status vector chunk of one and of two bits each (3.1.4). */
const ONE_BIT: i32 = 14;
const TWO_BITS: i32 = 7;
/** Quarters of a millisecond in a unit of the reference time. */
const REFERENCE_UNIT: u32 = 256;

function symbolAt(position: i32): u32 {
  return load<u8>(TRANSPORT_SYMBOLS_START + position);
}

function deltaAt(position: i32): i32 {
  return load<i16>(TRANSPORT_DELTAS_START + (position << 1));
}

/** Which up track has the arrivals of a publisher: its video track, as it always has both; -1: none. */
export function transportIndex(upAudio: i32, upVideo: i32): i32 {
  return findUpTrack(upVideo) !== null ? upVideo : findUpTrack(upAudio) !== null ? upAudio : -1;
}

/** The first packet that arrived, of those to be told: its time in units of the reference time. */
function referenceTime(index: i32, transport: UpTrack): u32 {
  const packets = untold(transport);
  for (let i = 0; i < packets; i++) {
    const arrival = arrivalOf(index, transport.arrivalBase + i);
    if (arrival != 0) return arrival / REFERENCE_UNIT;
  }
  return 0;
}

/**
 * Works out symbols and deltas: each delta from the packet before it that arrived, the first from the reference time.
 *
 * @returns how many packets fit; the rest is told in the next feedback
 */
function collect(index: i32, transport: UpTrack, reference: u32): i32 {
  let former = reference * REFERENCE_UNIT;
  const packets = min<i32>(untold(transport), TRANSPORT_PACKETS_MAX);
  let size = 0;
  for (; size < packets; size++) {
    const arrival = arrivalOf(index, transport.arrivalBase + size);
    let symbol = MISSING;
    if (arrival != 0) {
      const delta = <i32>(arrival - former);
      if (delta > i16.MAX_VALUE || delta < i16.MIN_VALUE) break;
      symbol = <u32>delta <= 0xff ? SMALL : LARGE;
      store<i16>(TRANSPORT_DELTAS_START + (size << 1), <i16>delta);
      former = arrival;
    }
    store<u8>(TRANSPORT_SYMBOLS_START + size, <u8>symbol);
  }
  return size;
}

/** Equal symbols from a position on. */
function runLength(position: i32, size: i32): i32 {
  const symbol = symbolAt(position);
  let end = position + 1;
  while (end < size && symbolAt(end) == symbol) end++;
  return end - position;
}

function hasLarge(position: i32, end: i32): bool {
  for (let i = position; i < end; i++) if (symbolAt(i) == LARGE) return true;
  return false;
}

/** A status vector: symbols from the top bit down, zeros where there are no more. @returns how many it takes */
function putVector(position: i32, size: i32, symbols: i32): i32 {
  const bits = symbols == ONE_BIT ? 1 : 2;
  let chunk: u32 = symbols == ONE_BIT ? 0x8000 : 0xc000;
  const count = min<i32>(symbols, size - position);
  for (let i = 0; i < count; i++) chunk |= symbolAt(position + i) << (14 - bits - i * bits);
  putU16(chunk);
  return count;
}

/** 3.1.3 and 3.1.4: each chunk the kind that says most. */
function putChunks(size: i32): void {
  let position = 0;
  while (position < size) {
    const run = runLength(position, size);
    const vectorEnd = min<i32>(position + ONE_BIT, size);
    const large = hasLarge(position, vectorEnd);
    if (run >= ONE_BIT || position + run == size || (large && run >= TWO_BITS)) {
      putU16((symbolAt(position) << 13) | run);
      position += run;
    } else {
      position += putVector(position, size, large ? TWO_BITS : ONE_BIT);
    }
  }
}

function putDeltas(size: i32): void {
  for (let position = 0; position < size; position++) {
    const symbol = symbolAt(position);
    if (symbol == SMALL) putU8(<u32>deltaAt(position));
    else if (symbol == LARGE) putU16(<u32>deltaAt(position) & 0xffff);
  }
}

/**
 * Tells a publisher which of its packets arrived when, as a compound; the packets are told once.
 *
 * @returns the length in the outbox; 0: nothing to tell, or not yet
 */
export function transportFeedback(upAudio: i32, upVideo: i32, now: f64): i32 {
  const index = transportIndex(upAudio, upVideo);
  const transport = findUpTrack(index);
  if (transport === null || !mustTellArrivals(transport, now)) return 0;
  const reference = referenceTime(index, transport);
  const size = collect(index, transport, reference);
  if (size == 0) return 0;
  const audio = findUpTrack(upAudio);
  openFeedback();
  const start = outboxPosition();
  putHeader(TRANSPORT_WIDE, TRANSPORT_FEEDBACK, 20);
  putU32(REPORTER_SSRC);
  putU32(transport.hasSource || audio === null ? transport.ssrc : audio.ssrc);
  putU16(<u32>transport.arrivalBase & 0xffff);
  putU16(size);
  putU32((reference << 8) | transport.arrivalFeedbacks);
  putChunks(size);
  putDeltas(size);
  closePaddedPacket(start);
  transport.arrivalFeedbacks++;
  transport.arrivalBase += size;
  transport.arrivalsToldAt = now;
  return outboxLength();
}

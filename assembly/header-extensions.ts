/**
 * RFC 8285: header extension elements on their way through the relay. Those that end here (mid, transport-cc, unknown,
 * malformed, a second one of a kind) are turned into padding once, on arrival; the few that go on are noted in the
 * packet's slot and written anew for each subscriber.
 */
import { readU16, writeU16 } from './bytes';
import { EXTENSION_ABS_SEND_TIME, EXTENSION_PLAYOUT_DELAY, EXTENSIONS, PACKET_CAPACITY } from './layout';
import { Slot } from './records';
import { extensionEnd, extensionStart } from './rtp-header';
import { bytesOf } from './slots';

const ONE_BYTE_FORM: u32 = 0xbede;
const TWO_BYTE_FORM: u32 = 0x1000;

function offsetAddress(slot: Slot, extension: i32): usize {
  return changetype<usize>(slot) + offsetof<Slot>('extensionOffset0') + (extension << 1);
}

function dataAddress(slot: Slot, extension: i32): usize {
  return changetype<usize>(slot) + offsetof<Slot>('extensionData0') + (extension << 2);
}

/** Bytes of data that an extension has: audio level 1, abs-send-time 3, video orientation 1, playout delay 3. */
function lengthOf(extension: i32): i32 {
  return extension == EXTENSION_ABS_SEND_TIME || extension == EXTENSION_PLAYOUT_DELAY ? 3 : 1;
}

function idOf(extensionIds: u32, extension: i32): u32 {
  return (extensionIds >> (extension << 3)) & 0xff;
}

/** @returns the EXTENSION_ index, or -1 if an element of that id and length doesn't pass the relay */
function recognize(extensionIds: u32, id: u32, length: i32): i32 {
  for (let extension = 0; extension < EXTENSIONS; extension++) {
    if (idOf(extensionIds, extension) == id) return length == lengthOf(extension) ? extension : -1;
  }
  return -1;
}

/**
 * Notes the elements of a parsed packet that go on, and blanks all others.
 *
 * @param extensionIds the publisher's ids, one byte per EXTENSION_ index
 */
export function admitExtensions(slot: Slot, extensionIds: u32): void {
  for (let extension = 0; extension < EXTENSIONS; extension++) store<u16>(offsetAddress(slot, extension), 0);
  slot.twoByteExtensions = false;
  if (extensionStart == 0) return;
  const packet = bytesOf(slot);
  const end = extensionEnd;
  let at = extensionStart;
  const profile = readU16(packet + at - 4);
  const twoByte = (profile & 0xfff0) == TWO_BYTE_FORM;
  slot.twoByteExtensions = twoByte;
  if (!twoByte && profile != ONE_BYTE_FORM) {
    // A form that nobody here can read: it becomes an empty block of a known one.
    writeU16(packet + at - 4, ONE_BYTE_FORM);
    memory.fill(packet + at, 0, end - at);
    return;
  }
  const headerLength = twoByte ? 2 : 1;
  while (at < end) {
    const first: u32 = load<u8>(packet + at);
    const id = twoByte ? first : first >> 4;
    if (id == 0 && (twoByte || first == 0)) {
      at++;
      continue;
    }
    // One-byte form: 15 ends the block, and so does 0 with a length (RFC 8285 4.2).
    if (!twoByte && (id == 0 || id == 15)) break;
    if (at + headerLength > end) break;
    const length = twoByte ? <i32>load<u8>(packet + at + 1) : <i32>(first & 0x0f) + 1;
    const next = at + headerLength + length;
    if (next > end) break;
    const extension = recognize(extensionIds, id, length);
    if (extension >= 0 && load<u16>(offsetAddress(slot, extension)) == 0) {
      store<u16>(offsetAddress(slot, extension), <u16>at);
      let data: u32 = 0;
      for (let i = 0; i < length; i++) data |= (<u32>load<u8>(packet + at + headerLength + i)) << (i << 3);
      store<u32>(dataAddress(slot, extension), data);
    }
    at = next;
  }
  layOut(slot, headerLength);
}

/** What playout delay has for data where the publisher sent none: then only subscribers of whom we want one get it. */
const NO_DELAY: u32 = 0xffffffff;
/** Where both have one place only, one packet of so many has the delay, a power of two: receivers remember it. */
const DELAY_INTERVAL: i64 = 16;

/**
 * Gives the noted elements their places in the block, one after the other from its start. Behind them, if there is room,
 * come two that the server itself may have for subscribers where the publisher sent none: abs-send-time, which publishers
 * with transport-cc leave out and subscribers estimate their line by, and playout delay; or one place for both in turn. All
 * else becomes padding.
 */
function layOut(slot: Slot, headerLength: i32): void {
  const packet = bytesOf(slot);
  const end = extensionEnd;
  memory.fill(packet + extensionStart, 0, end - extensionStart);
  let at = extensionStart;
  for (let extension = 0; extension < EXTENSIONS; extension++) {
    if (load<u16>(offsetAddress(slot, extension)) == 0) continue;
    store<u16>(offsetAddress(slot, extension), <u16>at);
    at += headerLength + lengthOf(extension);
  }
  const next = addElement(slot, EXTENSION_ABS_SEND_TIME, at, end, headerLength);
  if (load<u16>(offsetAddress(slot, EXTENSION_PLAYOUT_DELAY)) != 0) return;
  store<u32>(dataAddress(slot, EXTENSION_PLAYOUT_DELAY), NO_DELAY);
  if (addElement(slot, EXTENSION_PLAYOUT_DELAY, next, end, headerLength) == next && next > at) {
    store<u16>(offsetAddress(slot, EXTENSION_PLAYOUT_DELAY), <u16>at);
  }
}

/** Whether an element that shares its place is not the one that is written there. */
function givesWay(slot: Slot, extension: i32, extensionIds: u32, delay: u32): bool {
  const place = load<u16>(offsetAddress(slot, EXTENSION_ABS_SEND_TIME));
  if (place == 0 || place != load<u16>(offsetAddress(slot, EXTENSION_PLAYOUT_DELAY))) return false;
  const tellsDelay =
    delay != 0 && idOf(extensionIds, EXTENSION_PLAYOUT_DELAY) != 0 && (slot.extended & (DELAY_INTERVAL - 1)) == 0;
  return extension == (tellsDelay ? EXTENSION_ABS_SEND_TIME : EXTENSION_PLAYOUT_DELAY);
}

/** Gives an absent element a place, if there is room. @returns where the next one may lie */
function addElement(slot: Slot, extension: i32, at: i32, end: i32, headerLength: i32): i32 {
  const next = at + headerLength + lengthOf(extension);
  if (load<u16>(offsetAddress(slot, extension)) != 0 || next > end) return at;
  store<u16>(offsetAddress(slot, extension), <u16>at);
  return next;
}

/**
 * Looks for an element in the block of the packet that was parsed last.
 *
 * @returns where its data are; 0: there is none of that id and length
 */
export function findElement(slot: Slot, wanted: u32, wantedLength: i32): usize {
  if (extensionStart == 0) return 0;
  const packet = bytesOf(slot);
  const profile = readU16(packet + extensionStart - 4);
  const twoByte = (profile & 0xfff0) == TWO_BYTE_FORM;
  if (!twoByte && profile != ONE_BYTE_FORM) return 0;
  const headerLength = twoByte ? 2 : 1;
  let at = extensionStart;
  while (at + headerLength < extensionEnd) {
    const first: u32 = load<u8>(packet + at);
    const id = twoByte ? first : first >> 4;
    if (id == 0 && (twoByte || first == 0)) {
      at++;
      continue;
    }
    if (!twoByte && (id == 0 || id == 15)) return 0;
    const length = twoByte ? <i32>load<u8>(packet + at + 1) : <i32>(first & 0x0f) + 1;
    const data = at + headerLength;
    at = data + length;
    if (id == wanted && length == wantedLength && at <= extensionEnd) return packet + data;
  }
  return 0;
}

/** abs-send-time: seconds as 6.18 fixed point, the low 24 bits, in the order of its bytes. */
function absoluteSendTime(now: f64): u32 {
  const time = <u32>(<i64>((now * 262144.0) / 1000.0));
  return bswap<u32>(time << 8);
}

/**
 * Writes the noted elements with the subscriber's ids; one that it doesn't know becomes padding.
 *
 * @param delay the data of a playout delay of our own for this subscriber; 0: none
 */
export function writeExtensions(slot: Slot, extensionIds: u32, delay: u32, now: f64): void {
  // Four offsets of 16 bits: mostly there are none.
  if (load<u64>(offsetAddress(slot, 0)) == 0) return;
  const twoByte = slot.twoByteExtensions;
  const headerLength = twoByte ? 2 : 1;
  const end = min<u32>(slot.headerLength, PACKET_CAPACITY);
  for (let extension = 0; extension < EXTENSIONS; extension++) {
    const offset: u32 = load<u16>(offsetAddress(slot, extension));
    const length = lengthOf(extension);
    if (offset == 0 || offset + headerLength + length > end) continue;
    if (givesWay(slot, extension, extensionIds, delay)) continue;
    let at = bytesOf(slot) + offset;
    const id = idOf(extensionIds, extension);
    let data = load<u32>(dataAddress(slot, extension));
    if (extension == EXTENSION_ABS_SEND_TIME) data = absoluteSendTime(now);
    if (extension == EXTENSION_PLAYOUT_DELAY && delay != 0) data = delay;
    if (id == 0 || (!twoByte && id > 14) || data == NO_DELAY) {
      memory.fill(at, 0, headerLength + length);
      continue;
    }
    if (twoByte) {
      store<u8>(at, <u8>id);
      store<u8>(at + 1, <u8>length);
    } else {
      store<u8>(at, <u8>((id << 4) | (length - 1)));
    }
    at += headerLength;
    store<u8>(at, <u8>data);
    if (length == 3) {
      store<u8>(at + 1, <u8>(data >> 8));
      store<u8>(at + 2, <u8>(data >> 16));
    }
  }
}

/** What becomes of each RTP packet: in from the publisher, out to each subscriber. */
import { isBlocked } from './blocks';
import { readU16, readU32, writeU16, writeU32 } from './bytes';
import { setCell } from './cells';
import { count, drop } from './counters';
import { findDownTrack } from './down-tracks';
import { admitExtensions, writeExtensions } from './header-extensions';
import { noteKeyframe, startsKeyframe } from './keyframe';
import {
  CELL_ADMITTED_KEYFRAME,
  CELL_ADMITTED_LATE,
  CELL_ADMITTED_TRACK,
  CELL_FEEDBACK_DUE,
  CELL_INBOX,
  CELL_PACKET,
  CELL_PACKET_LENGTH,
  COUNTER_ADMITTED,
  COUNTER_BYTES_FORWARDED,
  COUNTER_BYTES_RECEIVED,
  COUNTER_FORWARDED,
  COUNTER_KEYFRAMES,
  COUNTER_MIRRORED,
  COUNTER_RECEIVED,
  DOWN_TRACKS_MAX,
  DROP_BLOCKED,
  DROP_DUPLICATE,
  DROP_INACTIVE,
  DROP_LATE,
  DROP_NO_MEMORY,
  DROP_NOT_JOINED,
  DROP_NOT_SUBSCRIBED,
  DROP_PAUSED,
  DROP_RTX,
  DROP_SHED,
  DROP_UNKNOWN_PAYLOAD_TYPE,
  DROP_WAITING_FOR_KEYFRAME,
  FEEDBACK_ARRIVALS,
  FEEDBACK_LOSSES,
  FORWARD,
  KIND_AUDIO,
  KIND_VIDEO,
  RESEND_CREDIT_MAX,
} from './layout';
import { noteLoudness } from './loudness';
import { mustAsk, noteMissing, takeMissing } from './missing';
import { historyCell, putInCell, slotInCell } from './packet-history';
import { countReception } from './reception-stats';
import { DownTrack, Segment, Slot, UpTrack } from './records';
import { parseRtpHeader } from './rtp-header';
import { belongsToFormer, mustStart, placeInSegment, presentSegment, startSegment } from './rtp-munger';
import { adoptMirrored, belongsToSource, extendedSequence } from './rtp-source';
import { originalSequence, unwrap } from './rtx';
import { extendSequence, JUMP } from './sequence';
import { isShed } from './shedding';
import { bytesOf, findSlot, takeSlot } from './slots';
import { mustTellArrivals, noteArrival } from './transport-arrivals';
import { transportIndex } from './transport-feedback';
import { findUpTrack } from './up-tracks';

/** The slot into which the host puts the next packet. */
let inbox: usize = 0;
/** The packet that translate() is about. */
let admittedSlot: usize = 0;
let admittedTrack: i32 = -1;

function setInbox(slot: Slot): void {
  inbox = changetype<usize>(slot);
  setCell(CELL_INBOX, <i32>bytesOf(slot));
}

/** @returns false if the memory has no room for a single packet */
export function openInbox(): bool {
  const slot = takeSlot();
  if (slot === null) return false;
  setInbox(slot);
  return true;
}

function hasPayloadType(index: i32, payloadType: u8): bool {
  const up = findUpTrack(index);
  return up !== null && up.configured && up.payloadType == payloadType;
}

function hasRtxPayloadType(index: i32, payloadType: u8): bool {
  const up = findUpTrack(index);
  return up !== null && up.configured && up.rtxPayloadType == payloadType;
}

/** Takes the packet in the inbox; admit() does the deciding, here it is counted. */
export function receive(upAudio: i32, upVideo: i32, length: i32, now: f64): i32 {
  count(COUNTER_RECEIVED);
  count(COUNTER_BYTES_RECEIVED, <u64>max<i32>(length, 0));
  admittedSlot = 0;
  admittedTrack = -1;
  const verdict = admit(upAudio, upVideo, length, now);
  setCell(CELL_ADMITTED_TRACK, admittedTrack);
  setCell(CELL_FEEDBACK_DUE, feedbackDue(upAudio, upVideo, now));
  count(verdict == FORWARD ? COUNTER_ADMITTED : verdict);
  return verdict;
}

/** What the publisher of a packet should be told of now: FEEDBACK_ bits. */
function feedbackDue(upAudio: i32, upVideo: i32, now: f64): i32 {
  let due = 0;
  const video = findUpTrack(upVideo);
  if (video !== null && mustAsk(video, now)) due |= FEEDBACK_LOSSES;
  const transport = findUpTrack(transportIndex(upAudio, upVideo));
  if (transport !== null && mustTellArrivals(transport, now)) due |= FEEDBACK_ARRIVALS;
  return due;
}

/** Notes when a packet of a publisher arrived, whatever becomes of it. */
function noteTransport(upAudio: i32, upVideo: i32, index: i32, slot: Slot, now: f64): void {
  const up = findUpTrack(index);
  if (up === null || up.transportCcId == 0) return;
  const transport = transportIndex(upAudio, upVideo);
  const record = findUpTrack(transport);
  if (record !== null) noteArrival(transport, record, slot, up.transportCcId, now);
}

function admit(upAudio: i32, upVideo: i32, length: i32, now: f64): i32 {
  const slot = findSlot(inbox);
  if (slot === null) return DROP_NO_MEMORY;
  const malformed = parseRtpHeader(slot, length);
  if (malformed != FORWARD) return malformed;
  const packet = bytesOf(slot);
  const payloadType = <u8>(load<u8>(packet + 1) & 0x7f);
  let index = -1;
  if (hasPayloadType(upVideo, payloadType)) index = upVideo;
  else if (hasPayloadType(upAudio, payloadType)) index = upAudio;
  let rtx = -1;
  if (index < 0) {
    if (hasRtxPayloadType(upVideo, payloadType)) rtx = upVideo;
    else if (hasRtxPayloadType(upAudio, payloadType)) rtx = upAudio;
  }
  noteTransport(upAudio, upVideo, max<i32>(index, rtx), slot, now);
  if (rtx >= 0) return admitRetransmission(rtx, slot, now);
  const up = findUpTrack(index);
  if (up === null) return DROP_UNKNOWN_PAYLOAD_TYPE;
  const foreign = belongsToSource(up, readU32(packet + 8), readU16(packet + 2), slot.timestamp, now);
  if (foreign != FORWARD) return foreign;
  slot.extended = extendedSequence;
  slot.epoch = up.epoch;
  let again = false;
  if (slot.extended > up.highest) noteMissing(index, up, slot.extended, now);
  else again = takeMissing(index, up, slot.extended, false, now) > 0;
  countReception(up, slot.extended, slot.timestamp, now, again);
  up.packets++;
  up.octets += slot.length;
  return accept(index, up, slot, now);
}

/** A packet of a retransmission stream: what it holds goes the way of any late packet, if it is missing. */
function admitRetransmission(index: i32, slot: Slot, now: f64): i32 {
  const up = findUpTrack(index);
  if (up === null || !up.hasSource || !unwrap(slot)) return DROP_RTX;
  const extended = extendSequence(up.highest, originalSequence);
  // What was not missed came before, or was given up, or is of a former source.
  if (extended == JUMP || takeMissing(index, up, extended, true, now) < 0) return DROP_DUPLICATE;
  slot.extended = extended;
  slot.epoch = up.epoch;
  return accept(index, up, slot, now);
}

/** Keeps a packet whose place is known, and looks into it. */
function accept(index: i32, up: UpTrack, slot: Slot, now: f64): i32 {
  const misplaced = keep(index, up, slot);
  if (misplaced != FORWARD) return misplaced;
  admitExtensions(slot, up.extensionIds);
  if (up.kind == KIND_AUDIO) noteLoudness(up, slot);
  slot.keyframe = up.kind == KIND_VIDEO && startsKeyframe(up, slot, now);
  if (slot.keyframe) count(COUNTER_KEYFRAMES);
  return makeReady(index, up, slot, now);
}

/** Makes a packet that is kept ready for subscribers. */
function makeReady(index: i32, up: UpTrack, slot: Slot, now: f64): i32 {
  up.lastPacketAt = now;
  if (slot.keyframe) up.keyframes++;
  if (up.user == 0) return DROP_NOT_JOINED;
  admittedSlot = changetype<usize>(slot);
  admittedTrack = index;
  setCell(CELL_ADMITTED_KEYFRAME, slot.keyframe ? 1 : 0);
  setCell(CELL_ADMITTED_LATE, slot.extended < up.highest ? 1 : 0);
  setCell(CELL_PACKET, <i32>bytesOf(slot));
  setCell(CELL_PACKET_LENGTH, slot.length);
  return FORWARD;
}

/**
 * Takes a packet that another shard has admitted (mirror.ts); what that one found out of it is not decided anew.
 *
 * @param index a track that mirrors the publisher's
 * @param epoch of its source there
 * @param extended its extended sequence number there
 */
export function receiveMirrored(index: i32, length: i32, epoch: u32, extended: f64, keyframe: i32, now: f64): i32 {
  count(COUNTER_MIRRORED);
  admittedSlot = 0;
  admittedTrack = -1;
  const verdict = admitMirrored(index, length, epoch, <i64>extended, keyframe != 0, now);
  setCell(CELL_ADMITTED_TRACK, admittedTrack);
  setCell(CELL_FEEDBACK_DUE, 0);
  if (verdict != FORWARD) count(verdict);
  return verdict;
}

function admitMirrored(index: i32, length: i32, epoch: u32, extended: i64, keyframe: bool, now: f64): i32 {
  const slot = findSlot(inbox);
  if (slot === null) return DROP_NO_MEMORY;
  const malformed = parseRtpHeader(slot, length);
  if (malformed != FORWARD) return malformed;
  const up = findUpTrack(index);
  if (up === null || !up.configured) return DROP_UNKNOWN_PAYLOAD_TYPE;
  if (!up.hasSource || up.epoch != epoch) adoptMirrored(up, readU32(bytesOf(slot) + 8), extended, epoch);
  slot.extended = extended;
  slot.epoch = epoch;
  countReception(up, extended, slot.timestamp, now, true);
  up.packets++;
  up.octets += slot.length;
  const misplaced = keep(index, up, slot);
  if (misplaced != FORWARD) return misplaced;
  admitExtensions(slot, up.extensionIds);
  slot.keyframe = keyframe;
  if (keyframe) noteKeyframe(up, slot, now);
  return makeReady(index, up, slot, now);
}

/** The packet that was admitted last, for those who write it anew; null if there is none. */
export function admittedPacket(): Slot | null {
  return findSlot(admittedSlot);
}

/** Moves the inbox's slot into the history; the slot it replaces there, or a new one, becomes the inbox. */
function keep(index: i32, up: UpTrack, slot: Slot): i32 {
  const cell = historyCell(index, up, slot.extended);
  const former = slotInCell(cell);
  if (former === null) {
    const next = takeSlot();
    if (next === null) return DROP_NO_MEMORY;
    putInCell(cell, slot);
    setInbox(next);
    return FORWARD;
  }
  if (former.epoch == up.epoch) {
    if (former.extended == slot.extended) return DROP_DUPLICATE;
    if (former.extended > slot.extended) return DROP_LATE;
  }
  putInCell(cell, slot);
  setInbox(former);
  return FORWARD;
}

/** Rewrites the admitted packet for one subscriber. */
export function translate(downIndex: i32, now: f64): i32 {
  const down = findDownTrack(downIndex);
  if (down === null || down.up != admittedTrack) return drop(DROP_NOT_SUBSCRIBED);
  const up = findUpTrack(admittedTrack);
  const slot = findSlot(admittedSlot);
  if (up === null || slot === null) return drop(DROP_NOT_SUBSCRIBED);
  if (!down.active) return drop(DROP_INACTIVE);
  if (isBlocked(up.user, down.user)) {
    down.suspended = true;
    return drop(DROP_BLOCKED);
  }
  if (down.paused) return drop(DROP_PAUSED);
  if (isShed(up, downIndex)) {
    down.suspended = true;
    return drop(DROP_SHED);
  }
  if (mustStart(down, up)) {
    if (belongsToFormer(down, up, slot)) return drop(DROP_LATE);
    // What follows a late keyframe was dropped here: replay.ts starts with it, when all of it has come.
    if (up.kind == KIND_VIDEO && (!slot.keyframe || slot.extended < up.highest)) return drop(DROP_WAITING_FOR_KEYFRAME);
    startSegment(down, up, slot, now);
  }
  const late = placeInSegment(downIndex, down, slot, now);
  if (late != FORWARD) return drop(late);
  writeForSubscriber(slot, down, presentSegment(down), now);
  countForwarded(slot, down);
  return FORWARD;
}

/** Writes header and extensions as the subscriber gets them in this segment. */
export function writeForSubscriber(slot: Slot, down: DownTrack, segment: Segment, now: f64): void {
  const packet = bytesOf(slot);
  store<u8>(packet + 1, down.payloadType | (slot.marker ? 0x80 : 0));
  writeU16(packet + 2, <u32>(slot.extended + segment.offset));
  writeU32(packet + 4, slot.timestamp + segment.timestampOffset);
  writeU32(packet + 8, down.ssrc);
  writeExtensions(slot, down.extensionIds, down.playoutDelay, now);
  count(COUNTER_BYTES_FORWARDED, slot.length);
}

/** Counts a packet of the stream as sent (RFC 3550 6.4.1). */
export function countSent(slot: Slot, down: DownTrack): void {
  down.packetsSent++;
  down.octetsSent += slot.payloadLength;
}

/** Counts a packet that was sent for the first time: one more may be sent again. */
export function countForwarded(slot: Slot, down: DownTrack): void {
  countSent(slot, down);
  if (down.resendCredit < <u32>RESEND_CREDIT_MAX) down.resendCredit++;
  count(COUNTER_FORWARDED);
}

/** Video tracks that get what comes, below an up track that can't go on without a keyframe. */
export function waitingForKeyframe(index: i32): i32 {
  const up = findUpTrack(index);
  if (up === null || up.kind != KIND_VIDEO) return 0;
  let waiting = 0;
  let downIndex = up.firstDown;
  for (let rest = DOWN_TRACKS_MAX; rest > 0; rest--) {
    const down = findDownTrack(downIndex);
    if (down === null) break;
    const gets = down.active && !down.paused && !isShed(up, downIndex) && !isBlocked(up.user, down.user);
    if (gets && mustStart(down, up)) waiting++;
    downIndex = down.next;
  }
  return waiting;
}

/** The records in the tables of layout.ts. Their sizes are compared with the layout when they are compiled. */
import {
  DOWN_TRACK_SEGMENTS,
  DOWN_TRACK_SIZE,
  MISSING_SIZE,
  SEGMENT_SIZE,
  SEGMENTS,
  SLOT_RECORD_SIZE,
  UP_TRACK_SIZE,
} from './layout';

/** One audio or video stream of a publisher. */
@unmanaged
export class UpTrack {
  /** Milliseconds; 0 before the first packet. */
  lastPacketAt: f64;
  /** When the last sender report came, in milliseconds. */
  reportedAt: f64;
  /** First and highest sequence number of the present source, with its rollovers counted from 1 << 16. */
  base: i64;
  highest: i64;
  /** Packets of the present source as they arrived, duplicates too (RFC 3550 A.3). */
  received: u64;
  expectedPrior: u64;
  receivedPrior: u64;
  /** Packets missing from earlier sources, and how many of all missing ones takeLost has told. */
  lostBefore: u64;
  lostTold: u64;
  /** Packets and bytes of all its sources as they arrived, duplicates too. */
  packets: u64;
  octets: u64;
  /** Where the newest keyframe of the present source starts; 0: none. */
  keyframeStart: i64;
  /** When it came, in milliseconds. */
  keyframeAt: f64;
  /** The oldest missing packet that was not asked for yet; 0: none. */
  unasked: i64;
  /** When the next missing packet is to be asked for, in milliseconds. */
  askAt: f64;
  /** Milliseconds that a gap may be reordering. */
  patience: f64;
  /** Round-trip time to the publisher and its mean deviation, milliseconds; 0: unknown. */
  roundTripTime: f64;
  roundTripDeviation: f64;
  /** Transport-wide sequence numbers, extended: the highest that arrived (0: none), and the first that was not told. */
  arrivalHighest: i64;
  arrivalBase: i64;
  /** When arrivals were told last, in milliseconds. */
  arrivalsToldAt: f64;

  user: u32;
  clockRate: u32;
  ssrc: u32;
  /** Counts sources: another SSRC, a restart or another codec is another epoch. 0 before the first. */
  epoch: u32;
  /** What the SDP says the source will be; 0: nothing. */
  declaredSsrc: u32;
  candidateSsrc: u32;
  /** The timestamp of the last packet that was dropped to wait for a second one: its frame has lost its start. */
  candidateTimestamp: u32;
  /** The sequence number that would confirm the candidate; -1: no candidate. */
  candidateNext: i32;
  /** The sequence number that would confirm a restart of the present source (RFC 3550 A.1); -1: none. */
  jumpNext: i32;
  /** RFC 3550 A.8: transit time, and jitter times 16, in timestamp units. */
  transit: u32;
  jitter: u32;
  /** The last sender report (RFC 3550 6.4.1). */
  reportNtpHigh: u32;
  reportNtpLow: u32;
  reportTimestamp: u32;
  /** The frame whose keyframe start was seen, or lost, last. */
  keyframeTimestamp: u32;
  firstDown: i32;
  nextFree: i32;
  /** Keyframes that came, and those that were asked for. */
  keyframes: u32;
  keyframeRequests: u32;
  /** Entries of its list of missing packets. */
  missing: u32;
  /** Packets that we asked for, as often as we did, and those that came. */
  asked: u32;
  recovered: u32;
  /** Packets given up that the host was not told of. */
  givenUp: u32;

  used: bool;
  configured: bool;
  /** Whether packets that are missing can be asked for. */
  asks: bool;
  hasSource: bool;
  hasTransit: bool;
  hasReport: bool;
  hasKeyframe: bool;
  /** The source sends H.264 parameter sets in band, so a keyframe starts with them. */
  hasParameterSets: bool;
  kind: u8;
  codec: u8;
  payloadType: u8;
  /** 255: none. */
  rtxPayloadType: u8;
  firSequence: u8;
  /** Id of the transport-wide sequence number's header extension; 0: not negotiated. */
  transportCcId: u8;
  /** Counts the feedback about arrivals. */
  arrivalFeedbacks: u8;
  /** 127 plus the loudest level (RFC 6464, dBov) since takeLoudness(). */
  loudness: u8;
  /** Ids of the publisher's header extensions by EXTENSION_ index, 0: not negotiated. */
  extensionIds: u32;
}

/** A packet that is missing from an up track. Times are milliseconds modulo 2^32. */
@unmanaged
export class Missing {
  /** Extended, modulo 2^32. */
  sequence: u32;
  since: u32;
  /** When it was asked for last, and how often it was. */
  askedAt: u32;
  times: u32;
}

/** A stretch of a down track in which sequence numbers and timestamps differ from the publisher's by the same amounts. */
@unmanaged
export class Segment {
  /** The publisher's extended sequence number with which it starts. */
  first: i64;
  /** Added to the publisher's extended sequence number. */
  offset: i64;
  epoch: u32;
  /** Added to the publisher's timestamp, modulo 2^32. */
  timestampOffset: u32;
}

/** What one subscriber gets of one up track. */
@unmanaged
export class DownTrack {
  /** When the packet with the highest sequence number was sent, in milliseconds. */
  lastSentAt: f64;
  /** Milliseconds; 0: unknown. */
  roundTripTime: f64;
  /** When the last two sender reports were sent, and the middle of their NTP times (RFC 3550 6.4.1 LSR). */
  reportSentAt: f64;
  earlierReportSentAt: f64;
  /** The highest sequence number sent, extended. */
  highest: i64;
  /** Packets that receiver reports called lost in all, at their highest, and those not yet told. */
  lostReported: i64;
  lostPending: i64;

  ssrc: u32;
  user: u32;
  up: i32;
  previous: i32;
  next: i32;
  packetsSent: u32;
  octetsSent: u32;
  lastTimestamp: u32;
  reportMiddle: u32;
  earlierReportMiddle: u32;
  nextFree: i32;
  /** Packets that may be sent again. */
  resendCredit: u32;
  /** Packets that its subscriber asked for again, those of them that were sent, and its requests for a keyframe. */
  nacks: u32;
  retransmissions: u32;
  keyframeRequests: u32;
  /** Interarrival jitter as its subscriber reported it last, in timestamp units (RFC 3550 6.4.1). */
  reportedJitter: u32;
  extensionIds: u32;
  /** Data of the playout delay that the subscriber is told to keep, as its bytes lie in memory; 0: none of ours. */
  playoutDelay: u32;
  /** Its retransmission stream (RFC 4588), and how many packets were sent in it. */
  rtxSsrc: u32;
  rtxSent: u32;

  used: bool;
  active: bool;
  /** It must start a new segment, video with a keyframe. */
  suspended: bool;
  /** Its line can't carry it: it gets nothing, and then starts as after a block. */
  paused: bool;
  payloadType: u8;
  /** 255: no retransmission stream. */
  rtxPayloadType: u8;
  newestSegment: u8;
  segmentCount: u8;

  /** The first word of SEGMENTS Segment records (a field of that type would be a pointer). */
  segments: u64;
}

/** What is known of a packet in its slot: its header as the publisher sent it, since the bytes are rewritten in place. */
@unmanaged
export class Slot {
  extended: i64;
  nextFree: usize;
  epoch: u32;
  timestamp: u32;
  /** Bytes: whole packet, header with CSRC and extension, payload without padding. */
  length: u16;
  headerLength: u16;
  payloadLength: u16;
  marker: bool;
  keyframe: bool;
  twoByteExtensions: bool;
  /** By EXTENSION_ index: where the element starts in the packet (0: absent), and its data, at most 3 bytes. */
  extensionOffset0: u16;
  extensionOffset1: u16;
  extensionOffset2: u16;
  extensionOffset3: u16;
  extensionData0: u32;
  extensionData1: u32;
  extensionData2: u32;
  extensionData3: u32;
}

if (offsetof<UpTrack>() > <usize>UP_TRACK_SIZE) ERROR('UP_TRACK_SIZE is too small');
if (offsetof<Missing>() != MISSING_SIZE) ERROR('MISSING_SIZE is not the size of a Missing');
if (offsetof<Segment>() != SEGMENT_SIZE) ERROR('SEGMENT_SIZE is not the size of a Segment');
if (offsetof<DownTrack>('segments') != DOWN_TRACK_SEGMENTS) ERROR('DOWN_TRACK_SEGMENTS is not where the segments lie');
if (DOWN_TRACK_SEGMENTS + SEGMENTS * SEGMENT_SIZE > DOWN_TRACK_SIZE) ERROR('DOWN_TRACK_SIZE is too small');
if (offsetof<Slot>() > <usize>SLOT_RECORD_SIZE) ERROR('SLOT_RECORD_SIZE is too small');

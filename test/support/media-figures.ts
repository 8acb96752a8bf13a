/** What a browser's getStats says of one end of a call, and what people see and hear of it in a span of time. */

/** One RTP stream of getStats; a browser leaves out what doesn't apply. */
export interface StreamReport {
  bytesReceived?: number;
  bytesSent?: number;
  packetsReceived?: number;
  packetsSent?: number;
  packetsLost?: number;
  retransmittedPacketsReceived?: number;
  retransmittedPacketsSent?: number;
  framesDecoded?: number;
  framesSent?: number;
  keyFramesDecoded?: number;
  freezeCount?: number;
  totalFreezesDuration?: number;
  nackCount?: number;
  pliCount?: number;
  firCount?: number;
  concealedSamples?: number;
  totalSamplesReceived?: number;
  frameWidth?: number;
  frameHeight?: number;
  targetBitrate?: number;
  qualityLimitationReason?: string;
  encoderImplementation?: string;
  decoderImplementation?: string;
}

/** Totals since the beginning of a call; `at` is the page's performance.now(). */
export interface MediaTotals {
  at: number;
  inbound: { video: StreamReport; audio: StreamReport };
  outbound: { video: StreamReport; audio: StreamReport };
  codec: string;
  /** bit/s; 0: the browser has no estimate. */
  availableOutgoingBitrate: number;
  /** Seconds. */
  roundTripTime: number;
}

/** A span of time at the receiving end. */
export interface Viewed {
  framesPerSecond: number;
  /** Seconds in gaps between frames that one sees as a freeze. */
  secondsFrozen: number;
  /** The same by the browser's own count, which starts with the next frame: a picture that never comes back has none. */
  secondsFrozenReported: number;
  keyframeRequests: number;
  nacks: number;
  /** Share of all samples that had to be made up, 0..1. */
  audioConcealed: number;
  /** bit/s of RTP payload, audio and video. */
  bitrate: number;
  packetsLost: number;
  packetsRetransmitted: number;
  width: number;
}

/** A span of time at the sending end. */
export interface Sent {
  framesPerSecond: number;
  /** bit/s of RTP payload, audio and video. */
  bitrate: number;
  /** Received from the other end. */
  keyframeRequests: number;
  nacks: number;
  packetsRetransmitted: number;
  width: number;
}

/** Milliseconds: a gap is a freeze from three times a frame's usual time, but not below this. */
const FREEZE_LEAST = 150;

/**
 * Seconds in which the picture stood still: each gap of more than three frames of a source of `framesPerSecond`, and 150 ms.
 *
 * @param frames when each frame came, ascending, milliseconds; those before `from` don't matter
 * @param from, to the span of time
 */
export function secondsFrozen(frames: readonly number[], from: number, to: number, framesPerSecond: number): number {
  const limit = Math.max(3000 / framesPerSecond, FREEZE_LEAST);
  let frozen = 0;
  let last = from;
  for (const frame of [...frames.filter((time) => time > from && time < to), to]) {
    if (frame - last > limit) frozen += frame - last;
    last = frame;
  }
  return frozen / 1000;
}

const rise = (before: number | undefined, after: number | undefined): number => (after ?? 0) - (before ?? 0);

/** The receiving end between two readings of its totals. */
export function viewed(before: MediaTotals, after: MediaTotals, frames: readonly number[], sourceRate: number): Viewed {
  const seconds = (after.at - before.at) / 1000;
  const video = (name: CountedName) => rise(before.inbound.video[name], after.inbound.video[name]);
  const audio = (name: CountedName) => rise(before.inbound.audio[name], after.inbound.audio[name]);
  const samples = audio('totalSamplesReceived');
  return {
    framesPerSecond: frames.filter((time) => time > before.at && time <= after.at).length / seconds,
    secondsFrozen: secondsFrozen(frames, before.at, after.at, sourceRate),
    secondsFrozenReported: video('totalFreezesDuration'),
    keyframeRequests: video('pliCount') + video('firCount'),
    nacks: video('nackCount') + audio('nackCount'),
    audioConcealed: samples > 0 ? audio('concealedSamples') / samples : 1,
    bitrate: ((video('bytesReceived') + audio('bytesReceived')) * 8) / seconds,
    packetsLost: video('packetsLost') + audio('packetsLost'),
    packetsRetransmitted: video('retransmittedPacketsReceived'),
    width: after.inbound.video.frameWidth ?? 0,
  };
}

type CountedName = {
  [Name in keyof StreamReport]-?: NonNullable<StreamReport[Name]> extends number ? Name : never;
}[keyof StreamReport];

/** The sending end between two readings of its totals. */
export function sent(before: MediaTotals, after: MediaTotals): Sent {
  const seconds = (after.at - before.at) / 1000;
  const video = (name: CountedName) => rise(before.outbound.video[name], after.outbound.video[name]);
  const audio = (name: CountedName) => rise(before.outbound.audio[name], after.outbound.audio[name]);
  return {
    framesPerSecond: video('framesSent') / seconds,
    bitrate: ((video('bytesSent') + audio('bytesSent')) * 8) / seconds,
    keyframeRequests: video('pliCount') + video('firCount'),
    nacks: video('nackCount') + audio('nackCount'),
    packetsRetransmitted: video('retransmittedPacketsSent'),
    width: after.outbound.video.frameWidth ?? 0,
  };
}

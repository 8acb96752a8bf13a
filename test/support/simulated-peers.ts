/** A publisher and subscribers as browsers behave, in virtual time, for the network simulator. */
import { type RtcpPacket, readRtcp, receiverEstimatedMaximumBitrate } from '../../bench/load/rtcp.js';
import type { MediaKind } from '../../workers/protocol.js';
import { AUDIO_PT, RTX_PT, VIDEO_PT } from './engine.js';
import type { Clock } from './network.js';
import { nack, receiverReport, senderReport } from './rtcp.js';
import { DELTA, element, KEYFRAME, type RtpFields, readRtp, rtp } from './rtp.js';

/** Milliseconds for which a browser keeps what it sent. */
const SENDER_HISTORY = 5000;
/** NTP seconds at virtual time 0, close to the end of the era. */
export const NTP_START = 2 ** 32 - 5;
const KEY_CONTINUED = Buffer.from('0000', 'hex');
const DELTA_CONTINUED = Buffer.from('0001', 'hex');

export interface PublisherOptions {
  /** Whether packets are sent again as RFC 4588 has it, or as they were. */
  rtx?: boolean;
  /** The id of the transport-wide sequence number's extension; absent: not negotiated. */
  transportCc?: number;
  packetsPerFrame?: number;
  /** bit/s that the camera has; it starts with 300 kbit/s and climbs by a fourth per second as far as REMB allows. */
  camera?: number;
  /** First sequence numbers and timestamps: near their ends, so that every run wraps. */
  sequence?: number;
  timestamp?: number;
}

interface SentPacket {
  fields: RtpFields;
  at: number;
}

/** One stream of a simulated publisher. Its packets' payload has 32 bits after the codec's: how many there were before it. */
class SimulatedStream {
  readonly kind: MediaKind;
  ssrc: number;
  payloadType: number;
  readonly clockRate: number;
  /** When each packet was sent first, by its number. */
  readonly sentAt: number[] = [];
  octets = 0;
  timestamp: number;
  sequence: number;
  readonly history = new Map<number, SentPacket>();

  constructor(kind: MediaKind, options: PublisherOptions) {
    this.kind = kind;
    this.ssrc = kind === 'audio' ? 0x0a0d1000 : 0x07de0000;
    this.payloadType = kind === 'audio' ? AUDIO_PT : VIDEO_PT;
    this.clockRate = kind === 'audio' ? 48000 : 90000;
    this.sequence = options.sequence ?? 65_400;
    this.timestamp = options.timestamp ?? 2 ** 32 - 50_000;
  }

  /** Another source, as after a change of devices or of the connection: nothing of the former one is known. */
  renew(): void {
    this.ssrc += 2;
    this.sequence = (this.sequence + 40_000) & 0xffff;
    this.timestamp = (this.timestamp + 3_000_000_000) >>> 0;
    this.history.clear();
  }

  next(codecBytes: Buffer, size: number, marker: boolean, now: number): RtpFields {
    const payload = Buffer.alloc(size);
    codecBytes.copy(payload);
    payload.writeUInt32BE(this.sentAt.length, codecBytes.length);
    const fields: RtpFields = {
      payloadType: this.payloadType,
      sequence: this.sequence,
      timestamp: this.timestamp,
      ssrc: this.ssrc,
      marker,
      payload,
    };
    this.history.set(this.sequence, { fields, at: now });
    this.sequence = (this.sequence + 1) & 0xffff;
    this.sentAt.push(now);
    this.octets += size;
    return fields;
  }
}

/** A browser's page that sends Opus and 30 frames of VP8 per second, answers NACKs, and heeds keyframe requests. */
export class SimulatedPublisher {
  readonly audio: SimulatedStream;
  readonly video: SimulatedStream;
  /** Packets sent again, how often packets were asked for, and keyframe requests. */
  resent = 0;
  asked = 0;
  keyframeRequests = 0;
  /** When each transport-wide number was sent. */
  readonly transportSentAt: number[] = [];
  readonly rtcp: RtcpPacket[] = [];
  onRtcp: (compound: Buffer) => void = () => {};
  paused = false;
  /** bit/s of video now, if it adapts. */
  rate = 300_000;
  /** The last estimate that it heard. */
  allowed = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  readonly #options: PublisherOptions;
  readonly #send: (packet: Buffer) => void;
  #rtxSequence = 65_000;
  #keyframeDue = true;

  constructor(clock: Clock, options: PublisherOptions, send: (packet: Buffer) => void) {
    this.#clock = clock;
    this.#options = options;
    this.#send = send;
    this.audio = new SimulatedStream('audio', options);
    this.video = new SimulatedStream('video', options);
  }

  start(): void {
    this.#clock.every(20, () => this.#sendAudio());
    this.#clock.every(1000 / 30, () => this.#sendFrame());
    this.#clock.every(1000, () => this.#report());
    if (this.#options.camera) this.#clock.every(100, () => this.#adapt(this.#options.camera ?? 0));
  }

  #adapt(camera: number): void {
    this.rate = Math.min(this.rate * 1.25 ** 0.1, camera, this.allowed - 40_000);
  }

  /** New sources, the video with a keyframe. @param connection also a new PeerConnection, which counts its packets anew */
  renew(connection: boolean): void {
    for (const stream of [this.audio, this.video]) stream.renew();
    this.#keyframeDue = true;
    if (connection) this.transportSentAt.length = 0;
  }

  #sendAudio(): void {
    if (this.paused) return;
    this.#transmit(this.audio.next(Buffer.from([0x78]), 80, false, this.#clock.now));
    this.audio.timestamp = (this.audio.timestamp + 960) >>> 0;
  }

  #sendFrame(): void {
    if (this.paused) return;
    const { camera, packetsPerFrame = 6 } = this.#options;
    const bytes = camera ? this.rate / 240 : packetsPerFrame * 1000;
    const count = Math.max(1, Math.ceil(bytes / 1100));
    const size = Math.max(20, Math.floor(bytes / count));
    for (let i = 0; i < count; i++) {
      const first = this.#keyframeDue ? KEYFRAME.vp8 : DELTA.vp8;
      const rest = this.#keyframeDue ? KEY_CONTINUED : DELTA_CONTINUED;
      this.#transmit(this.video.next(i === 0 ? first : rest, size, i === count - 1, this.#clock.now));
    }
    this.#keyframeDue = false;
    this.video.timestamp = (this.video.timestamp + 3000) >>> 0;
  }

  #report(): void {
    const { now } = this.#clock;
    for (const { ssrc, timestamp, sentAt, octets } of [this.audio, this.video]) {
      const seconds = NTP_START + now / 1000;
      const ntp: [number, number] = [Math.floor(seconds) % 2 ** 32, Math.floor((seconds % 1) * 2 ** 32)];
      if (sentAt.length > 0) this.#send(senderReport({ ssrc, ntp, timestamp, packets: sentAt.length, octets }));
    }
  }

  #transmit(fields: RtpFields): void {
    const { transportCc } = this.#options;
    if (transportCc === undefined) {
      this.#send(rtp(fields));
      return;
    }
    const number = this.transportSentAt.push(this.#clock.now) - 1;
    this.#send(rtp({ ...fields, elements: [element(transportCc, (number >> 8) & 0xff, number & 0xff)] }));
  }

  receive(compound: Buffer): void {
    this.onRtcp(compound);
    for (const packet of readRtcp(compound)) {
      this.rtcp.push(packet);
      if (packet.kind === 'pli' || packet.kind === 'fir') {
        this.keyframeRequests++;
        this.#keyframeDue = true;
      }
      if (packet.kind === 'remb') {
        this.allowed = packet.bitrate;
        this.#adapt(this.#options.camera ?? 0);
      }
      if (packet.kind === 'nack') for (const sequence of packet.lost) this.#resend(packet.mediaSsrc, sequence);
    }
  }

  #resend(ssrc: number, sequence: number): void {
    const stream = [this.audio, this.video].find((one) => one.ssrc === ssrc);
    this.asked++;
    const kept = stream?.history.get(sequence);
    if (!stream || !kept || this.#clock.now - kept.at > SENDER_HISTORY) return;
    this.resent++;
    const { fields } = kept;
    if (!this.#options.rtx || stream.kind === 'audio') {
      this.#transmit(fields);
      return;
    }
    const original = Buffer.from([sequence >> 8, sequence & 0xff]);
    this.#transmit({
      ...fields,
      payloadType: RTX_PT,
      ssrc: stream.ssrc + 1,
      sequence: this.#rtxSequence++ & 0xffff,
      payload: Buffer.concat([original, fields.payload ?? Buffer.alloc(0)]),
    });
  }
}

export interface ArrivedPacket {
  /** Extended sequence number, as the subscriber counts. */
  sequence: number;
  timestamp: number;
  /** The publisher's number of the packet, and when it came. */
  number: number;
  at: number;
}

/** What one subscriber has of one stream. */
class SimulatedReception {
  readonly kind: MediaKind;
  readonly ssrc: number;
  readonly packets = new Map<number, ArrivedPacket>();
  readonly missing = new Map<number, { since: number; askedAt: number; tries: number }>();
  duplicates = 0;
  first = 0;
  highest = -1;
  lastReport = 0;
  lastReportAt = 0;
  /** Packets of its own stream, and what the last report said. */
  inTime = 0;
  reportedHighest = 0;
  reportedLost = 0;

  constructor(kind: MediaKind, ssrc: number) {
    this.kind = kind;
    this.ssrc = ssrc;
  }

  /**
   * @param again it came in the retransmission stream (RFC 4588)
   * @returns the publisher's number; -1: it came before, or is late
   */
  arrive(packet: Buffer, again: boolean, now: number): number {
    const { sequence: own, timestamp, rest: whole } = readRtp(packet);
    const wire = again ? whole.readUInt16BE(0) : own;
    const rest = again ? whole.subarray(2) : whole;
    const sequence = this.highest < 0 ? wire : this.highest + ((((wire - this.highest) & 0xffff) << 16) >> 16);
    if (this.packets.has(sequence)) {
      this.duplicates++;
      return -1;
    }
    const number = rest.readUInt32BE(this.kind === 'audio' ? 1 : 2);
    const late = sequence < this.highest;
    if (!again) this.inTime++;
    if (this.highest < 0) this.reportedHighest = sequence - 1;
    if (this.highest < 0) this.first = sequence;
    for (let gap = this.highest + 1; this.highest >= 0 && gap < sequence; gap++) {
      this.missing.set(gap, { since: now, askedAt: 0, tries: 0 });
    }
    this.missing.delete(sequence);
    this.highest = Math.max(this.highest, sequence);
    this.packets.set(sequence, { sequence, timestamp, number, at: now });
    return late ? -1 : number;
  }
}

export interface SubscriberOptions {
  /** What it takes the round trip to be when it asks again; milliseconds. */
  roundTrip?: number;
  /** The SSRC of its retransmission stream; absent: not negotiated. */
  rtxSsrc?: number;
  /** Whose packets it gets: it estimates its line by how long they were on their way, as browsers do by abs-send-time. */
  estimates?: SimulatedPublisher;
}

/** Milliseconds after which a receiver takes what comes for what its line carries, if nothing was in its way. */
const FIRST_ESTIMATE = 5000;

/**
 * A receiver's estimate, as browsers make it: 0.85 of what came when packets began to wait, or what comes after 5 s; from
 * then on 8 % more per second, but no more than one and a half of what comes.
 */
class SimulatedEstimator {
  /** bit/s; 0: none yet. */
  bitrate = 0;
  #arrivals: { at: number; bits: number }[] = [];
  #firstAt: number | null = null;
  #leastTransit = Number.POSITIVE_INFINITY;
  #fullAt = Number.NEGATIVE_INFINITY;

  #throughput(now: number): number {
    this.#arrivals = this.#arrivals.filter(({ at }) => at > now - 500);
    return this.#arrivals.reduce((sum, { bits }) => sum + bits, 0) * 2;
  }

  /** @returns true when packets have begun to wait */
  arrive(bytes: number, transit: number, now: number): boolean {
    this.#firstAt ??= now;
    this.#arrivals.push({ at: now, bits: bytes * 8 });
    this.#leastTransit = Math.min(this.#leastTransit, transit);
    if (transit - this.#leastTransit < 50 || now - this.#fullAt < 400) return false;
    this.#fullAt = now;
    const less = 0.85 * this.#throughput(now);
    this.bitrate = this.bitrate > 0 ? Math.min(this.bitrate, less) : less;
    return true;
  }

  /** Once per second. */
  grow(now: number): void {
    const throughput = this.#throughput(now);
    if (this.bitrate > 0) {
      this.bitrate = Math.max(this.bitrate, Math.min(this.bitrate * 1.08, 1.5 * throughput + 10_000));
    } else if (this.#firstAt !== null && now - this.#firstAt >= FIRST_ESTIMATE) {
      this.bitrate = throughput;
    }
  }
}

/** Milliseconds until a gap is taken for a loss, and how often each packet is asked for. */
const PATIENCE = 10;
const TRIES = 10;

/** A browser's page that plays: it asks for what is missing once per round trip, and reports each second. */
export class SimulatedSubscriber {
  readonly audio: SimulatedReception;
  readonly video: SimulatedReception;
  readonly rtcp: RtcpPacket[] = [];
  asked = 0;
  /** Packets that came in the retransmission stream. */
  retransmissions = 0;
  /** Packets that SRTP's replay check dropped (RFC 3711 3.3.2): of one stream and number, as others before. */
  replays = 0;
  readonly #seen = new Set<string>();
  readonly #estimator = new SimulatedEstimator();
  readonly #clock: Clock;
  readonly #options: SubscriberOptions;
  readonly #send: (packet: Buffer) => void;

  constructor(
    clock: Clock,
    ssrcs: Record<MediaKind, number>,
    options: SubscriberOptions,
    send: (packet: Buffer) => void,
  ) {
    this.#clock = clock;
    this.#options = options;
    this.#send = send;
    this.audio = new SimulatedReception('audio', ssrcs.audio);
    this.video = new SimulatedReception('video', ssrcs.video);
  }

  start(): void {
    this.#clock.every(20, () => this.#ask(this.video));
    this.#clock.every(1000, () => this.#report());
    if (this.#options.estimates) this.#clock.every(1000, () => this.#estimate());
  }

  #estimate(): void {
    this.#estimator.grow(this.#clock.now);
    if (this.#estimator.bitrate > 0) this.#tellEstimate();
  }

  #tellEstimate(): void {
    const ssrcs = [this.audio.ssrc, this.video.ssrc];
    const remb = receiverEstimatedMaximumBitrate(1, this.#estimator.bitrate, ssrcs);
    this.#send(Buffer.concat([receiverReport(1), remb]));
  }

  receive(packet: Buffer): void {
    const { now } = this.#clock;
    const second = packet.readUInt8(1);
    if (second >= 192 && second <= 223) {
      for (const one of readRtcp(packet)) this.#hear(one);
      return;
    }
    const reception = packet.readUInt32BE(8) === this.audio.ssrc ? this.audio : this.video;
    // Long after a rollover of 16 bits a number may be there again, which no test here runs to.
    const identity = packet.toString('latin1', 8, 12) + packet.toString('latin1', 2, 4);
    const again = packet.readUInt32BE(8) === this.#options.rtxSsrc;
    if (again && this.#seen.has(identity)) {
      this.replays++;
      return;
    }
    if (again) this.#seen.add(identity);
    if (again) this.retransmissions++;
    const number = reception.arrive(packet, again, now);
    const sentAt = this.#options.estimates?.[reception.kind].sentAt[number];
    if (sentAt !== undefined && this.#estimator.arrive(packet.length, now - sentAt, now)) this.#tellEstimate();
    if (reception.kind === 'video') this.#ask(reception);
  }

  #hear(packet: RtcpPacket): void {
    this.rtcp.push(packet);
    if (packet.kind !== 'sender-report') return;
    const reception = packet.ssrc === this.audio.ssrc ? this.audio : this.video;
    reception.lastReport = packet.ntpMiddle;
    reception.lastReportAt = this.#clock.now;
  }

  #ask(reception: SimulatedReception): void {
    const { now } = this.#clock;
    const { roundTrip = 105 } = this.#options;
    const due: number[] = [];
    for (const [sequence, entry] of reception.missing) {
      if (now - entry.since < PATIENCE || (entry.tries > 0 && now - entry.askedAt < roundTrip)) continue;
      if (entry.tries === TRIES) {
        reception.missing.delete(sequence);
        continue;
      }
      entry.tries++;
      entry.askedAt = now;
      due.push(sequence & 0xffff);
    }
    if (due.length === 0) return;
    this.asked += due.length;
    this.#send(
      Buffer.concat([receiverReport(1), nack(reception.ssrc, ...due.map((one): [number, number] => [one, 0]))]),
    );
  }

  #report(): void {
    const { now } = this.#clock;
    const blocks = [this.audio, this.video].flatMap((reception) => {
      if (reception.highest < 0) return [];
      const { ssrc, highest, first, lastReport, lastReportAt } = reception;
      const lost = highest - first + 1 - reception.inTime;
      const expected = highest - reception.reportedHighest;
      const fraction = Math.max(
        0,
        Math.min(255, Math.floor(((lost - reception.reportedLost) * 256) / Math.max(expected, 1))),
      );
      reception.reportedHighest = highest;
      reception.reportedLost = lost;
      const delay = lastReport === 0 ? 0 : Math.round(((now - lastReportAt) * 65536) / 1000);
      return [{ ssrc, fraction, lost, highest, lastReport, delay }];
    });
    this.#send(receiverReport(1, ...blocks));
  }
}

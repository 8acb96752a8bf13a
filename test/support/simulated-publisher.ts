/** A publisher as browsers behave, in virtual time, for the network simulator. */
import { type RtcpPacket, readRtcp } from '../../bench/load/rtcp.js';
import type { MediaKind } from '../../workers/protocol.js';
import { AUDIO_PT, RTX_PT, VIDEO_PT } from './engine.js';
import type { Clock } from './network.js';
import { senderReport } from './rtcp.js';
import { DELTA, element, KEYFRAME, type RtpFields, rtp } from './rtp.js';

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

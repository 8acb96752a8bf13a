/** A subscriber as browsers behave, in virtual time, for the network simulator. */
import { type RtcpPacket, readRtcp, receiverEstimatedMaximumBitrate } from '../../bench/load/rtcp.js';
import type { MediaKind } from '../../workers/protocol.js';
import type { Clock } from './network.js';
import { nack, receiverReport } from './rtcp.js';
import { readRtp } from './rtp.js';
import type { SimulatedPublisher } from './simulated-publisher.js';

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

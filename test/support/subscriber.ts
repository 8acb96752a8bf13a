/** A subscriber without a browser: a handle with a real peer that keeps every packet it received. */

import {
  fullIntraRequest,
  negativeAcknowledgement,
  pictureLossIndication,
  receiverEstimatedMaximumBitrate,
  receiverReport,
} from '../../bench/load/rtcp.js';
import {
  type NumberedPayload,
  type RtpHeader,
  readNumberedPayload,
  readRtpHeader,
  type StreamCodec,
} from '../../bench/load/rtp.js';
import { announcedSsrc, codecOf, readSdp, subscriberAnswer, type Transport } from '../../bench/load/sdp.js';
import type { Handle } from '../../src/client/index.js';
import { acceptedLine, type Identity, type MediaKind, Member } from './member.js';

export interface ReceivedPacket extends RtpHeader, NumberedPayload {
  kind: MediaKind;
  /** Milliseconds, this process's clock. */
  receivedAt: number;
  bytes: Buffer;
}

export interface SubscribeOptions {
  /** Rewrites the server's candidates, for a proxy in between. */
  via?: (candidate: string) => string;
  /** For load: packets are counted, not kept. */
  countOnly?: boolean;
}

/** Our SSRC in RTCP. */
const ownSsrc = 1;

export class Subscriber extends Member {
  readonly source: string;
  readonly packets: ReceivedPacket[] = [];
  readonly count: Record<MediaKind, number> = { audio: 0, video: 0 };
  /** SSRC and payload type of each kind, as the server's offer says. */
  readonly announced: Record<MediaKind, { ssrc: number; payloadType: number }> = {
    audio: { ssrc: 0, payloadType: 0 },
    video: { ssrc: 0, payloadType: 0 },
  };
  /** The server's media port, as its offer says. */
  serverPort = 0;
  readonly #options: SubscribeOptions;
  readonly #codecs = new Map<number, { kind: MediaKind; codec: StreamCodec }>();
  /** Payload types of retransmission streams (RFC 4588), and what they retransmit. */
  readonly #retransmissions = new Map<number, number>();
  #transport: Transport | null = null;
  #version = 0;

  constructor(identity: Identity, handle: Handle, source: string, options: SubscribeOptions) {
    super(identity, handle);
    this.source = source;
    this.#options = options;
    this.peer.onRtp = (packet) => this.#receive(packet);
    this.peer.onRtcp = (compound) => {
      this.receiveRtcp(compound);
      this.changed();
    };
    // An offer that answers nothing: what the publisher sends has changed.
    handle.on('offer', ({ sdp }) => void this.answer(sdp));
  }

  async join(): Promise<void> {
    const { room, id: user } = this.identity;
    const { offer } = await this.handle.join({ room, user, subscribe: { media: this.source } });
    if (!offer) throw new Error(`the subscription to ${this.source} came without an offer`);
    await this.answer(offer.sdp);
    await this.peer.ready;
  }

  /** Answers an offer: the first with a new transport, later ones with the same. */
  async answer(sdp: string): Promise<void> {
    const offer = readSdp(sdp);
    for (const kind of ['audio', 'video'] as const) {
      const line = acceptedLine(offer.lines, kind);
      if (!line) continue;
      const format = line.formats[0] ?? '';
      this.announced[kind] = { ssrc: announcedSsrc(line), payloadType: Number(format) };
      this.#codecs.set(Number(format), { kind, codec: codecOf(line, format) as StreamCodec });
      const retransmitted = line.formats[1];
      if (retransmitted !== undefined) this.#retransmissions.set(Number(retransmitted), Number(format));
    }
    this.serverPort = Number(offer.transport.candidates[0]?.split(' ')[5]);
    const first = this.#transport === null;
    const data = acceptedLine(offer.lines, 'application') !== undefined;
    this.#transport ??= await this.peer.answer(offer.transport, data);
    const answer = subscriberAnswer(offer, this.#transport, ++this.#version);
    await this.handle.answer(answer);
    if (!first) return;
    const via = this.#options.via ?? ((candidate) => candidate);
    this.peer.connectTo({ ...offer.transport, candidates: offer.transport.candidates.map(via) });
  }

  /** Packets of one kind so far. */
  of(kind: MediaKind): ReceivedPacket[] {
    return this.packets.filter((packet) => packet.kind === kind);
  }

  /** Waits for `count` more packets of one kind. */
  async more(kind: MediaKind, count: number, limit?: number): Promise<void> {
    const wanted = this.count[kind] + count;
    await this.until(() => this.count[kind] >= wanted, `${count} more ${kind} packets of ${this.source}`, limit);
  }

  askForKeyframe(): boolean {
    return this.peer.send(pictureLossIndication(ownSsrc, this.announced.video.ssrc));
  }

  askForFullIntra(sequenceNumber: number): boolean {
    return this.peer.send(fullIntraRequest(ownSsrc, this.announced.video.ssrc, sequenceNumber));
  }

  askAgain(kind: MediaKind, sequenceNumbers: number[]): boolean {
    return this.peer.send(negativeAcknowledgement(ownSsrc, this.announced[kind].ssrc, sequenceNumbers));
  }

  /** Says what the line carries, bit/s (REMB). */
  estimate(bitrate: number): boolean {
    return this.peer.send(receiverEstimatedMaximumBitrate(ownSsrc, bitrate, [this.announced.video.ssrc]));
  }

  /** Sends the receiver report that is due (RFC 3550 6.4.2) on the packets of one kind so far. */
  report(kind: MediaKind): boolean {
    const numbers = this.of(kind).map(({ sequenceNumber }) => sequenceNumber);
    const first = numbers[0] ?? 0;
    const expected = Math.max(0, ...numbers.map((number) => (number - first) & 0xffff)) + 1;
    const block = {
      ssrc: this.announced[kind].ssrc,
      fractionLost: 0,
      packetsLost: Math.max(0, expected - new Set(numbers).size),
      highestSequenceNumber: first + expected - 1,
      jitter: 0,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
    };
    return this.peer.send(receiverReport(ownSsrc, [block]));
  }

  /** The packet that was put in a retransmission stream; any other as it is. */
  #unwrap(packet: Buffer): Buffer {
    const { payloadType, payloadAt } = readRtpHeader(packet);
    const original = this.#retransmissions.get(payloadType);
    if (original === undefined) return packet;
    const header = Buffer.from(packet.subarray(0, payloadAt));
    header.writeUInt8((header.readUInt8(1) & 0x80) | original, 1);
    packet.copy(header, 2, payloadAt, payloadAt + 2);
    header.writeUInt32BE(this.announced.video.ssrc, 8);
    return Buffer.concat([header, packet.subarray(payloadAt + 2)]);
  }

  #receive(received: Buffer): void {
    const packet = this.#unwrap(received);
    const header = readRtpHeader(packet);
    const expected = this.#codecs.get(header.payloadType);
    if (!expected) throw new Error(`payload type ${header.payloadType} was not offered`);
    this.count[expected.kind]++;
    if (!this.#options.countOnly) {
      const payload = readNumberedPayload(packet, header.payloadAt, expected.codec);
      this.packets.push({ ...header, ...payload, kind: expected.kind, receivedAt: performance.now(), bytes: packet });
    }
    this.changed();
  }
}

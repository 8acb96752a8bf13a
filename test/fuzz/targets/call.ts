/** All of the engine at once: streams, retransmissions, reports, requests and changes of the call, in any order. */
import assert from 'node:assert/strict';
import * as layout from '../../../assembly/layout.js';
import { AUDIO_PT, downParameters, PUBLISHER, RTX_PT, Stage, upParameters, VIDEO_PT } from '../../support/engine.js';
import type { Random } from '../../support/random.js';
import { nack, pli, receiverReport, senderReport } from '../../support/rtcp.js';
import { Canaries } from '../canaries.js';
import { DOWN_EXTENSIONS, mutated, numbered, shapesOf, UP_EXTENSIONS } from './packets.js';
import { isWellFormed } from './rtcp-reader.js';
import { defineTarget, hexLines } from './target.js';

/** Parts of one input. */
const STEPS = 1500;
const DOWN_SSRC = 0xbbbb0000;

/** What a part is, by its first byte. */
const RTP = 0;
const FROM_SUBSCRIBER = 1;
const FROM_PUBLISHER = 2;
const TICK = 3;
const CHANGE = 4;

function feedback(random: Random): Buffer {
  const ssrc = DOWN_SSRC + random.below(4);
  const numbers = Array.from({ length: 1 + random.below(8) }, (): [number, number] => [
    random.below(2 ** 15),
    random.below(65536),
  ]);
  const report = receiverReport(1, { ssrc, lost: random.below(50), lastReport: random.below(9), delay: 1 });
  return random.pick([pli(ssrc), nack(ssrc, ...numbers), report, Buffer.concat([report, nack(ssrc, ...numbers)])]);
}

/** One of two calls that differ in nothing but the rubbish behind what they receive. */
class Call {
  readonly #stage: Stage;
  readonly #downs: number[];
  readonly #canaries: Canaries;
  readonly #litter: number;

  private constructor(stage: Stage, litter: number) {
    this.#stage = stage;
    this.#litter = litter;
    this.#downs = [
      stage.subscribe('audio', { ssrc: DOWN_SSRC, extensions: { audioLevel: 1 } }),
      ...DOWN_EXTENSIONS.map((extensions, i) =>
        stage.subscribe('video', { ...this.#parameters(i), extensions }, i + 2),
      ),
    ];
    this.#canaries = new Canaries(stage.memory);
  }

  static async open(litter: number): Promise<Call> {
    return new Call(await Stage.open('vp8', UP_EXTENSIONS), litter);
  }

  /** Every second subscriber has a retransmission stream. */
  #parameters(i: number) {
    const rtx = { rtxPayloadType: 101, rtxSsrc: DOWN_SSRC + 100 + i };
    return downParameters('video', { ssrc: DOWN_SSRC + 1 + i, ...(i % 2 ? rtx : {}) });
  }

  /** Does one step. @returns all that comes of it */
  step(part: Buffer, now: number): string {
    const bytes = part.subarray(1);
    const { engine, audio, video } = this.#stage;
    const down = this.#downs[(part[1] ?? 0) % this.#downs.length] ?? 0;
    switch (part[0]) {
      case RTP:
        return this.#relay(bytes, now);
      case FROM_SUBSCRIBER: {
        this.#canaries.litterRtcp(bytes.length, this.#litter);
        const [first = 0, second = 0] = this.#downs;
        const bits = engine.readSubscriberRtcp(
          first,
          bytes.length % 2 ? second : (this.#downs.at(-1) ?? 0),
          bytes,
          now,
        );
        assert.ok(engine.retransmissions <= layout.RETRANSMISSIONS_MAX);
        const again = Array.from({ length: engine.retransmissions }, (_, i) =>
          this.#rtp(engine.retransmission(i, now)),
        );
        return `${bits} ${again.join()}`;
      }
      case FROM_PUBLISHER:
        this.#canaries.litterRtcp(bytes.length, this.#litter);
        return String(engine.readPublisherRtcp(audio, video, bytes, now));
      case TICK: {
        const replayed = Array.from({ length: engine.beginReplay(down, 600, now) }, (_, i) =>
          this.#rtp(engine.replayed(i, now)),
        );
        const reports = [
          engine.senderReport(down, now),
          engine.receiverReport(audio, video, 1e6, now),
          engine.keyframeRequest(video, 'pli'),
          ...this.#toPublisher(now),
        ];
        return `${replayed.join()} ${reports.join()} ${engine.waitingForKeyframe(video)} ${engine.takeLoudness(audio)}`;
      }
      default:
        return this.#change(part[2] ?? 0, part[3] ?? 0, down);
    }
  }

  check(): void {
    this.#canaries.check();
  }

  #relay(packet: Buffer, now: number): string {
    const { engine, audio, video } = this.#stage;
    this.#canaries.litter(packet.length, this.#litter);
    const verdict = engine.receive(audio, video, packet, now);
    assert.ok(verdict >= 0 && verdict < layout.VERDICTS);
    const due = engine.feedbackDue;
    let outcome = `${verdict}`;
    if (verdict === layout.FORWARD) {
      for (const down of this.#downs) {
        const translated = engine.translate(down, now);
        outcome += ` ${translated === layout.FORWARD ? this.#rtp(engine.packet) : translated}`;
      }
    }
    return due === 0 ? outcome : `${outcome} ${this.#toPublisher(now).join()}`;
  }

  #toPublisher(now: number): string[] {
    const { engine, audio, video } = this.#stage;
    return [this.#rtcp(engine.lossRequest(video, now)), this.#rtcp(engine.transportFeedback(audio, video, now))];
  }

  #rtp(packet: Buffer | null): string {
    if (!packet) return 'none';
    assert.ok(packet.length >= 12 && packet.length <= layout.PACKET_CAPACITY, `${packet.length} bytes`);
    assert.equal((packet[0] ?? 0) >> 6, 2);
    const ssrc = packet.readUInt32BE(8) - DOWN_SSRC;
    assert.ok(ssrc >= 0 && ssrc < 200, 'the SSRC is a subscriber’s');
    return packet.toString('latin1');
  }

  #rtcp(packet: Buffer | null): string {
    if (!packet) return 'none';
    assert.ok(isWellFormed(packet), packet.toString('hex'));
    return packet.toString('latin1');
  }

  /** What the signalling or the line of a subscriber does meanwhile. */
  #change(what: number, value: number, down: number): string {
    const { engine, audio, video } = this.#stage;
    const changes = [
      () => engine.setBlocked(PUBLISHER, 2 + (value % 4), value > 127),
      () => engine.setDownTrackActive(down, value > 50),
      () => engine.setDownTrackPaused(down, value < 50),
      () => engine.setPlayoutDelay(down, value * 10),
      () => engine.setShedding(value < 200 ? 0 : value / 255),
      () => engine.restartUpTrack(value % 2 ? audio : video),
      () => engine.configureUpTrack(video, value < 30 ? null : upParameters('vp8', UP_EXTENSIONS)),
      () => engine.setUpTrackUser(video, value < 10 ? 0 : PUBLISHER),
    ];
    changes[what % changes.length]?.();
    return '';
  }
}

export const callTarget = defineTarget<Buffer>({
  ...hexLines,
  name: 'call',
  unit: 'packets',
  promise:
    'Whatever both sides of a call send and whatever the call becomes, what goes out is well-formed RTP and RTCP of the subscriber’s own streams; what lies behind a packet changes nothing; nothing is written between the slots.',
  make(random) {
    const shapes = shapesOf(random, 'vp8', [VIDEO_PT, VIDEO_PT, VIDEO_PT, AUDIO_PT, RTX_PT]);
    let sequence = random.below(65536);
    const makers: [number, () => Buffer][] = [
      [RTP, () => mutated(random, numbered(random, shapes, sequence - (random.once(8) ? random.below(40) : 0)), 80)],
      [FROM_SUBSCRIBER, () => mutated(random, feedback(random), 60)],
      [
        FROM_PUBLISHER,
        () => mutated(random, senderReport({ ssrc: 1 + random.below(2), ntp: [1, 2], timestamp: 3 }), 60),
      ],
      [TICK, () => Buffer.from([0, random.below(8)])],
      [CHANGE, () => Buffer.from([0, random.below(8), random.below(8), random.below(256)])],
    ];
    return Array.from({ length: STEPS }, () => {
      sequence += random.once(9) ? random.below(4) : 1;
      const often = random.below(100);
      const at =
        often < 75 ? RTP : often < 85 ? FROM_SUBSCRIBER : often < 88 ? FROM_PUBLISHER : often < 98 ? TICK : CHANGE;
      const [kind, make] = makers[at] ?? [TICK, () => Buffer.from([0, 0])];
      const part = make();
      part[0] = kind;
      return part;
    });
  },
  async run(parts) {
    const [one, other] = [await Call.open(0), await Call.open(0xff)];
    for (const [i, part] of parts.entries()) assert.equal(one.step(part, i * 7), other.step(part, i * 7), `part ${i}`);
    one.check();
    other.check();
    return parts.length;
  },
});

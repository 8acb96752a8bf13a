/** The engine's two readers of RTCP, held against a plain one, with rubbish behind every compound. */
import assert from 'node:assert/strict';
import { AUDIO_PT, Stage, VIDEO_PT } from '../../support/engine.js';
import type { Random } from '../../support/random.js';
import { bye, fir, nack, pli, receiverReport, rtcp, senderReport, words } from '../../support/rtcp.js';
import { KEYFRAME, readRtp, rtp } from '../../support/rtp.js';
import { Canaries } from '../canaries.js';
import { type Heard, hearPublisher, hearSubscriber, isWellFormed } from './rtcp-reader.js';
import { defineTarget, hexLines } from './target.js';

const DOWN = { audio: 0xaaaa0001, video: 0xbbbb0001 };
const UP = { audio: 1000, video: 1001 };
/** Packets that have flowed before the first compound comes. */
const SENT = 600;
/** Compounds of one input. */
const COMPOUNDS = 2000;
/** Compounds that are made once and then changed. */
const SHAPES = 256;

function compound(random: Random): Buffer {
  const word = () => random.below(2 ** 32);
  const ssrc = () => random.pick([DOWN.audio, DOWN.video, UP.audio, UP.video, word()]);
  const many = <T>(limit: number, make: () => T) => Array.from({ length: random.below(limit) }, make);
  const block = () => ({ ssrc: ssrc(), lost: random.below(2 ** 24), lastReport: word(), delay: random.below(9999) });
  const entry = (): [number, number] => [random.below(65536), random.below(65536)];
  const makers = [
    () => receiverReport(word(), ...many(4, block)),
    () => senderReport({ ssrc: ssrc(), ntp: [word(), word()], timestamp: word() }),
    () => nack(ssrc(), ...many(60, entry)),
    () => pli(ssrc()),
    () => fir(...many(5, ssrc)),
    () => bye(...many(5, ssrc)),
    () => rtcp(random.below(32), 200 + random.below(8), random.bytes(random.below(20) * 4)),
    () => rtcp(15, 206, words(1, 0, 0x52454d42, word(), ssrc())),
    () => rtcp(15, 205, random.bytes(4 * random.below(30))),
    () => rtcp(0, 192, words(ssrc())),
  ];
  return Buffer.concat(Array.from({ length: 1 + random.below(4) }, () => random.pick(makers)()));
}

function mutated(random: Random, packet: Buffer): Buffer {
  if (random.once(100)) return random.bytes(random.below(1600));
  let mutant: Buffer = Buffer.from(packet);
  for (let i = random.below(3); i > 0; i--) mutant[random.below(Math.min(mutant.length, 32))] = random.below(256);
  if (random.once(3)) mutant = mutant.subarray(0, random.below(mutant.length + 1));
  return mutant;
}

/** A publisher and a subscriber between whom packets have flowed; each payload says whose it is. */
class Flow {
  readonly stage: Stage;
  readonly audio: number;
  readonly video: number;
  readonly #canaries: Canaries;
  /** By kind and sequence number as the subscriber knows it. */
  readonly #sent = new Map<string, string>();

  private constructor(stage: Stage) {
    this.stage = stage;
    this.audio = stage.subscribe('audio');
    this.video = stage.subscribe('video');
    this.#canaries = new Canaries(stage.memory);
    for (let sequence = 0; sequence < SENT; sequence++) {
      for (const kind of ['audio', 'video'] as const) {
        const payload = Buffer.concat([KEYFRAME.vp8, Buffer.from(`${kind} ${sequence}`)]);
        const payloadType = kind === 'audio' ? AUDIO_PT : VIDEO_PT;
        const packet = rtp({ payloadType, sequence, ssrc: UP[kind], payload });
        const view = stage.relayed(packet, this[kind], sequence);
        this.#sent.set(`${kind} ${view.sequence}`, view.rest.toString('hex'));
      }
    }
  }

  static async open(): Promise<Flow> {
    return new Flow(await Stage.open('vp8'));
  }

  /** What comes of a compound, read by both readers. @throws if it is not what a plain reading says */
  try(packet: Buffer, heard: Heard, litter: number, now: number): string {
    const { engine, audio: upAudio, video: upVideo } = this.stage;
    this.#canaries.litterRtcp(packet.length, litter);
    const bits = engine.readSubscriberRtcp(this.audio, this.video, packet, now);
    assert.equal(bits, heard.bits, 'what the subscriber says');
    const count = engine.retransmissions;
    assert.equal(count, heard.wanted.size, 'what the subscriber wants again');
    let again = 0;
    for (let i = 0; i < count; i++) {
      const packetAgain = engine.retransmission(i, now);
      if (!packetAgain) continue;
      again++;
      const view = readRtp(packetAgain);
      const key = `${view.ssrc === DOWN.audio ? 'audio' : 'video'} ${view.sequence}`;
      assert.ok(heard.wanted.has(key), `${key} was not asked for`);
      assert.equal(view.rest.toString('hex'), this.#sent.get(key), key);
    }
    const said = engine.readPublisherRtcp(upAudio, upVideo, packet, now);
    assert.equal(said, hearPublisher(packet, UP), 'what the publisher says');
    const report = engine.senderReport(this.video, now);
    assert.ok(report === null || isWellFormed(report), report?.toString('hex'));
    const { audio, video } = this;
    const times = [audio, video].map((down) => `${engine.takeLost(down)} ${engine.roundTripTime(down)}`).join();
    return `${again} ${engine.estimate} ${times} ${report?.toString('hex')}`;
  }

  check(): void {
    this.#canaries.check();
  }
}

export const rtcpTarget = defineTarget<Buffer>({
  ...hexLines,
  name: 'rtcp',
  unit: 'packets',
  promise:
    'Of every compound the readers find what a plain reading finds; only packets that were sent and asked for are sent again, at most 256 of them; what lies behind the compound changes nothing.',
  make(random) {
    const shapes = Array.from({ length: SHAPES }, () => compound(random));
    return Array.from({ length: COMPOUNDS }, () => mutated(random, random.pick(shapes)));
  },
  async run(parts) {
    const [one, other] = [await Flow.open(), await Flow.open()];
    for (const [i, packet] of parts.entries()) {
      const now = 1000 + i * 50;
      const heard = hearSubscriber(packet, DOWN);
      assert.equal(one.try(packet, heard, 0, now), other.try(packet, heard, 0xff, now), `part ${i}`);
    }
    one.check();
    other.check();
    return parts.length;
  },
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { readCounters } from '../../workers/engine.js';
import { AUDIO_PT, Stage, VIDEO_PT } from '../support/engine.js';
import { quickest } from '../support/quickest.js';
import { Random } from '../support/random.js';
import { bye, fir, nack, pli, receiverReport, rtcp, senderReport, words } from '../support/rtcp.js';
import { KEYFRAME, rtp } from '../support/rtp.js';

const AUDIO_SSRC = 0xaaaa0001;
const VIDEO_SSRC = 0xbbbb0001;
const UP_SSRC = 1000;

interface Setting {
  stage: Stage;
  audio: number;
  video: number;
}

/** A publisher and a subscriber between whom packets have flowed. */
async function open(): Promise<Setting> {
  const stage = await Stage.open('vp8');
  const audio = stage.subscribe('audio');
  const video = stage.subscribe('video');
  for (let sequence = 0; sequence < 600; sequence++) {
    stage.relayed(rtp({ payloadType: AUDIO_PT, sequence, ssrc: UP_SSRC }), audio, sequence);
    stage.relayed(rtp({ payloadType: VIDEO_PT, sequence, ssrc: UP_SSRC + 1, payload: KEYFRAME.vp8 }), video, sequence);
  }
  return { stage, audio, video };
}

function makeCompound(random: Random): Buffer {
  const ssrc = () => random.pick([AUDIO_SSRC, VIDEO_SSRC, UP_SSRC, UP_SSRC + 1, random.below(2 ** 32)]);
  const word = () => random.below(2 ** 32);
  const makers = [
    () =>
      receiverReport(
        word(),
        ...Array.from({ length: random.below(4) }, () => ({
          ssrc: ssrc(),
          lost: random.below(2 ** 24),
          lastReport: word(),
          delay: random.below(9999),
        })),
      ),
    () => senderReport({ ssrc: ssrc(), ntp: [word(), word()], timestamp: word() }),
    () =>
      nack(
        ssrc(),
        ...Array.from({ length: random.below(60) }, (): [number, number] => [random.below(65536), random.below(65536)]),
      ),
    () => pli(ssrc()),
    () => fir(...Array.from({ length: random.below(5) }, ssrc)),
    () => bye(...Array.from({ length: random.below(5) }, ssrc)),
    () => rtcp(random.below(32), 200 + random.below(8), random.bytes(random.below(20) * 4)),
    () => rtcp(15, 206, words(1, 0, 0x52454d42, word(), ssrc())),
    () => rtcp(15, 205, random.bytes(4 * random.below(30))),
    () => rtcp(0, 192, words(ssrc())),
  ];
  return Buffer.concat(Array.from({ length: 1 + random.below(4) }, () => random.pick(makers)()));
}

function mutate(random: Random, packet: Buffer): Buffer {
  let mutant: Buffer = Buffer.from(packet);
  for (let i = random.below(3); i > 0; i--) mutant[random.below(Math.min(mutant.length, 32))] = random.below(256);
  if (random.once(3)) mutant = mutant.subarray(0, random.below(mutant.length + 1));
  if (random.once(100)) mutant = random.bytes(random.below(1600));
  return mutant;
}

/** All that both readers say of a packet. */
function outcome({ stage, audio, video }: Setting, packet: Buffer, now: number): string {
  const { engine } = stage;
  const asked = engine.readSubscriberRtcp(audio, video, packet, now);
  const count = engine.retransmissions;
  assert.ok(count <= layout.RETRANSMISSIONS_MAX);
  const again = Array.from({ length: count }, (_, i) => engine.retransmission(i, now)?.toString('hex') ?? 'none');
  const said = engine.readPublisherRtcp(stage.audio, stage.video, packet, now);
  const report = engine.senderReport(video, now)?.toString('hex');
  const answers = [audio, video].map((down) => [engine.takeLost(down), engine.roundTripTime(down)]);
  return JSON.stringify([asked, count, again, said, report, answers]);
}

/** Fills the RTCP inbox, so that these bytes lie behind a shorter packet. */
function litter({ stage }: Setting, byte: number): void {
  stage.engine.readPublisherRtcp(-1, -1, Buffer.alloc(layout.PACKET_CAPACITY, byte), 0);
}

describe('the engine, given mutated RTCP', () => {
  test('reads nothing past the end of 20,000 compounds: what lies there changes nothing', async () => {
    const random = new Random(0x27c);
    const settings = [await open(), await open()] as const;
    const seen = new Set<string>();
    for (let i = 0; i < 20000; i++) {
      const packet = mutate(random, makeCompound(random));
      const [one, other] = settings.map((setting, which) => {
        litter(setting, which === 0 ? 0x00 : 0xff);
        return outcome(setting, packet, 1000 + i * 50);
      });
      assert.equal(one, other, packet.toString('hex'));
      seen.add(one?.slice(0, 3) ?? '');
    }
    assert.ok(seen.size > 8, [...seen].join());
    assert.ok(readCounters(settings[0].stage.memory).rtcpMalformed > 1000);
  });

  test('reads every cut of a compound, and no block that the cut leaves unfinished', async () => {
    const setting = await open();
    const { engine } = setting.stage;
    const parts = [receiverReport(1, { ssrc: VIDEO_SSRC }), pli(VIDEO_SSRC), fir(VIDEO_SSRC), nack(VIDEO_SSRC, [3, 1])];
    const bits = [layout.SUBSCRIBER_REPORT, layout.SUBSCRIBER_PLI, layout.SUBSCRIBER_FIR, layout.SUBSCRIBER_NACK];
    const whole = Buffer.concat(parts);
    for (let length = 0; length <= whole.length; length++) {
      litter(setting, 0xff);
      let end = 0;
      let expected = 0;
      for (const [i, part] of parts.entries()) {
        end += part.length;
        if (end <= length) expected |= bits[i] ?? 0;
      }
      assert.equal(engine.readSubscriberRtcp(setting.audio, setting.video, whole.subarray(0, length), 1), expected);
    }
  });

  test('spends no more than 30 ms on any input, though it asks for 6,000 packets (M5)', async () => {
    const { stage, audio, video } = await open();
    const entries = Array.from({ length: 372 }, (_, i): [number, number] => [i * 17, 0xffff]);
    const worst = nack(VIDEO_SSRC, ...entries);
    assert.equal(worst.length, layout.PACKET_CAPACITY);
    let round = 0;
    const spent = quickest(() => {
      round += 1;
      stage.engine.readSubscriberRtcp(audio, video, worst, round * 100);
      for (let i = 0; i < stage.engine.retransmissions; i++) stage.engine.retransmission(i, round * 100);
    }, 20);
    assert.ok(spent < 30, `${spent} ms`);
  });

  test('writes nowhere but into its own tables', async () => {
    const setting = await open();
    const random = new Random(11);
    const bytes = new Uint8Array(setting.stage.memory.buffer);
    const gaps = [
      bytes.subarray(0, layout.ENGINE_START),
      bytes.subarray(layout.RTCP_INBOX_START + layout.PACKET_CAPACITY, layout.RTCP_OUTBOX_START),
      bytes.subarray(layout.TABLES_END, layout.ARENA_START),
      bytes.subarray(layout.UP_TRACKS_START + 2 * layout.UP_TRACK_SIZE, layout.DOWN_TRACKS_START),
      bytes.subarray(layout.DOWN_TRACKS_START + 2 * layout.DOWN_TRACK_SIZE, layout.RESENDS_START),
      bytes.subarray(layout.BLOCKS_START, layout.TABLES_END),
    ];
    for (const gap of gaps) gap.fill(0xc5);
    for (let i = 0; i < 3000; i++) outcome(setting, mutate(random, makeCompound(random)), i * 50);
    for (const [i, gap] of gaps.entries())
      assert.ok(
        gap.every((byte) => byte === 0xc5),
        `gap ${i}`,
      );
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { downParameters, PUBLISHER, RTX_PT, Stage, upParameters, VIDEO_PT } from '../support/engine.js';
import { Random } from '../support/random.js';
import { nack, receiverReport, senderReport } from '../support/rtcp.js';
import { element, KEYFRAME, rtp } from '../support/rtp.js';
import { Canaries } from './canaries.js';

/** The tables that the engine trusts least: all records, lists, histories, blocks, and the packet slots. */
const REGIONS: readonly (readonly [number, number])[] = [
  [layout.RETRANSMISSIONS_START, layout.UP_TRACKS_START],
  [layout.UP_TRACKS_START, layout.UP_TRACKS_START + 8 * layout.UP_TRACK_SIZE],
  [layout.DOWN_TRACKS_START, layout.DOWN_TRACKS_START + 16 * layout.DOWN_TRACK_SIZE],
  [layout.HISTORY_START, layout.HISTORY_START + 8 * layout.HISTORY_VIDEO * 4],
  [layout.MISSING_START, layout.MISSING_START + 8 * layout.MISSING_MAX * layout.MISSING_SIZE],
  [layout.ARRIVALS_START, layout.ARRIVALS_START + 8 * layout.ARRIVALS * layout.ARRIVAL_SIZE],
  [layout.BLOCKS_START, layout.TABLES_END],
  // Record and packet of each slot; behind them are canaries.
  ...Array.from({ length: 64 }, (_, slot) => {
    const start = layout.ARENA_START + slot * layout.SLOT_SIZE;
    return [start, start + layout.SLOT_RECORD_SIZE + layout.PACKET_CAPACITY] as const;
  }),
];

/** Calls everything once; a RangeError of ours (no such track) is an answer, a trap is not. */
function exercise(stage: Stage, random: Random, now: number): void {
  const { engine } = stage;
  const up = random.below(8);
  const down = random.below(16);
  const sequence = random.below(65536);
  const elements = [element(2, random.below(256), random.below(256))];
  const packet = rtp({ payloadType: VIDEO_PT, sequence, ssrc: random.below(3), elements, payload: KEYFRAME.vp8 });
  const configure = [
    () => engine.configureUpTrack(up, upParameters('vp8', { audioLevel: 1, transportCc: 2 })),
    () => engine.setUpTrackUser(up, PUBLISHER),
    () => engine.restartUpTrack(up),
    () => engine.removeUpTrack(up),
    () => engine.removeDownTrack(down),
    () => engine.setDownTrackActive(down, true),
    () => engine.setDownTrackPaused(down, random.once(2)),
    () =>
      engine.configureDownTrack(
        down,
        downParameters('video', { extensions: { audioLevel: 2 }, rtxPayloadType: 101, rtxSsrc: random.below(9) }),
      ),
    () => engine.addUpTrack('video'),
    () => engine.addDownTrack(up, downParameters('video'), 2),
    () => engine.setBlocked(random.below(9), random.below(9), random.once(2)),
  ];
  try {
    random.pick(configure)();
  } catch (error) {
    assert.ok(error instanceof RangeError && /There is no (up|down) track/.test(error.message), String(error));
  }
  engine.receive(random.below(8), up, packet, now);
  const [original, rtxNumber] = [random.below(65536), random.below(65536)];
  const payload = Buffer.from([original >> 8, original & 0xff, ...KEYFRAME.vp8]);
  engine.receive(-1, up, rtp({ payloadType: RTX_PT, sequence: rtxNumber, ssrc: 5, payload }), now);
  engine.lossRequest(up, now);
  engine.transportFeedback(random.below(8), up, now);
  for (let i = 0; i < 16; i++) engine.translate(i, now);
  engine.readPublisherRtcp(up, up, senderReport({ ssrc: 1, ntp: [1, 2], timestamp: 3 }), now);
  engine.readSubscriberRtcp(down, down, receiverReport(1, { ssrc: 0xbbbb0001, lost: 5, lastReport: 1 }), now);
  engine.readSubscriberRtcp(down, down, nack(0xbbbb0001, [sequence, 0xffff], [1, 0xffff]), now);
  for (let i = 0; i < engine.retransmissions; i++) engine.retransmission(i, now);
  for (let i = engine.beginReplay(down, 1e9, now); i >= 0; i--) engine.replayed(i, now);
  engine.senderReport(down, now);
  engine.receiverReport(up, (up + 1) & 7, 1e6, now);
  engine.keyframeRequest(up, 'fir');
  engine.waitingForKeyframe(up);
  engine.takeLost(down);
  engine.takeLostUp(up);
  engine.isBlocked(random.below(9), random.below(9));
}

async function populated(): Promise<Stage> {
  const stage = await Stage.open('vp8', { transportCc: 2 });
  for (let i = 0; i < 6; i++) stage.engine.addUpTrack('video');
  for (let i = 0; i < 16; i++) stage.engine.addDownTrack(i % 8, downParameters('video'), 2);
  return stage;
}

describe('the engine, on tables full of garbage', () => {
  test('M11: traps nowhere, ends every loop and writes nowhere else', async () => {
    const random = new Random(0xbad);
    for (let round = 0; round < 12; round++) {
      const stage = await populated();
      for (let i = 0; i < 200; i++) exercise(stage, random, i * 10);
      const bytes = Buffer.from(stage.memory.buffer);
      const canaries = new Canaries(stage.memory);
      for (let i = 0; i < 60; i++) {
        const [start, end] = random.pick(REGIONS);
        const at = start + random.below(end - start);
        random.bytes(1 + random.below(64)).copy(bytes, at, 0, Math.min(64, end - at));
        exercise(stage, random, 5000 + i * 10);
      }
      for (const [start, end] of REGIONS) bytes.fill(round % 2 ? 0xff : 0x81, start, end);
      exercise(stage, random, 9000);
      canaries.check();
    }
  });

  test('M11: takes nothing for a packet slot that is none, wherever a history points', async () => {
    const { ARENA_START, SLOT_SIZE } = layout;
    const places = [1, 8, 64, SLOT_SIZE - 8, SLOT_SIZE + 4].map((offset) => ARENA_START + offset);
    for (const address of [...places, 0, 8, layout.UP_TRACKS_START, ARENA_START - SLOT_SIZE, 2 ** 31, 2 ** 32 - 8]) {
      const stage = await Stage.open();
      const down = stage.subscribe('video');
      const canaries = new Canaries(stage.memory);
      const history = new Uint32Array(stage.memory.buffer, layout.HISTORY_START, 2 * layout.HISTORY_VIDEO);
      history.fill(address);
      for (let sequence = 1; sequence < 600; sequence++) {
        const packet = rtp({ payloadType: VIDEO_PT, sequence, payload: Buffer.alloc(1488, KEYFRAME.vp8) });
        const view = stage.relayed(packet, down, sequence);
        assert.ok(view.rest.equals(packet.subarray(12)), `packet ${sequence}, where the history said ${address}`);
      }
      canaries.check();
    }
  });
});

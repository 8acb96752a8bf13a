import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FORWARD } from '../../assembly/layout.js';
import { AUDIO_PT, Stage, VIDEO_PT } from '../support/engine.js';
import { nack, senderReport } from '../support/rtcp.js';
import { KEYFRAME, rtp } from '../support/rtp.js';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const CALLS = 5_000;
const ROUNDS = 7;
const WARM_UP = 50_000;
const ALL_CALLS = WARM_UP + ROUNDS * CALLS;
/** For the noise of the process; a single number on the heap per call would be 8 or more. */
const BYTES_PER_CALL = 2;

/**
 * Bytes of heap that one call takes. So few calls that no collection of the young generation (1 MB at first) comes
 * between, which would hide garbage; the least of several rounds, as compilers and timers allocate too.
 */
function bytesPerCall(call: () => void): number {
  for (let i = 0; i < WARM_UP; i++) call();
  const rounds = Array.from({ length: ROUNDS }, () => {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) call();
    return (process.memoryUsage().heapUsed - before) / CALLS;
  });
  return Math.min(...rounds);
}

describe('the engine allocates', () => {
  test('nothing per subscriber of a packet', async () => {
    const stage = await Stage.open('vp8', { absSendTime: 1 });
    const downs = Array.from({ length: 10 }, (_, i) => stage.subscribe('video', { ssrc: i + 1 }, i + 2));
    for (let i = 0; i < 1000; i++) stage.engine.setBlocked(100 + i, 2, true);
    stage.receive(rtp({ payloadType: VIDEO_PT, sequence: 1, payload: KEYFRAME.vp8 }), 1);
    const { engine } = stage;
    let forwarded = 0;
    let next = 0;
    const perCall = bytesPerCall(() => {
      if (engine.translate(downs[next] ?? -1, 1) === FORWARD) forwarded++;
      next = (next + 1) % 10;
    });
    assert.equal(forwarded, ALL_CALLS);
    assert.ok(perCall < BYTES_PER_CALL, `${perCall} bytes per subscriber`);
  });

  test('nothing per report, request or lost packet', async () => {
    const stage = await Stage.open('vp8');
    const { engine, audio, video } = stage;
    const down = stage.subscribe('video');
    const { sequence } = stage.relayed(rtp({ payloadType: VIDEO_PT, sequence: 1, payload: KEYFRAME.vp8 }), down, 1);
    stage.receive(rtp({ payloadType: AUDIO_PT, sequence: 1 }), 1);
    stage.receive(rtp({ payloadType: VIDEO_PT, sequence: 9, payload: KEYFRAME.vp8 }), 1);
    const report = senderReport({ ssrc: 1000, ntp: [1, 1], timestamp: 1 });
    const lost = nack(0xbbbb0001, [sequence + 1, 0]);
    const perCall = bytesPerCall(() => {
      engine.readPublisherRtcp(audio, video, report, 1);
      engine.senderReport(down, 2);
      engine.receiverReport(audio, video, 1e6, 2);
      engine.keyframeRequest(video, 'pli');
      engine.readSubscriberRtcp(-1, down, lost, 2);
      engine.retransmission(0, 2);
      engine.lossRequest(video, 20);
    });
    assert.ok(perCall < BYTES_PER_CALL, `${perCall} bytes per call`);
  });

  test('one view per incoming packet, and this measure sees it', async () => {
    const stage = await Stage.open();
    const packet = rtp({ payloadType: AUDIO_PT, sequence: 0 });
    let sequence = 0;
    let bytes = 0;
    const perCall = bytesPerCall(() => {
      sequence = (sequence + 1) & 0xffff;
      packet.writeUInt16BE(sequence, 2);
      stage.receive(packet, 1);
      bytes += stage.engine.packet.length;
    });
    assert.equal(bytes, ALL_CALLS * packet.length);
    assert.ok(perCall > 16 && perCall < 300, `${perCall} bytes per packet`);
  });
});

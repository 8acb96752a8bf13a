import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { AUDIO_PT, Stage, VIDEO_PT } from '../support/engine.js';
import { quickest } from '../support/quickest.js';
import { fir, nack, pli, receiverReport } from '../support/rtcp.js';
import { KEYFRAME, rtp } from '../support/rtp.js';

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

/** Fills the RTCP inbox, so that these bytes lie behind a shorter packet. */
function litter({ stage }: Setting, byte: number): void {
  stage.engine.readPublisherRtcp(-1, -1, Buffer.alloc(layout.PACKET_CAPACITY, byte), 0);
}

describe('hostile RTCP', () => {
  test('M5: cut anywhere is read up to the cut, and no block that the cut leaves unfinished', async () => {
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

  test('M5: takes no more than 30 ms, though it asks for 6,000 packets', async () => {
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
});

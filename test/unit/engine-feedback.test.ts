import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { AUDIO_PT, PUBLISHER, Stage, SUBSCRIBER, upParameters, VIDEO_PT } from '../support/engine.js';
import { bye, fir, nack, pli, readRtcp, receiverReport, rtcp, senderReport, words } from '../support/rtcp.js';
import { DELTA, KEYFRAME, rtp } from '../support/rtp.js';

const AUDIO_SSRC = 0xaaaa0001;
const VIDEO_SSRC = 0xbbbb0001;

describe('feedback', () => {
  test('to the publisher is PLI or FIR in a whole compound, of the SSRC known or declared', async () => {
    const stage = await Stage.open();
    assert.equal(stage.engine.keyframeRequest(stage.video, 'pli'), null);
    stage.engine.configureUpTrack(stage.video, { ...upParameters('vp8'), ssrc: 0xdec1 });
    const declared = readRtcp(stage.engine.keyframeRequest(stage.video, 'pli') ?? Buffer.alloc(0))[2];
    assert.deepEqual(declared?.body, words(layout.REPORTER_SSRC, 0xdec1));
    stage.receive(rtp({ payloadType: VIDEO_PT, sequence: 1, ssrc: 0xcafe }), 1);
    const [report, sdes, request] = readRtcp(stage.engine.keyframeRequest(stage.video, 'pli') ?? Buffer.alloc(0));
    assert.deepEqual([report?.type, report?.subtype, sdes?.type], [201, 0, 202]);
    assert.deepEqual(request, { subtype: 1, type: 206, body: words(layout.REPORTER_SSRC, 0xcafe) });
    for (const number of [0, 1, 2]) {
      const last = readRtcp(stage.engine.keyframeRequest(stage.video, 'fir') ?? Buffer.alloc(0))[2];
      assert.deepEqual(last, {
        subtype: 4,
        type: 206,
        body: words(layout.REPORTER_SSRC, 0xcafe, 0xcafe, number << 24),
      });
    }
  });

  test('of the subscriber: PLI and FIR of its video, in any place of the compound', async () => {
    const stage = await Stage.open();
    const audio = stage.subscribe('audio');
    const video = stage.subscribe('video');
    const seen = (...packets: Buffer[]) => stage.engine.readSubscriberRtcp(audio, video, Buffer.concat(packets), 1);
    assert.equal(seen(pli(VIDEO_SSRC)), layout.SUBSCRIBER_PLI);
    assert.equal(seen(fir(VIDEO_SSRC)), layout.SUBSCRIBER_FIR);
    assert.equal(seen(fir(5, VIDEO_SSRC)), layout.SUBSCRIBER_FIR);
    assert.equal(seen(rtcp(0, 192, words(VIDEO_SSRC))), layout.SUBSCRIBER_FIR, 'RFC 2032');
    assert.equal(seen(receiverReport(1, { ssrc: VIDEO_SSRC }), pli(VIDEO_SSRC), nack(VIDEO_SSRC, [1, 0])), 1 | 4 | 8);
    assert.equal(seen(pli(AUDIO_SSRC)) | seen(pli(77)) | seen(fir(77)) | seen(fir()), 0);
    stage.engine.setBlocked(PUBLISHER, SUBSCRIBER, true);
    assert.equal(
      seen(pli(VIDEO_SSRC)) | seen(fir(VIDEO_SSRC)) | seen(rtcp(0, 192, words(VIDEO_SSRC))),
      0,
      'not through a block',
    );
    assert.equal(seen(receiverReport(1, { ssrc: VIDEO_SSRC })), layout.SUBSCRIBER_REPORT);
  });

  test('of the subscriber: no entry or block that its packet has no room for, whatever follows it', async () => {
    const stage = await Stage.open();
    // An SSRC that is also the header of an RTCP packet of 24 bytes, and so the next packet looks like a report block.
    const ssrc = 0x80cc0005;
    const down = stage.subscribe('video', { ssrc });
    const seen = (...packets: Buffer[]) => stage.engine.readSubscriberRtcp(-1, down, Buffer.concat(packets), 1);
    const likeBlock = rtcp(0, 204, words(50, 0, 0, 0, 0));
    assert.equal(likeBlock.readUInt32BE(0), ssrc);
    assert.equal(seen(rtcp(1, 201, words(1)), likeBlock), 0);
    assert.equal(seen(rtcp(1, 200, words(1, 2, 3, 4, 5, 6)), likeBlock), 0);
    assert.equal(stage.engine.takeLost(down), 0);
    assert.equal(seen(rtcp(4, 206, words(1, 0, ssrc))), 0, 'half an entry of FIR');
    assert.equal(seen(rtcp(1, 206, words(1)), likeBlock), 0, 'a PLI without its source');
    assert.equal(seen(rtcp(1, 205, words(1, ssrc))), 0, 'a NACK without entries');
  });

  test('of the subscriber: losses that it reports, each told once', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('video');
    const hear = (lost: number) => {
      stage.engine.readSubscriberRtcp(-1, down, receiverReport(1, { ssrc: VIDEO_SSRC, lost }), 1);
      return stage.engine.takeLost(down);
    };
    assert.deepEqual([0, 10, 10, 8, 12, -5, 0x7fffff].map(hear), [0, 10, 0, 0, 2, 0, 0x7fffff - 12]);
  });

  test('of the publisher: reports of its sources and its BYE, no one else’s', async () => {
    const stage = await Stage.open();
    stage.receive(rtp({ payloadType: AUDIO_PT, sequence: 1, ssrc: 1 }), 1);
    stage.receive(rtp({ payloadType: VIDEO_PT, sequence: 1, ssrc: 2 }), 1);
    const seen = (...packets: Buffer[]) =>
      stage.engine.readPublisherRtcp(stage.audio, stage.video, Buffer.concat(packets), 1);
    const report = (ssrc: number) => senderReport({ ssrc, ntp: [1, 1], timestamp: 1 });
    assert.equal(seen(report(1)), layout.PUBLISHER_AUDIO_REPORT);
    assert.equal(seen(report(2), bye(9, 1)), layout.PUBLISHER_VIDEO_REPORT | layout.PUBLISHER_BYE);
    assert.equal(seen(report(3), bye(3), bye()), 0);
    assert.equal(seen(report(1), report(2)), 3);
  });

  test('M5: is dropped from the first packet on that cannot be one, and what came before it counts', async () => {
    const stage = await Stage.open();
    const video = stage.subscribe('video');
    const seen = (...packets: Buffer[]) => stage.engine.readSubscriberRtcp(-1, video, Buffer.concat(packets), 1);
    const wrongVersion = Buffer.from(pli(VIDEO_SSRC));
    wrongVersion[0] = 0x41;
    const tooLong = Buffer.from(pli(VIDEO_SSRC));
    tooLong.writeUInt16BE(500, 2);
    const zeroLength = Buffer.from([0x81, 206, 0, 0]);
    const padded = (count: number) => {
      const packet = rtcp(1, 206, words(1, VIDEO_SSRC, count));
      packet[0] = 0xa1;
      return packet;
    };
    assert.equal(seen(wrongVersion, pli(VIDEO_SSRC)), 0);
    assert.equal(seen(receiverReport(1, { ssrc: VIDEO_SSRC }), tooLong, pli(VIDEO_SSRC)), layout.SUBSCRIBER_REPORT);
    assert.equal(seen(zeroLength, pli(VIDEO_SSRC)), layout.SUBSCRIBER_PLI);
    assert.equal(seen(padded(4)), layout.SUBSCRIBER_PLI);
    for (const count of [0, 1, 16, 255]) assert.equal(seen(padded(count)), 0, `padding ${count}`);
    assert.equal(seen(Buffer.alloc(0)), 0);
    assert.equal(seen(Buffer.alloc(1501, pli(VIDEO_SSRC))), 0);
  });

  test('of the subscriber: what its line carries (REMB), whatever exponent says it', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('video');
    const remb = (head: number, name = 0x52454d42) => rtcp(15, 206, words(1, 0, name, head, VIDEO_SSRC));
    const seen = (...packets: Buffer[]) => stage.engine.readSubscriberRtcp(-1, down, Buffer.concat(packets), 1);
    assert.equal(seen(receiverReport(1), remb(0x0112625a)), layout.SUBSCRIBER_ESTIMATE);
    assert.equal(stage.engine.estimate, 2_500_000);
    seen(remb(0x01000001));
    assert.equal(stage.engine.estimate, 1);
    for (const most of [0x01ffffff, 0x0184ffff, 0x0167ffff]) {
      seen(remb(most));
      assert.equal(stage.engine.estimate, 2 ** 31 - 1, most.toString(16));
    }
    assert.equal(seen(remb(0x0112625a, 0x52454d43)), 0, 'another application’s');
    assert.equal(seen(rtcp(15, 206, words(1, 0, 0x52454d42))), 0, 'cut');
    assert.equal(seen(rtcp(15, 206, words(1, 0))), 0);
  });

  test('of a subscriber whose video is paused asks for nothing, and its video starts anew as after a block', async () => {
    const stage = await Stage.open('vp8');
    const { engine } = stage;
    const down = stage.subscribe('video');
    const picture = (sequence: number, payload = KEYFRAME.vp8) =>
      rtp({ payloadType: VIDEO_PT, sequence, timestamp: sequence * 3000, payload });
    const before = stage.relayed(picture(1), down, 1);
    engine.setDownTrackPaused(down, true);
    assert.equal(stage.relay(picture(2), down, 2), layout.DROP_PAUSED);
    assert.equal(engine.waitingForKeyframe(stage.video), 0);
    assert.equal(engine.beginReplay(down, 600, 3), 0);
    assert.equal(
      engine.readSubscriberRtcp(-1, down, Buffer.concat([pli(VIDEO_SSRC), nack(VIDEO_SSRC, [before.sequence, 0])]), 4),
      0,
    );
    engine.setDownTrackPaused(down, false);
    assert.equal(engine.waitingForKeyframe(stage.video), 1);
    assert.equal(stage.relay(picture(3, DELTA.vp8), down, 5), layout.DROP_WAITING_FOR_KEYFRAME);
    assert.equal(stage.relayed(picture(4), down, 6).sequence, (before.sequence + 1) & 0xffff);
    for (const track of [-1, 99, 1e9]) assert.throws(() => engine.setDownTrackPaused(track, true), /no down track/);
  });
});

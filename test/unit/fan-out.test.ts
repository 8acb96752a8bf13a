import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readRtcp, receiverEstimatedMaximumBitrate } from '../../bench/load/rtcp.js';
import { isRtcp } from '../../bench/load/rtp.js';
import { RING_BYTES } from '../../workers/ring.js';
import { AUDIO_PT, VIDEO_PT } from '../support/engine.js';
import { receiverReport, senderReport } from '../support/rtcp.js';
import { DELTA, KEYFRAME, readRtp, rtp } from '../support/rtp.js';
import { MIRRORED, ShardPair } from '../support/shard-pair.js';

const video = (sequence: number, payload = DELTA.vp8, filler = 0) =>
  rtp({
    payloadType: VIDEO_PT,
    sequence,
    timestamp: sequence * 3000,
    ssrc: 5,
    payload: Buffer.concat([payload, Buffer.alloc(filler)]),
  });
const audio = (sequence: number) =>
  rtp({ payloadType: AUDIO_PT, sequence, timestamp: sequence * 960, ssrc: 6, payload: Buffer.alloc(80) });
const kindsTold = (pair: ShardPair) => pair.told.flatMap((packet) => readRtcp(packet)).map(({ kind }) => kind);

describe('a publisher with a mirror', () => {
  test('is relayed on both shards; the mirror is told who it is and how it sends before its first packet', async () => {
    const pair = await ShardPair.open();
    const near = pair.home.subscribe(pair.publisher, 10);
    pair.mirror.user = 0;
    pair.begin();
    const far = pair.other.subscribe(pair.mirror, 11);
    pair.send(video(1, KEYFRAME.vp8));
    pair.send(audio(1));
    pair.send(video(2));
    pair.other.drain();
    assert.equal(pair.mirror.user, pair.publisher.user);
    const seen = (sent: Buffer[]) => sent.map((packet) => readRtp(packet).rest.toString('hex'));
    assert.equal(near.sent.length, 3);
    assert.deepEqual(seen(far.sent), seen(near.sent));
    const { packetsToShards, packetsSent } = pair.home.counters.read();
    assert.deepEqual([packetsToShards, packetsSent], [3, 3]);
    assert.equal(pair.other.counters.read().packetsSent, 3);
  });

  test('costs no ring, no wake-up and no record while it has none', async () => {
    const pair = await ShardPair.open();
    pair.send(video(1, KEYFRAME.vp8));
    assert.equal(pair.home.wakes, 0);
    assert.equal(pair.ring.peek(), null);
    pair.begin();
    pair.home.fanOut.setMirrors(pair.publisher, []);
    assert.equal(pair.publisher.mirrors, null);
    const wakes = pair.home.wakes;
    pair.send(video(2));
    assert.equal(pair.home.wakes, wakes);
  });

  test('whose other shard falls behind loses video first, is counted, and is asked for a keyframe after the gap', async () => {
    const pair = await ShardPair.open();
    pair.begin();
    const { sent } = pair.other.subscribe(pair.mirror, 11);
    let sequence = 1;
    pair.send(video(sequence, KEYFRAME.vp8, 1100));
    while (pair.home.counters.read().videoRingFull === 0) pair.send(video(++sequence, DELTA.vp8, 1100));
    for (let i = 0; i < 50; i++) pair.send(audio(100 + i));
    const { audioRingFull, packetsToShards } = pair.home.counters.read();
    assert.equal(audioRingFull, 0, 'sound has room where pictures have none');
    assert.ok(packetsToShards * 1100 < RING_BYTES, 'what waits is bounded');
    assert.ok(!kindsTold(pair).includes('pli'), 'not while there is no room for the picture');
    pair.other.drain();
    assert.equal(sent.length, packetsToShards, 'all that was written is there');
    pair.send(video(++sequence));
    assert.ok(kindsTold(pair).includes('pli'));
    assert.equal(pair.home.counters.read().videoRingFull, 1);
  });

  test('whose settings find no room is told them with the first packet that finds some', async () => {
    const pair = await ShardPair.open();
    pair.begin();
    pair.other.drain();
    // Another publisher's messages fill the ring to the last byte but these.
    while (pair.ring.write(Buffer.alloc(1024), Buffer.alloc(0)));
    while (pair.ring.write(Buffer.alloc(4), Buffer.alloc(0)));
    pair.publisher.user = 99;
    pair.publisher.mirrors?.configure();
    pair.send(audio(1));
    assert.equal(pair.home.counters.read().audioRingFull, 1);
    pair.other.drain();
    assert.notEqual(pair.mirror.user, 99);
    pair.send(audio(2));
    pair.other.drain();
    assert.equal(pair.mirror.user, 99);
  });

  test('is asked for keyframes by the mirror’s subscribers as by its own, at most once in a while', async () => {
    const pair = await ShardPair.open();
    pair.begin();
    pair.send(video(1, KEYFRAME.vp8));
    pair.other.drain();
    pair.told.length = 0;
    pair.other.feedback.requestKeyframe(pair.mirror, 'fir', performance.now());
    pair.other.feedback.requestKeyframe(pair.mirror, 'pli', performance.now());
    pair.home.drain();
    assert.deepEqual(
      kindsTold(pair).filter((kind) => kind === 'fir' || kind === 'pli'),
      ['fir'],
    );
    const { keyframeRequests } = pair.home.counters.read();
    assert.deepEqual([keyframeRequests, pair.other.counters.read().keyframeRequests], [1, 0]);
  });

  test('is held to what the better half of all its subscribers can take, wherever they are, and the mirror knows', async () => {
    const pair = await ShardPair.open();
    pair.begin();
    pair.home.subscribe(pair.publisher, 10);
    const far = [11, 12, 13].map((handle) => pair.other.subscribe(pair.mirror, handle));
    const bitrates = () =>
      pair.told
        .flatMap((packet) => readRtcp(packet))
        .flatMap((packet) => (packet.kind === 'remb' ? [packet.bitrate] : []));
    // What the publisher sends is measured over two seconds; an estimate above it would be no limit.
    let now = performance.now() + 2000;
    for (let sequence = 1; sequence < 600; sequence++) {
      pair.send(video(sequence, sequence === 1 ? KEYFRAME.vp8 : DELTA.vp8, 1100));
      pair.other.drain();
      if (sequence % 200 !== 1) continue;
      now += 1000;
      pair.other.feedback.tick(now);
      pair.home.feedback.tick(now);
    }
    assert.ok((bitrates().at(-1) ?? 0) > 2_000_000);
    for (const { member } of far) {
      const packet = Buffer.concat([
        receiverReport(1),
        receiverEstimatedMaximumBitrate(1, 300_000, [member.handle * 2 + 1]),
      ]);
      pair.other.feedback.receive(member, packet, now);
    }
    pair.other.feedback.tick(now + 1000);
    pair.home.drain();
    pair.home.feedback.tick(now + 2000);
    const told = bitrates().at(-1) ?? 0;
    assert.ok(Math.abs(told - 300_000) < 3000, `${told} bit/s`);
    pair.other.drain();
    assert.equal(pair.mirror.home?.held, 300_000);
  });

  test('tells the mirror its clock, also by a report that came before', async () => {
    const pair = await ShardPair.open();
    pair.send(video(1, KEYFRAME.vp8));
    pair.send(senderReport({ ssrc: 5, ntp: [1000, 0], timestamp: 3000 }));
    pair.begin();
    const { sent } = pair.other.subscribe(pair.mirror, 11);
    pair.send(video(2, KEYFRAME.vp8));
    pair.other.drain();
    const reports = () =>
      sent
        .filter(isRtcp)
        .flatMap((packet) => readRtcp(packet))
        .flatMap((one) => (one.kind === 'sender-report' ? [one] : []));
    assert.equal(reports().length, 1);
    assert.equal(reports()[0]?.ssrc, 23);
    pair.send(senderReport({ ssrc: 5, ntp: [1001, 0], timestamp: 93_000 }));
    pair.other.drain();
    assert.equal(reports().length, 2);
  });

  test('is nobody’s business where a shard knows no such mirror, or one of another home, any more', async () => {
    const pair = await ShardPair.open();
    pair.begin();
    const { sent } = pair.other.subscribe(pair.mirror, 11);
    pair.send(video(1, KEYFRAME.vp8));
    pair.other.fanOut.forget(pair.mirror);
    pair.other.drain();
    assert.deepEqual(sent, []);
    pair.mirror.home?.requestKeyframe('fir');
    pair.home.fanOut.forget(pair.publisher);
    pair.told.length = 0;
    pair.home.drain();
    assert.deepEqual(pair.told, []);
    assert.equal(pair.other.counters.read().mirrors, 0);
    assert.equal(pair.publisher.handle, MIRRORED);
  });
});

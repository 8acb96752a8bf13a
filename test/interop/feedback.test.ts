import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { senderReport } from '../../bench/load/rtcp.js';
import { sequenceSteps, startCall } from '../support/call.js';
import { isMedia, ServerProxy } from '../support/lossy-proxy.js';
import { usingRooms } from '../support/suite.js';

after(releaseNative);

describe('RTCP through the relay', () => {
  const suite = usingRooms({ workers: 1 });

  test("a subscriber's PLI and FIR reach the publisher, and a keyframe comes back", async () => {
    const { source, sink } = await startCall(suite.room);
    for (const [ask, kind] of [
      [() => sink.askForKeyframe(), 'pli'],
      [() => sink.askForFullIntra(1), 'fir'],
    ] as const) {
      const asked = source.reports(kind).length;
      const keyframes = sink.of('video').filter(({ keyframe }) => keyframe).length;
      ask();
      await source.until(() => source.reports(kind).length > asked, `a ${kind} at the publisher`);
      const request = source.reports(kind).at(-1);
      const wanted = request?.kind === 'fir' ? request.entries[0]?.ssrc : request?.mediaSsrc;
      assert.equal(wanted, source.video.ssrc, `the ${kind} names the publisher's SSRC`);
      await sink.until(() => sink.of('video').filter(({ keyframe }) => keyframe).length > keyframes, 'a keyframe');
    }
  });

  test('a blocked subscriber cannot make the publisher send keyframes', async () => {
    const { alice, source, sink, back } = await startCall(suite.room);
    await back.block(alice.id);
    const before = source.keyframeRequests.length;
    for (let sent = 0; sent < 50; sent++) sink.askForKeyframe();
    const witness = await (await suite.room.enter('carol')).subscribe(alice.id);
    await witness.more('video', 150);
    const requests = source.keyframeRequests.length - before;
    assert.ok(requests <= 1, `${requests} requests; one is the new subscriber's`);
  });

  test('what the network loses on the way to a subscriber is sent again when it asks', async () => {
    const alice = await suite.room.enter('alice');
    const source = await alice.publish();
    source.start();
    const proxy = await ServerProxy.start();
    try {
      const sink = await (await suite.room.enter('bob')).subscribe(alice.id, { via: proxy.via });
      await sink.more('video', 20);
      const lost = new Set<number>();
      proxy.lose = (datagram, towards) => {
        if (towards === 'server' || !isMedia(datagram) || datagram.readUInt32BE(8) !== sink.announced.video.ssrc)
          return false;
        const sequenceNumber = datagram.readUInt16BE(2);
        if (sequenceNumber % 5 !== 0 || lost.has(sequenceNumber) || lost.size >= 10) return false;
        lost.add(sequenceNumber);
        return true;
      };
      await sink.until(() => lost.size >= 10, 'ten packets are lost');
      await sink.more('video', 5);
      const missing = [...lost];
      assert.ok(missing.every((wanted) => sink.of('video').every(({ sequenceNumber }) => sequenceNumber !== wanted)));
      sink.askAgain('video', missing);
      const has = (wanted: number) => sink.of('video').some(({ sequenceNumber }) => sequenceNumber === wanted);
      await sink.until(() => missing.every(has), 'the lost packets come');
      const inOrder = sink.of('video').sort((a, b) => a.number - b.number);
      assert.deepEqual(
        sequenceSteps(inOrder).filter((step) => step !== 1),
        [],
        'each came back under its own sequence number',
      );
    } finally {
      await suite.room.close();
      proxy.close();
    }
  });

  test("sender reports reach subscribers in the terms of their own stream's SSRC and timestamps", async () => {
    const { source, sink } = await startCall(suite.room);
    for (const kind of ['video', 'audio'] as const) {
      const stream = source[kind];
      const pivot = sink.of(kind).at(-1);
      assert.ok(pivot);
      const offset = (pivot.timestamp - (stream.timestamp - (stream.number - pivot.number) * stream.step)) >>> 0;
      const wallClock = Date.now();
      const reported = stream.timestamp;
      source.peer.send(senderReport(stream.ssrc, wallClock, reported, stream.number, stream.number * 1000));
      const mine = () => sink.reports('sender-report').filter(({ ssrc }) => ssrc === sink.announced[kind].ssrc);
      await sink.until(() => mine().length > 0, `a sender report of the ${kind}`);
      const report = mine().at(-1);
      assert.ok(report);
      assert.equal(
        (report.rtpTimestamp - reported) >>> 0,
        offset,
        `${kind} timestamp is rewritten as the packets' are`,
      );
      assert.ok(report.packetCount > 0 && report.packetCount <= sink.count[kind] + 5);
    }
  });

  test('a publisher gets receiver reports about what it sends, and is told how much video it may send', async () => {
    const { source } = await startCall(suite.room);
    const blockOf = (ssrc: number) =>
      source
        .reports('receiver-report')
        .flatMap(({ blocks }) => blocks)
        .findLast((block) => block.ssrc === ssrc);
    await source.until(
      () => blockOf(source.video.ssrc) !== undefined && blockOf(source.audio.ssrc) !== undefined,
      'RR',
    );
    const seen = blockOf(source.video.ssrc);
    assert.equal(seen?.packetsLost, 0);
    assert.ok((seen?.highestSequenceNumber ?? 0) <= source.video.number + 1);
    await source.until(() => source.reports('remb').length > 0, 'REMB');
    const estimate = source.reports('remb').at(-1);
    assert.ok(Math.abs((estimate?.bitrate ?? 0) - 2_500_000) < 25_000, `${estimate?.bitrate} bit/s`);
    assert.deepEqual(estimate?.ssrcs, [source.video.ssrc]);
  });
});

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { assertContinuous, startCall } from '../support/call.js';
import { usingRooms } from '../support/suite.js';

after(releaseNative);

describe('media through the relay', () => {
  const suite = usingRooms({ workers: 1 });

  test('a subscriber gets every packet, in order, with the SSRC and payload type of its own SDP', async () => {
    const { source, sink } = await startCall(suite.room);
    await sink.more('video', 100);
    for (const kind of ['audio', 'video'] as const) {
      assertContinuous(sink, kind);
      const packets = sink.of(kind);
      const first = packets[0]?.number ?? 0;
      assert.deepEqual(
        packets.map(({ number }) => number - first),
        packets.map((_, index) => index),
        `the ${kind} payloads are those that were sent`,
      );
      assert.ok(packets.every(({ tag }) => tag === source[kind].tag));
      assert.equal(packets[0]?.bytes.length, kind === 'video' ? 1200 : 100);
    }
    assert.equal(sink.of('video')[0]?.keyframe, true, 'video starts with a keyframe');
  });

  test('several subscribers, some of them handles of one user, get the same packets under SSRCs of their own', async () => {
    const { alice, bob, sink } = await startCall(suite.room);
    const again = await bob.subscribe(alice.id);
    const carol = await suite.room.enter('carol');
    const other = await carol.subscribe(alice.id);
    await Promise.all([again, other].map((subscriber) => subscriber.more('video', 30)));
    for (const subscriber of [sink, again, other]) assertContinuous(subscriber, 'video');
    const ssrcs = [sink, again, other].map(({ announced }) => announced.video.ssrc);
    assert.equal(new Set(ssrcs).size, 3);
  });

  test('a block stops media both ways, and after the unblock nothing seems to have been missing', async () => {
    const { alice, bob, source, sink, back } = await startCall(suite.room);
    back.start();
    const reverse = await alice.subscribe(bob.id);
    await reverse.more('video', 20);
    await back.block(alice.id);
    const counts = [{ ...sink.count }, { ...reverse.count }];
    const sentBefore = source.video.number;
    const third = await suite.room.enter('carol');
    const witness = await third.subscribe(alice.id);
    // Its first packets are older than its subscription: what followed the last keyframe.
    await witness.until(() => source.video.number - sentBefore > 50 && witness.count.video > 50, '50 more packets');
    for (const [index, subscriber] of [sink, reverse].entries()) {
      for (const kind of ['audio', 'video'] as const) {
        const more = subscriber.count[kind] - (counts[index]?.[kind] ?? 0);
        assert.ok(more <= 2, `${more} ${kind} packets came through the block`);
      }
    }
    await back.unblock(alice.id);
    await Promise.all([sink.more('video', 50), reverse.more('video', 50), sink.more('audio', 20)]);
    for (const subscriber of [sink, reverse]) {
      assertContinuous(subscriber, 'video');
      assertContinuous(subscriber, 'audio');
      const packets = subscriber.of('video');
      const resumed = packets.findIndex(
        ({ number }, index) => index > 0 && number - (packets[index - 1]?.number ?? 0) > 5,
      );
      assert.equal(packets[resumed]?.keyframe, true, 'video comes back with a keyframe');
    }
  });

  test('a publisher whose SSRC, sequence numbers and timestamps change stays one stream for the subscriber', async () => {
    const { source, sink } = await startCall(suite.room);
    for (const stream of [source.audio, source.video]) {
      stream.ssrc = (stream.ssrc + 0x2000_0000) >>> 0;
      stream.sequenceNumber = 60_000;
      stream.timestamp = 0xffff_ff00;
    }
    await Promise.all([sink.more('video', 100), sink.more('audio', 50)]);
    assertContinuous(sink, 'video');
    assertContinuous(sink, 'audio');
  });

  test('sequence numbers and timestamps wrap without a seam', async () => {
    const alice = await suite.room.enter('alice');
    const source = await alice.publish();
    for (const stream of [source.audio, source.video]) {
      stream.sequenceNumber = 65_500;
      stream.timestamp = 0xffff_8000;
    }
    source.start();
    const sink = await (await suite.room.enter('bob')).subscribe(alice.id);
    await Promise.all([sink.more('video', 150), sink.more('audio', 75)]);
    assertContinuous(sink, 'video');
    assertContinuous(sink, 'audio');
  });

  test('a subscriber of a publisher that has no peer yet gets its media when it comes', async () => {
    const alice = await suite.room.enter('alice');
    const source = await alice.attachPublisher();
    await source.join();
    const sink = await (await suite.room.enter('bob')).subscribe(alice.id);
    await source.negotiate();
    source.start();
    await Promise.all([sink.more('video', 30), sink.more('audio', 15)]);
    assertContinuous(sink, 'video');
    assertContinuous(sink, 'audio');
  });

  test('media that a publisher adds in a second offer reaches those who subscribed before', async () => {
    const alice = await suite.room.enter('alice');
    const source = await alice.attachPublisher();
    await source.negotiate(false);
    await source.join();
    const sink = await (await suite.room.enter('bob')).subscribe(alice.id);
    await source.addMedia();
    source.start();
    await Promise.all([sink.more('video', 30), sink.more('audio', 15)]);
    assertContinuous(sink, 'video');
  });

  test('an ICE restart of the publisher, a new PeerConnection on the same handle, keeps its subscribers going', async () => {
    const { source, sink } = await startCall(suite.room);
    await source.restart();
    const resumedAt = sink.count.video;
    await Promise.all([sink.more('video', 60), sink.more('audio', 20)]);
    assert.ok(sink.count.video >= resumedAt + 60);
    assertContinuous(sink, 'video');
    assertContinuous(sink, 'audio');
    assert.equal(sink.told('hangup').length, 0);
  });

  test('a publisher that leaves is gone for the others at once, and is heard again when it returns', async () => {
    const { alice, bob, back, sink } = await startCall(suite.room);
    await alice.close();
    await back.until(() => back.notices('leave').some(({ user_id }) => user_id === alice.id), 'the leave notice');
    await sink.until(() => sink.told('hangup').length + sink.told('event').length > 0, 'the subscriber is told');
    const returned = await suite.room.enter('alice');
    assert.equal(returned.id, alice.id);
    const source = await returned.publish();
    source.start();
    await back.until(() => back.notices('join').some(({ user_id }) => user_id === alice.id), 'the join notice');
    const again = await bob.subscribe(alice.id);
    await again.more('video', 30);
    assertContinuous(again, 'video');
  });

  test('a user with two publishers is heard by the newest, and by the other when that one is gone', async () => {
    const { alice, bob, source, back } = await startCall(suite.room);
    const newest = await alice.publish();
    newest.start();
    const sink = await bob.subscribe(alice.id);
    await sink.more('video', 20);
    assert.ok(sink.packets.every(({ tag }) => tag === newest.video.tag));
    await newest.handle.detach();
    assert.equal(back.notices('leave').length, 0, 'alice is still there');
    const again = await bob.subscribe(alice.id);
    await again.more('video', 20);
    assert.ok(again.packets.every(({ tag }) => tag === source.video.tag));
  });

  test('VP8 goes through a room whose clients have no H264', async () => {
    const alice = await suite.room.enter('alice');
    const source = await alice.publish({ codec: 'vp8' });
    source.start();
    const sink = await (await suite.room.enter('bob')).subscribe(alice.id);
    await sink.more('video', 30);
    assertContinuous(sink, 'video');
    assert.equal(sink.of('video')[0]?.keyframe, true);
  });
});

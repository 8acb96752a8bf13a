/** A publisher whose subscribers live on two workers: those on the other one get all that those on its own get. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { senderReport } from '../../bench/load/rtcp.js';
import { assertContinuous, sequenceSteps } from '../support/call.js';
import { readExposition, sampleOf } from '../support/exposition.js';
import { Room, type User } from '../support/peer.js';
import type { Publisher } from '../support/publisher.js';
import { type RunningServer, startServer } from '../support/server.js';
import type { Subscriber } from '../support/subscriber.js';

after(releaseNative);

describe('a publisher with subscribers on two workers', () => {
  let server: RunningServer;
  let room: Room;
  before(async () => {
    server = await startServer({ workers: 2, env: { FAN_OUT: 'spread' } });
  });
  beforeEach(() => {
    room = new Room(server.wsUrl);
  });
  afterEach(() => room.close());
  after(async () => assert.equal(await server.stop(), 0, server.output()));

  const sum = async (name: string): Promise<number> => {
    const families = readExposition(await (await fetch(`${server.httpUrl}/metrics`)).text());
    return ['0', '1'].reduce((all, shard) => all + sampleOf(families, `janus_sfu_${name}`, { shard }), 0);
  };

  /** Resolves when a figure of all workers is as wanted: their counters follow what clients see by a moment. */
  const settled = async (name: string, wanted: number): Promise<void> => {
    const limit = performance.now() + 10_000;
    while ((await sum(name)) !== wanted) {
      if (performance.now() > limit) throw new Error(`${name} is ${await sum(name)}, not ${wanted}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  /** Alice publishes; one subscriber lives on her own worker, one on the other, whoever that is. */
  async function fannedOut(): Promise<{ alice: User; source: Publisher; sinks: Subscriber[]; mirrored: Subscriber }> {
    const alice = await room.enter('alice');
    const source = await alice.publish();
    source.start();
    const sinks: Subscriber[] = [];
    for (const name of ['bob', 'carol']) sinks.push(await (await room.enter(name)).subscribe(alice.id));
    const home = source.serverPort;
    const mirrored = sinks.find(({ serverPort }) => serverPort !== home);
    assert.ok(mirrored && sinks.some(({ serverPort }) => serverPort === home), 'one subscriber is on each worker');
    await Promise.all(sinks.map((sink) => sink.more('video', 20)));
    return { alice, source, sinks, mirrored };
  }

  test('is seen and heard by all of them: in order, without a gap, from a keyframe on, under one clock', async () => {
    const { source, sinks } = await fannedOut();
    await Promise.all(sinks.flatMap((sink) => [sink.more('video', 150), sink.more('audio', 60)]));
    for (const sink of sinks) {
      assert.ok(sink.of('video')[0]?.keyframe, 'the first packet is a keyframe');
      assertContinuous(sink, 'video');
      assertContinuous(sink, 'audio');
    }
    const { video } = source;
    const wallClock = Date.now();
    source.peer.send(senderReport(video.ssrc, wallClock, video.timestamp, video.number, video.number * 1000));
    const reports = await Promise.all(
      sinks.map(async (sink) => {
        const mine = () => sink.reports('sender-report').filter(({ ssrc }) => ssrc === sink.announced.video.ssrc);
        await sink.until(() => mine().length > 0, 'a sender report');
        return mine()[0];
      }),
    );
    for (const [index, report] of reports.entries()) {
      // The two streams have timestamps of their own; each report must place its own one at the same time of the publisher.
      const packet = sinks[index]?.of('video').at(-1);
      assert.ok(report && packet);
      const ahead = (video.timestamp - (video.number - packet.number) * video.step - packet.timestamp) | 0;
      const off = Math.abs((report.rtpTimestamp + ahead - video.timestamp) | 0) / 90;
      assert.ok(off < 3000, `${off.toFixed(0)} ms off`);
    }
    assert.equal(await sum('shard_mirrors'), 1);
    assert.ok((await sum('shard_packets_crossed_total')) > 150);
    assert.equal(await sum('shard_video_packets_ring_full_total'), 0);
  });

  test('is asked for keyframes by those on the other worker, which answers what they lost by itself', async () => {
    const { source, mirrored } = await fannedOut();
    const asked = source.reports('pli').length;
    mirrored.askForKeyframe();
    await source.until(() => source.reports('pli').length > asked, 'a PLI at the publisher');
    assert.equal(source.reports('pli').at(-1)?.mediaSsrc, source.video.ssrc);
    const wanted = mirrored.of('video').at(-5)?.sequenceNumber ?? -1;
    const copies = () => mirrored.of('video').filter(({ sequenceNumber }) => sequenceNumber === wanted).length;
    assert.equal(copies(), 1);
    mirrored.askAgain('video', [wanted]);
    await mirrored.until(() => copies() === 2, 'the packet again');
    assert.deepEqual(source.reports('nack'), [], 'nothing was lost on the publisher’s way');
  });

  test('is held to what those on the other worker can take too', async () => {
    const { source, sinks, mirrored } = await fannedOut();
    await sinks.find((sink) => sink !== mirrored)?.handle.detach();
    const told = () => source.reports('remb').at(-1)?.bitrate ?? 0;
    await source.until(() => told() > 2_000_000, 'the full bitrate');
    const narrow = setInterval(() => mirrored.estimate(300_000), 200);
    try {
      await source.until(() => told() < 400_000, 'a lower bitrate');
    } finally {
      clearInterval(narrow);
    }
  });

  test('is not heard through a block by who is on the other worker, and is heard again after it', async () => {
    const { alice, mirrored, sinks } = await fannedOut();
    const witness = sinks.find((sink) => sink !== mirrored);
    await mirrored.handle.block(alice.id);
    const before = mirrored.count.video;
    await witness?.more('video', 60);
    assert.ok(mirrored.count.video - before <= 3, `${mirrored.count.video - before} packets came through the block`);
    await mirrored.handle.unblock(alice.id);
    await mirrored.more('video', 30);
    assertContinuous(mirrored, 'video');
  });

  test('may restart ICE, hang up and come back, or add media: all of them go on with their streams', async () => {
    const { source, sinks, mirrored } = await fannedOut();
    await source.restart();
    await Promise.all(sinks.map((sink) => sink.more('video', 40)));
    for (const sink of sinks) assertContinuous(sink, 'video');
    await source.offer([{ kind: 'application', mid: '0' }]);
    const before = mirrored.count.video;
    await source.addMedia();
    await Promise.all(sinks.map((sink) => sink.more('video', 40)));
    assert.ok(mirrored.count.video >= before + 40);
    // What was sent while it was not negotiated is missing, and the payload type may be another one.
    // By SSRC: for a moment audio has a type that the present description knows as video's.
    const { ssrc } = mirrored.announced.video;
    const steps = sequenceSteps(mirrored.packets.filter((packet) => packet.ssrc === ssrc));
    assert.ok(Math.max(...steps) < 1000, 'sequence numbers go on');
  });

  test('leaves: all of them are hung up, and nothing of it stays on either worker', async () => {
    const { alice, source, sinks } = await fannedOut();
    await source.close();
    await alice.close();
    for (const sink of sinks) await sink.until(() => sink.told('hangup').length > 0, 'a hangup');
    await settled('up_tracks', 0);
    await settled('down_tracks', 0);
    assert.equal(await sum('shard_mirrors'), 0);
  });

  test('has no mirror any more when the last subscriber there is gone, and a new one when another comes', async () => {
    const { alice, mirrored, sinks } = await fannedOut();
    await mirrored.handle.detach();
    await settled('shard_mirrors', 0);
    const more: Subscriber[] = [];
    for (const name of ['dave', 'erin']) more.push(await (await room.enter(name)).subscribe(alice.id));
    await settled('shard_mirrors', 1);
    await Promise.all([...more, ...sinks.filter((sink) => sink !== mirrored)].map((sink) => sink.more('video', 40)));
    for (const sink of more) assertContinuous(sink, 'video');
  });
});

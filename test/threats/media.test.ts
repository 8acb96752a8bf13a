/** Media that is wrong in itself, or too much, from real peers (threats.md M7..M9); test/unit and test/fuzz have the rest. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { NumberedStream } from '../../bench/load/rtp.js';
import { assertUndisturbed, bystanders, inBursts } from '../support/bystanders.js';
import { startCall } from '../support/call.js';
import { usingRooms } from '../support/suite.js';

after(releaseNative);

describe('hostile media', () => {
  const suite = usingRooms({ workers: 1 });

  test("M8: RTP from a subscriber goes nowhere, and does not pass for its publisher's", async () => {
    const other = await bystanders(suite.room);
    const mallory = await suite.room.enter('mallory');
    const attacker = await mallory.subscribe(other.source.identity.id);
    const forged = new NumberedStream({
      codec: 'h264',
      ssrc: other.source.video.ssrc,
      payloadType: other.source.video.payloadType,
      tag: 666,
      payloadBytes: 1000,
      packetsPerSecond: 100,
      sequenceNumber: other.source.video.sequenceNumber + 1000,
    });
    await inBursts(1000, () => attacker.peer.send(forged.next(true, 0)));
    await assertUndisturbed(other);
    assert.ok(other.sink.packets.every(({ tag }) => tag !== 666));
  });

  test('M7: two publishers with one SSRC stay two streams', async () => {
    const other = await bystanders(suite.room);
    const mallory = await suite.room.enter('mallory');
    const twin = await mallory.publish();
    twin.video.ssrc = other.source.video.ssrc;
    twin.audio.ssrc = other.source.audio.ssrc;
    twin.start();
    const sink = await (await suite.room.enter('carol')).subscribe(mallory.id);
    await sink.more('video', 50);
    await assertUndisturbed(other);
    assert.ok(sink.packets.every(({ tag }) => tag === twin.video.tag));
    assert.ok(other.sink.packets.every(({ tag }) => tag === other.source.video.tag));
  });

  test('M9: 10,000 PLIs become at most one keyframe request per 500 ms', async () => {
    const { source, sink } = await startCall(suite.room);
    const before = source.keyframeRequests.length;
    const startedAt = performance.now();
    for (let sent = 0; sent < 10_000; sent++) {
      sink.askForKeyframe();
      if (sent % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    await source.until(() => source.keyframeRequests.length > before, 'a keyframe request');
    await sink.more('video', 100);
    const requests = source.keyframeRequests.slice(before);
    const most = Math.ceil((performance.now() - startedAt) / 500) + 1;
    assert.ok(requests.length <= most, `${requests.length} requests where ${most} are allowed`);
    const between = requests.slice(1).map((at, index) => at - (requests[index] ?? 0));
    // Arrival times jitter by what this machine is busy; what counts is that none follows at once.
    for (const gap of between) assert.ok(gap > 100, `two requests within ${gap.toFixed(0)} ms`);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { readCounters } from '../../workers/engine.js';
import { PUBLISHER, Stage, SUBSCRIBER, VIDEO_PT } from '../support/engine.js';
import { DELTA, KEYFRAME, type RtpView, readRtp, rtp } from '../support/rtp.js';
import { SimulatedCall } from '../support/simulated-call.js';

const AGE = 600;

const video = (sequence: number, payload = DELTA.vp8, ssrc = 1) =>
  rtp({ payloadType: VIDEO_PT, sequence, timestamp: sequence * 3000, ssrc, payload });

/** A stage on which a keyframe came, and so many packets after it, one per millisecond. */
async function running(packets: number, start = 65_530): Promise<Stage> {
  const stage = await Stage.open('vp8');
  stage.receive(video(start, KEYFRAME.vp8), 1000);
  for (let i = 1; i <= packets; i++) stage.receive(video(start + i), 1000 + i);
  return stage;
}

function replay(stage: Stage, down: number, now: number, ageMax = AGE): RtpView[] {
  const packets = stage.engine.beginReplay(down, ageMax, now);
  return Array.from({ length: packets }, (_, i) => {
    const packet = stage.engine.replayed(i, now);
    assert.ok(packet);
    return readRtp(packet);
  });
}

describe('a new subscriber’s picture', () => {
  test('is the last keyframe and what followed it, at once; what comes next goes on from there', async () => {
    const stage = await running(20);
    const down = stage.subscribe('video');
    const views = replay(stage, down, 1100);
    assert.equal(views.length, 21);
    for (const [i, view] of views.entries()) {
      assert.equal(view.sequence, ((views[0]?.sequence ?? 0) + i) & 0xffff);
      assert.equal(view.timestamp, ((65_530 + i) * 3000) >>> 0);
      assert.deepEqual([view.ssrc, view.rest], [0xbbbb0001, i === 0 ? KEYFRAME.vp8 : DELTA.vp8]);
    }
    const next = stage.relayed(video(65_551), down, 1101);
    assert.equal(next.sequence, ((views[20]?.sequence ?? 0) + 1) & 0xffff);
    assert.deepEqual(replay(stage, down, 1102), [], 'it waits no more');
    assert.equal(readCounters(stage.memory).keyframesReplayed, 1);
  });

  test('is not made of a keyframe that is old, far back, incomplete or none', async () => {
    const old = await running(20);
    assert.deepEqual(replay(old, old.subscribe('video'), 1601), []);
    assert.equal(replay(old, old.subscribe('video'), 1600).length, 21);
    const far = await running(layout.REPLAY_PACKETS_MAX);
    assert.deepEqual(replay(far, far.subscribe('video'), 1200), []);
    const nearly = await running(layout.REPLAY_PACKETS_MAX - 1);
    assert.equal(replay(nearly, nearly.subscribe('video'), 1200).length, layout.REPLAY_PACKETS_MAX);
    const incomplete = await running(5);
    incomplete.receive(video(65_530 + 7), 1010);
    const down = incomplete.subscribe('video');
    assert.deepEqual(replay(incomplete, down, 1011), []);
    incomplete.receive(video(65_530 + 6), 1012);
    assert.equal(replay(incomplete, down, 1013).length, 8);
    const none = await Stage.open('vp8');
    none.receive(video(1), 1000);
    assert.deepEqual(replay(none, none.subscribe('video'), 1001), []);
  });

  test('is not given to who is blocked, inactive or of audio, nor out of a former source', async () => {
    const stage = await running(5);
    const { engine } = stage;
    const down = stage.subscribe('video');
    engine.setBlocked(PUBLISHER, SUBSCRIBER, true);
    assert.deepEqual(replay(stage, down, 1010), []);
    engine.setBlocked(PUBLISHER, SUBSCRIBER, false);
    engine.setDownTrackActive(down, false);
    assert.deepEqual(replay(stage, down, 1010), []);
    engine.setDownTrackActive(down, true);
    for (const track of [-1, stage.subscribe('audio'), 9999, 1e9]) assert.deepEqual(replay(stage, track, 1010), []);
    engine.restartUpTrack(stage.video);
    assert.deepEqual(replay(stage, down, 1010), []);
    stage.receive(video(9, DELTA.vp8, 2), 1011);
    assert.deepEqual(replay(stage, down, 1012), []);
    assert.equal(engine.replayed(0, 1012), null);
  });

  test('comes back after a block without a gap, but never shows again what was shown before it', async () => {
    const stage = await running(3);
    const { engine } = stage;
    const down = stage.subscribe('video');
    const before = replay(stage, down, 1005).at(-1);
    const block = (blocked: boolean) => engine.setBlocked(PUBLISHER, SUBSCRIBER, blocked);
    block(true);
    assert.equal(stage.relay(video(65_534), down, 1006), layout.DROP_BLOCKED);
    block(false);
    assert.deepEqual(replay(stage, down, 1007), [], 'the keyframe is one that it had');
    block(true);
    stage.relay(video(65_535, KEYFRAME.vp8), down, 1008);
    stage.relay(video(65_536), down, 1009);
    block(false);
    const after = replay(stage, down, 1010);
    assert.deepEqual(
      after.map(({ sequence, timestamp }) => [sequence, timestamp]),
      [65_535, 65_536].map((original, i) => [((before?.sequence ?? 0) + 1 + i) & 0xffff, (original * 3000) >>> 0]),
    );
  });

  test('waits for the start of a keyframe that is late, and for all of it, and is then whole', async () => {
    const stage = await running(3);
    const down = stage.subscribe('video');
    stage.receive(video(65_540), 1500);
    assert.equal(stage.relay(video(65_539, KEYFRAME.vp8), down, 1510), layout.DROP_WAITING_FOR_KEYFRAME);
    assert.equal(stage.engine.admittedLate, true);
    assert.equal(replay(stage, down, 1510).length, 2);
    assert.equal(typeof stage.relay(video(65_541), down, 1511), 'object');
  });

  test('comes within a round trip from the relay to a subscriber who comes while others have just come', async () => {
    const call = await SimulatedCall.open({ uplink: { delay: 40 }, uplinkBack: { delay: 40 } });
    call.publisher.start();
    call.clock.run(5000);
    const first = call.subscribe({ downlink: { delay: 50 } });
    call.clock.run(300);
    const [start] = first.peer.video.packets.values();
    assert.ok(start && start.at < 6000 + 2 * 40 + 50 + 34, 'a keyframe was asked for, and came');
    for (const wait of [1, 40, 150]) {
      call.clock.run(wait);
      const came = call.clock.now;
      const seat = call.subscribe({ downlink: { delay: 50 } });
      call.clock.run(60);
      const packets = [...seat.peer.video.packets.values()];
      assert.equal(packets[0]?.number, start.number, 'the same keyframe');
      assert.equal(packets[0]?.at, came + 50);
    }
    assert.equal(call.publisher.keyframeRequests, 1);
  });

  test('has its sound and time with it: the first sender reports come with the first packets', async () => {
    const call = await SimulatedCall.open();
    call.publisher.start();
    call.clock.run(5010);
    const seat = call.subscribe();
    call.clock.run(200);
    const reports = seat.peer.rtcp.filter(({ kind }) => kind === 'sender-report');
    assert.equal(reports.length, 2);
  });

  test('comes after loss of the keyframe’s start, as soon as that was sent again', async () => {
    const call = await SimulatedCall.open({ rtx: true, uplink: { delay: 30 }, uplinkBack: { delay: 30 } });
    call.publisher.start();
    call.clock.run(5000);
    const seat = call.subscribe();
    call.clock.run(31);
    // The frame that answers the request leaves within 34 ms; its first packet gets lost.
    call.uplink.loseNext((packet) => packet.readUInt8(1) === VIDEO_PT);
    call.clock.run(1000);
    const packets = [...seat.peer.video.packets.values()];
    assert.ok(packets.length > 100);
    assert.deepEqual(
      packets.map(({ number }, i) => number - (packets[0]?.number ?? 0) - i).filter((gap) => gap !== 0),
      [],
      'in order and whole',
    );
    assert.ok((packets[0]?.at ?? 0) < 6000 + 60 + 34 + 100, String(packets[0]?.at));
    assert.equal(call.publisher.keyframeRequests, 1);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../assembly/layout.js';
import { readCounters } from '../../workers/engine.js';
import { AUDIO_PT, RTX_PT, Stage, upParameters, VIDEO_PT } from '../support/engine.js';
import { element, rtp } from '../support/rtp.js';

/** Every cut of a packet. */
function truncations(packet: Buffer): Buffer[] {
  return Array.from({ length: packet.length }, (_, length) => Buffer.from(packet.subarray(0, length)));
}

describe('an incoming RTP packet', () => {
  test('M1: is dropped below 12 bytes and with any version but 2, and counted', async () => {
    const stage = await Stage.open();
    for (let length = 0; length <= 64; length++) {
      for (let version = 0; version < 4; version++) {
        const packet = Buffer.alloc(length);
        if (length > 0) packet[0] = version << 6;
        if (length > 1) packet[1] = AUDIO_PT;
        if (length > 3) packet.writeUInt16BE(length, 2);
        const verdict = stage.receive(packet, length);
        if (length < 12) assert.equal(verdict, layout.DROP_TOO_SHORT);
        else if (version !== 2) assert.equal(verdict, layout.DROP_VERSION);
        else assert.equal(verdict, layout.FORWARD);
      }
    }
    const { droppedTooShort, droppedVersion } = readCounters(stage.memory);
    assert.deepEqual([droppedTooShort, droppedVersion], [12 * 4, 53 * 3]);
  });

  test('M2: is dropped when its CSRC list ends past it, for every count and every cut', async () => {
    const stage = await Stage.open();
    let sequence = 0;
    for (let count = 0; count < 16; count++) {
      const csrcs = Array.from({ length: count }, (_, i) => i);
      const whole = rtp({ payloadType: AUDIO_PT, sequence: 0, csrcs, payload: Buffer.alloc(0) });
      for (const packet of [...truncations(whole), whole]) {
        if (packet.length > 3) packet.writeUInt16BE(++sequence, 2);
        const verdict = stage.receive(packet, sequence);
        if (packet.length < 12) assert.equal(verdict, layout.DROP_TOO_SHORT);
        else if (packet.length < whole.length) assert.equal(verdict, layout.DROP_CSRC);
        else assert.equal(verdict, layout.FORWARD);
      }
    }
  });

  test('M3: is dropped when its header extension ends past it, for every cut', async () => {
    const stage = await Stage.open();
    const elements = [element(1, 1, 2, 3), element(5, 9)];
    const whole = rtp({ payloadType: AUDIO_PT, sequence: 0, csrcs: [7], elements, payload: Buffer.alloc(0) });
    let sequence = 0;
    for (const packet of truncations(whole).slice(16)) {
      packet.writeUInt16BE(++sequence, 2);
      assert.equal(stage.receive(packet, sequence), layout.DROP_EXTENSION);
    }
    assert.equal(stage.receive(whole, 100), layout.FORWARD);
  });

  test('M4: is dropped when its padding is 0 or more than the payload, for all 256 counts', async () => {
    const stage = await Stage.open();
    let sequence = 0;
    for (const payload of [0, 1, 2, 100, 254, 255, 300]) {
      for (let padding = 0; padding < 256; padding++) {
        const packet = rtp({ payloadType: AUDIO_PT, sequence: ++sequence, payload: Buffer.alloc(payload) });
        packet[0] = 0xa0;
        if (payload > 0) packet[packet.length - 1] = padding;
        const good = padding > 0 && padding <= payload;
        assert.equal(stage.receive(packet, sequence), good ? layout.FORWARD : layout.DROP_PADDING);
      }
    }
  });

  test('M10: is dropped over 1500 bytes before it is copied anywhere', async () => {
    const stage = await Stage.open();
    for (const length of [1501, 1600, 2000, 65535]) {
      assert.equal(stage.receive(Buffer.alloc(length, 0x80), 1), layout.DROP_TOO_LARGE);
    }
    const longest = rtp({ payloadType: AUDIO_PT, sequence: 1, payload: Buffer.alloc(1488) });
    assert.equal(longest.length, 1500);
    assert.equal(stage.receive(longest, 1), layout.FORWARD);
  });

  test('M10: leaves the bytes between the slots alone, whatever its size', async () => {
    const stage = await Stage.open('vp8', { mid: 1 });
    const down = stage.subscribe('audio', { extensions: { audioLevel: 3 } });
    const { buffer } = stage.memory;
    const bytes = new Uint8Array(buffer);
    const record = layout.SLOT_RECORD_SIZE + layout.PACKET_CAPACITY;
    const slots = Math.floor((buffer.byteLength - layout.ARENA_START) / layout.SLOT_SIZE);
    for (let i = 0; i < slots; i++) {
      const start = layout.ARENA_START + i * layout.SLOT_SIZE;
      bytes.fill(0xc5, start + record, start + layout.SLOT_SIZE);
    }
    for (let size = 0; size <= 2000; size++) {
      const packet = Buffer.alloc(size, 0xff);
      rtp({ payloadType: AUDIO_PT, sequence: size, elements: [element(1, 1)], payload: Buffer.alloc(0) }).copy(packet);
      if (stage.receive(packet, size) === layout.FORWARD) stage.engine.translate(down, size);
    }
    for (let i = 0; i < slots; i++) {
      const start = layout.ARENA_START + i * layout.SLOT_SIZE;
      const canary = bytes.subarray(start + record, start + layout.SLOT_SIZE);
      assert.ok(
        canary.every((byte) => byte === 0xc5),
        `slot ${i}`,
      );
    }
  });

  test('M8: belongs to the track of its payload type, and to none if that was not negotiated', async () => {
    const stage = await Stage.open();
    for (let payloadType = 0; payloadType < 128; payloadType++) {
      const verdict = stage.receive(rtp({ payloadType, sequence: 1, ssrc: payloadType }), 1);
      const expected = new Map([
        [AUDIO_PT, layout.FORWARD],
        [VIDEO_PT, layout.FORWARD],
        // Of a track that has a source, but of no packet that is missing from it.
        [RTX_PT, layout.DROP_DUPLICATE],
      ]);
      assert.equal(verdict, expected.get(payloadType) ?? layout.DROP_UNKNOWN_PAYLOAD_TYPE);
      const track = payloadType === AUDIO_PT ? stage.audio : payloadType === VIDEO_PT ? stage.video : -1;
      assert.equal(stage.engine.admittedTrack, track);
    }
    assert.equal(stage.engine.receive(-1, -1, rtp({ payloadType: AUDIO_PT, sequence: 2 }), 2), 7);
    assert.equal(stage.engine.receive(1e9, 5000, rtp({ payloadType: AUDIO_PT, sequence: 2 }), 2), 7);
  });

  test('is dropped while nothing is negotiated, and again when nothing is any more', async () => {
    const stage = await Stage.open();
    const audio = stage.engine.addUpTrack('audio');
    stage.engine.setUpTrackUser(audio, 1);
    const verdict = (sequence: number) =>
      stage.engine.receive(audio, -1, rtp({ payloadType: AUDIO_PT, sequence }), sequence);
    assert.equal(verdict(1), layout.DROP_UNKNOWN_PAYLOAD_TYPE);
    stage.engine.configureUpTrack(audio, upParameters('opus'));
    assert.equal(verdict(2), layout.FORWARD);
    stage.engine.configureUpTrack(audio, null);
    assert.equal(verdict(3), layout.DROP_UNKNOWN_PAYLOAD_TYPE);
  });

  test('is counted as received but relayed to nobody until its publisher has joined', async () => {
    const stage = await Stage.open();
    const down = stage.subscribe('audio');
    stage.engine.setUpTrackUser(stage.audio, 0);
    assert.equal(stage.receive(rtp({ payloadType: AUDIO_PT, sequence: 1 }), 5), layout.DROP_NOT_JOINED);
    assert.equal(stage.engine.translate(down, 5), layout.DROP_NOT_SUBSCRIBED);
    assert.equal(stage.engine.lastPacketAt(stage.audio), 5);
    stage.engine.setUpTrackUser(stage.audio, 1);
    assert.equal(stage.receive(rtp({ payloadType: AUDIO_PT, sequence: 2 }), 6), layout.FORWARD);
  });

  test('M7: of another SSRC is dropped once beside a sending one, and adopted with its second in a row', async () => {
    const stage = await Stage.open();
    const verdict = (ssrc: number, sequence: number, now: number) =>
      stage.receive(rtp({ payloadType: AUDIO_PT, ssrc, sequence }), now);
    assert.equal(verdict(1, 100, 0), layout.FORWARD);
    assert.equal(verdict(2, 500, 20), layout.DROP_UNKNOWN_SSRC);
    assert.equal(verdict(1, 101, 20), layout.FORWARD);
    assert.equal(verdict(2, 501, 40), layout.DROP_UNKNOWN_SSRC, 'not in a row: the other one sent between them');
    assert.equal(verdict(2, 503, 60), layout.DROP_UNKNOWN_SSRC, 'not in a row: one is missing');
    assert.equal(verdict(2, 504, 60), layout.FORWARD);
    assert.equal(verdict(1, 102, 80), layout.DROP_UNKNOWN_SSRC, 'the former one is the other one now');
  });

  test('of another SSRC is adopted at once after 250 ms of silence, or if the offer declared it', async () => {
    const stage = await Stage.open();
    const verdict = (ssrc: number, sequence: number, now: number) =>
      stage.receive(rtp({ payloadType: AUDIO_PT, ssrc, sequence }), now);
    assert.equal(verdict(1, 100, 1000), layout.FORWARD);
    assert.equal(verdict(2, 7, 1249), layout.DROP_UNKNOWN_SSRC);
    assert.equal(verdict(2, 9, 1250), layout.FORWARD);
    stage.engine.configureUpTrack(stage.audio, { ...upParameters('opus'), ssrc: 3 });
    assert.equal(verdict(3, 1000, 1251), layout.FORWARD);
    assert.equal(verdict(2, 10, 1252), layout.DROP_UNKNOWN_SSRC);
  });

  test('M7: of two publishers with the same SSRC goes to the subscribers of its own publisher only', async () => {
    const stage = await Stage.open();
    const { engine } = stage;
    const other = engine.addUpTrack('audio');
    engine.configureUpTrack(other, upParameters('opus'));
    engine.setUpTrackUser(other, 7);
    const mine = stage.subscribe('audio');
    for (let sequence = 0; sequence < 100; sequence++) {
      const [first, second] = ['mine', 'theirs'].map((text) =>
        rtp({ payloadType: AUDIO_PT, ssrc: 5, sequence, payload: Buffer.from(text) }),
      );
      assert.equal(stage.relayed(first ?? Buffer.alloc(0), mine, sequence).rest.toString(), 'mine');
      assert.equal(engine.receive(other, -1, second ?? Buffer.alloc(0), sequence), layout.FORWARD);
      assert.equal(engine.translate(mine, sequence), layout.DROP_NOT_SUBSCRIBED);
    }
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as layout from '../../assembly/layout.js';
import type { HeaderExtensions } from '../../workers/protocol.js';
import { AUDIO_PT, Stage } from '../support/engine.js';
import { type Element, element, type RtpFields, readRtp, rtp } from '../support/rtp.js';

const UP: HeaderExtensions = {
  mid: 1,
  audioLevel: 2,
  absSendTime: 3,
  transportCc: 4,
  videoOrientation: 5,
  playoutDelay: 6,
};
const MID = element(1, 0x61);
const LEVEL = element(2, 0x85);
const SEND_TIME = element(3, 1, 2, 3);
const TRANSPORT = element(4, 0, 9);
const ORIENTATION = element(5, 1);
const DELAY = element(6, 0, 0x50, 5);

let sequence = 0;

async function through(fields: Partial<RtpFields>, down: HeaderExtensions, now = 1000) {
  const stage = await Stage.open('vp8', UP);
  const track = stage.subscribe('audio', { extensions: down });
  return stage.relayed(rtp({ payloadType: AUDIO_PT, sequence: ++sequence, ...fields }), track, now);
}

describe('header extensions', () => {
  for (const form of ['one-byte', 'two-byte'] as const) {
    test(`in the ${form} form get the subscriber’s ids, and lose those it does not have`, async () => {
      const elements = [MID, LEVEL, TRANSPORT, ORIENTATION, DELAY];
      const view = await through({ form, elements }, { mid: 9, audioLevel: 7, transportCc: 8, playoutDelay: 12 });
      assert.deepEqual(view.elements, [element(7, 0x85), element(12, 0, 0x50, 5)]);
      assert.equal(view.profile, form === 'one-byte' ? 0xbede : 0x1000);
      assert.equal(view.rest.toString(), 'payload');
    });

    test(`in the ${form} form are whole for the next subscriber, whatever the one before lacked`, async () => {
      const stage = await Stage.open('vp8', UP);
      const none = stage.subscribe('audio');
      const all = stage.subscribe('audio', { ssrc: 2, extensions: { audioLevel: 1, videoOrientation: 14 } });
      const view = stage.relayed(
        rtp({ payloadType: AUDIO_PT, sequence: 1, form, elements: [LEVEL, ORIENTATION] }),
        none,
        1,
      );
      assert.deepEqual(view.elements, []);
      assert.equal(stage.engine.translate(all, 1), layout.FORWARD);
      assert.deepEqual(readRtp(stage.engine.packet).elements, [element(1, 0x85), element(14, 1)]);
    });
  }

  test('never carry the publisher’s mid or transport sequence number on, not even their bytes', async () => {
    const mid = element(1, ...Buffer.from('secretmid'));
    const { absSendTime: _, ...down } = UP;
    const view = await through({ elements: [mid, TRANSPORT] }, down);
    assert.deepEqual(view.elements, []);
  });

  test('have a time of sending for the subscriber where the publisher leaves it out, if there is room', async () => {
    for (const form of ['one-byte', 'two-byte'] as const) {
      const view = await through({ form, elements: [MID, TRANSPORT, LEVEL] }, { absSendTime: 7, audioLevel: 2 }, 1000);
      assert.deepEqual(view.elements, [LEVEL, element(7, 4, 0, 0)], form);
    }
    const full = await through({ elements: [LEVEL, ORIENTATION] }, { absSendTime: 7, audioLevel: 2 });
    assert.deepEqual(full.elements, [LEVEL], 'no room');
    const none = await through({ elements: [] }, { absSendTime: 7 });
    assert.deepEqual(none.elements, [], 'no extensions at all');
    assert.equal(none.rest.toString(), 'payload');
  });

  test('tell the time of sending, 6.18 fixed point, not the publisher’s (abs-send-time)', async () => {
    for (const now of [0, 1, 999.9, 63_999, 64_000, 1e9 + 0.5]) {
      const view = await through({ elements: [SEND_TIME] }, { absSendTime: 3 }, now);
      const expected = Math.floor((now / 1000) * 2 ** 18) % 2 ** 24;
      assert.equal(view.elements[0]?.data.readUIntBE(0, 3), expected, String(now));
    }
  });

  test('tell a subscriber to keep pictures for a while if we want it to, in 10 ms steps, and to stop that', async () => {
    const stage = await Stage.open('vp8', UP);
    const extensions = { playoutDelay: 9 };
    const [slow, other] = [
      stage.subscribe('audio', { extensions }),
      stage.subscribe('audio', { ssrc: 2, extensions }, 7),
    ];
    const elements = (track: number, ...sent: Element[]) =>
      stage.relayed(rtp({ payloadType: AUDIO_PT, sequence: ++sequence, elements: [MID, TRANSPORT, ...sent] }), track, 1)
        .elements;
    assert.deepEqual(elements(slow), [], 'nothing of our own at first');
    stage.engine.setPlayoutDelay(slow, 256);
    assert.deepEqual(elements(slow), [element(9, 0x01, 0x9f, 0xff)], '25 steps at least, 4095 at most');
    assert.deepEqual(elements(slow, DELAY), [element(9, 0x01, 0x9f, 0xff)], 'in place of the publisher’s');
    assert.deepEqual(elements(other, DELAY), [element(9, 0, 0x50, 5)], 'others get the publisher’s');
    assert.deepEqual(elements(other), [], 'or none');
    stage.engine.setPlayoutDelay(slow, 1e9);
    assert.deepEqual(elements(slow), [element(9, 0xff, 0xff, 0xff)]);
    stage.engine.setPlayoutDelay(slow, 0);
    assert.deepEqual(elements(slow), [element(9, 0, 0x0f, 0xff)], 'as it likes');
    assert.throws(() => stage.engine.setPlayoutDelay(9999, 100), RangeError);
  });

  test('of unknown ids are blanked', async () => {
    const view = await through({ elements: [element(9, 1, 2, 3, 4), LEVEL, element(13, 7)] }, { audioLevel: 2 });
    assert.deepEqual(view.elements, [LEVEL]);
  });

  test('of a wrong length, or said twice, are blanked', async () => {
    const view = await through({ elements: [element(2, 1, 2), SEND_TIME, LEVEL, element(2, 9)] }, { audioLevel: 2 });
    assert.deepEqual(view.elements, [LEVEL]);
  });

  test('M3: end at id 15, and at id 0 with a length, in the one-byte form (RFC 8285 4.2)', async () => {
    for (const stop of [0xf0, 0x01]) {
      const data = Buffer.from([0x20, 0x85, stop, 0xaa, 0x50, 1, 0, 0]);
      const view = await through({ block: { profile: 0xbede, data } }, { audioLevel: 2, videoOrientation: 5 });
      assert.deepEqual(view.elements, [LEVEL]);
    }
  });

  test('M3: that run over the block’s end are blanked to its end', async () => {
    const data = Buffer.from([0x20, 0x85, 0x57, 1]);
    const view = await through({ block: { profile: 0xbede, data } }, { audioLevel: 2, videoOrientation: 5 });
    assert.deepEqual(view.elements, [LEVEL]);
    const two = Buffer.from([2, 1, 0x85, 5, 9, 1, 2, 5]);
    const other = await through({ block: { profile: 0x1000, data: two } }, { audioLevel: 2, videoOrientation: 5 });
    assert.deepEqual(other.elements, [LEVEL]);
    // The byte that this one lacks would be the payload's first.
    const last = await through({ block: { profile: 0xbede, data: Buffer.from([0, 0, 0, 0x20]) } }, { audioLevel: 2 });
    assert.deepEqual(last.elements, []);
  });

  test('skip padding before, between and after elements', async () => {
    const data = Buffer.from([0, 0, 0x20, 0x85, 0, 0x50, 1, 0]);
    const view = await through({ block: { profile: 0xbede, data } }, { audioLevel: 2, videoOrientation: 5 });
    assert.deepEqual(view.elements, [LEVEL, ORIENTATION]);
  });

  test('of a form that nobody here reads become an empty block', async () => {
    const view = await through({ block: { profile: 0xcafe, data: Buffer.alloc(8, 0xff) } }, UP);
    assert.deepEqual(view.elements, []);
    assert.equal(view.profile, 0xbede);
    assert.equal(view.rest.toString(), 'payload');
  });

  test('with all 16 application bits of the two-byte form are read', async () => {
    for (let bits = 0; bits < 16; bits++) {
      const data = Buffer.from([2, 1, 0x85, 0]);
      const view = await through({ block: { profile: 0x1000 | bits, data } }, { audioLevel: 200 });
      assert.deepEqual(view.elements, [element(200, 0x85)]);
    }
  });

  test('with ids over 14 do not fit the one-byte form, so the subscriber goes without', async () => {
    const view = await through({ elements: [LEVEL] }, { audioLevel: 15 });
    assert.deepEqual(view.elements, []);
  });

  test('M3: of any bytes change nothing but themselves', async () => {
    const stage = await Stage.open('vp8', UP);
    const down = stage.subscribe('audio', { extensions: { audioLevel: 1, absSendTime: 2 } });
    fc.assert(
      fc.property(
        fc.constantFrom(0xbede, 0x1000, 0x100f, 0xabcd),
        fc.uint8Array({ maxLength: 64 }),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        (profile, data, payload) => {
          sequence = (sequence + 1) & 0xffff;
          const block = { profile, data: Buffer.from(data) };
          const packet = rtp({ payloadType: AUDIO_PT, sequence, block, payload: Buffer.from(payload) });
          assert.equal(stage.receive(packet, sequence), layout.FORWARD);
          assert.equal(stage.engine.translate(down, sequence), layout.FORWARD);
          const sent = stage.engine.packet;
          assert.equal(sent.length, packet.length);
          const end = packet.length - payload.length;
          assert.ok(sent.subarray(end).equals(packet.subarray(end)));
          assert.ok(sent.subarray(14, 16).equals(packet.subarray(14, 16)), 'the block keeps its length');
        },
      ),
      { seed: 8285, numRuns: 2000 },
    );
  });
});

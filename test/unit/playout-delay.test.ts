import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { playoutDelay } from '../../workers/playout-delay.js';
import { readRtp } from '../support/rtp.js';
import { type Seat, SimulatedCall } from '../support/simulated-call.js';

/** The least playout delay that a subscriber was told last, milliseconds; null: none. */
function watchDelay(seat: Seat): () => number | null {
  let told: number | null = null;
  const { downlink } = seat;
  const send = downlink.send.bind(downlink);
  downlink.send = (packet, ...rest) => {
    const isRtp = ((packet[1] ?? 0) & 0x7f) < 64 || ((packet[1] ?? 0) & 0x7f) > 95;
    const elements = isRtp ? readRtp(Buffer.from(packet)).elements : [];
    const delay = elements.find(({ id }) => id === 6);
    if (delay) told = (delay.data.readUIntBE(0, 3) >> 12) * 10;
    send(packet, ...rest);
  };
  return () => told;
}

describe('the time for which a subscriber keeps pictures', () => {
  test('is none on a line that loses nothing, or next to nothing', () => {
    for (const lost of [0, 0.005, 0.029]) assert.equal(playoutDelay(0, lost, 50), 0);
  });

  test('is long enough for what is lost to be asked for as often as it takes', () => {
    assert.equal(playoutDelay(0, 0.05, 0), 150, 'a second request');
    assert.equal(playoutDelay(0, 0.05, 100), 250);
    assert.equal(playoutDelay(0, 0.1, 0), 260, 'and a third');
    assert.ok(playoutDelay(0, 0.2, 20) >= 400);
    assert.equal(playoutDelay(0, 0.2, 300), 500, 'but nobody likes to talk with half a second between');
    assert.equal(playoutDelay(0, 1, 5000), 500);
  });

  test('does not follow every little change, and ends when the line is good again', () => {
    assert.equal(playoutDelay(250, 0.05, 120), 250);
    assert.equal(playoutDelay(250, 0.1, 100), 360);
    assert.equal(playoutDelay(250, 0.015, 100), 150, 'less, while some packets are lost still');
    assert.equal(playoutDelay(250, 0.009, 100), 0);
  });

  test('is told to the one with the bad line, and to nobody else', async () => {
    const call = await SimulatedCall.open({ transportCc: 5, rtx: true });
    const good = call.subscribe({ extensions: { playoutDelay: 6 } });
    const bad = call.subscribe({ extensions: { playoutDelay: 6 }, downlink: { loss: 0.08 }, rtxSsrc: 9001 });
    const [ofGood, ofBad] = [watchDelay(good), watchDelay(bad)];
    call.publisher.start();
    call.clock.run(10_000);
    assert.equal(ofGood(), null);
    assert.ok((ofBad() ?? 0) >= 150, `${ofBad()} ms`);
    bad.downlink.conditions = {};
    call.clock.run(30_000);
    assert.equal(ofBad(), 0, 'as it likes, now that nothing is lost');
    assert.equal(ofGood(), null);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pace, turnOf } from '../../workers/pace.js';

const MANY = 100_000;

describe('the pace of a shard', () => {
  test('is that of its packets while it has few peers', () => {
    for (const peers of [0, 1, 50, 100]) assert.equal(turnOf(peers), 0);
  });

  test('slows down with its peers, up to a delay that nobody notices', () => {
    assert.ok(turnOf(1000) > turnOf(500) && turnOf(500) > 0);
    assert.ok(turnOf(MANY) === turnOf(MANY * 2) && turnOf(MANY) < 10);
  });

  test('lets it rest once after all packets of a turn', async () => {
    const pace = new Pace(() => MANY);
    // A turn that begins a little later than now is not over when this thread had to wait for the processor.
    const began = performance.now() + 50;
    pace.packet(began);
    pace.packet(began);
    assert.equal(pace.rested, 0, 'not while there are packets');
    await nextTurn();
    const { rested } = pace;
    assert.ok(rested > 0);
    assert.ok(performance.now() >= began + turnOf(MANY) - 0.1, 'until the next turn is due');
    await nextTurn();
    assert.equal(pace.rested, rested, 'nor without packets');
  });

  test('gives no rest to who is busy for longer anyway, or has few peers', async () => {
    const busy = new Pace(() => MANY);
    busy.packet(performance.now() - turnOf(MANY));
    const small = new Pace(() => 10);
    small.packet(performance.now());
    await nextTurn();
    assert.equal(busy.rested + small.rested, 0);
  });
});

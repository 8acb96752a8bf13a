import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Utilization } from '../../workers/utilization.js';

describe('Utilization', () => {
  test('follows what the loop does, over seconds: a moment of work is no load', () => {
    const utilization = new Utilization();
    const times = { idle: 0, active: 0 };
    const look = (share: number, now: number) => {
      times.active += 50 * share;
      times.idle += 50 * (1 - share);
      return utilization.look(times, now);
    };
    let load = 0;
    for (let now = 0; now < 10_000; now += 50) load = look(0.2, now);
    assert.ok(Math.abs(load - 0.2) < 0.01, `${load}`);
    assert.ok(look(1, 10_000) < 0.25);
    for (let now = 10_050; now < 20_000; now += 50) load = look(0.9, now);
    assert.ok(Math.abs(load - 0.9) < 0.01, `${load}`);
  });

  test('counts a long silence by its length: a loop that was blocked is busy at once', () => {
    const utilization = new Utilization();
    utilization.look({ idle: 1000, active: 0 }, 1000);
    assert.ok(utilization.look({ idle: 1000, active: 6000 }, 7000) > 0.95);
  });
});

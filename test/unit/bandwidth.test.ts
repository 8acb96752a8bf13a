import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { betterHalf, SubscriberBandwidth, VideoPause } from '../../workers/bandwidth.js';

const NONE = Number.POSITIVE_INFINITY;
const MOST = 2_500_000;

describe('SubscriberBandwidth', () => {
  test('takes an estimate of what is sent, or more, for no limit', () => {
    const line = new SubscriberBandwidth(MOST);
    for (const estimate of [1_000_000, 950_000, 901_000, 5_000_000]) line.estimate(estimate, 1_000_000);
    assert.equal(line.limit, NONE);
  });

  test('takes an estimate that falls below what is sent for the limit, and follows it from then on', () => {
    const line = new SubscriberBandwidth(MOST);
    line.estimate(1_000_000, 1_000_000);
    line.estimate(850_000, 1_000_000);
    assert.equal(line.limit, 850_000);
    line.estimate(918_000, 850_000);
    assert.equal(line.limit, 918_000);
    line.estimate(400_000, 900_000);
    assert.equal(line.limit, 400_000);
  });

  test('takes one that climbs towards what is sent for no limit, and one that stays for three seconds for one', () => {
    const line = new SubscriberBandwidth(MOST);
    line.estimate(400_000, 300_000);
    for (const estimate of [432_000, 467_000, 504_000]) {
      // Browsers repeat it with all that they say.
      for (let i = 0; i < 20; i++) line.estimate(estimate, 2_000_000);
      line.second(0, 2_000_000);
    }
    assert.equal(line.limit, NONE);
    for (const estimate of [505_000, 506_000, 507_000]) {
      assert.equal(line.limit, NONE);
      line.estimate(estimate, 2_000_000);
      line.second(0, 2_000_000);
    }
    assert.equal(line.limit, 507_000);
  });

  test('has no limit while nothing is known of it', () => {
    const line = new SubscriberBandwidth(MOST);
    for (let i = 0; i < 10; i++) line.second(0, 2_000_000);
    assert.equal(line.limit, NONE);
  });

  test('goes down with the share that is lost, more than in proportion, and up again without losses', () => {
    const line = new SubscriberBandwidth(MOST);
    const lose = (lost: number) => {
      for (let i = 0; i < 40; i++) line.second(lost, 1_000_000);
      return line.limit / MOST;
    };
    const near = (share: number, expected: number) => assert.ok(Math.abs(share - expected) < 0.01, String(share));
    assert.equal(lose(0.049), NONE);
    near(lose(0.1), 0.39);
    near(lose(0.2), 0.15);
    near(lose(0.3), 0.09);
    assert.equal(line.width, NONE, 'what a radio loses makes no line narrow');
    assert.equal(lose(0), NONE);
    line.second(0.19, 1_000_000);
    assert.equal(line.limit, NONE, 'one second is about few packets');
  });

  test('is as narrow as what comes through where more than a third is lost', () => {
    const line = new SubscriberBandwidth(MOST);
    line.second(0.75, 2_000_000);
    assert.equal(line.width, NONE);
    for (let i = 0; i < 60; i++) line.second(0.75, 2_000_000);
    assert.ok(Math.abs(line.width - 500_000) < 1000);
  });

  test('forgets a limit above what anybody sends, and everything when it is to be tried', () => {
    const line = new SubscriberBandwidth(MOST);
    line.estimate(900_000, 1_000_000);
    line.estimate(3_100_000, 1_000_000);
    line.second(0, 1_000_000);
    assert.equal(line.limit, NONE);
    line.estimate(100_000, 1_000_000);
    line.second(0, 1_000_000);
    assert.equal(line.limit, 100_000);
    line.reset();
    assert.equal(line.limit, NONE);
  });
});

describe('a publisher is held', () => {
  test('to what the better half of its subscribers can take', () => {
    assert.equal(betterHalf([]), NONE);
    assert.equal(betterHalf([5]), 5);
    assert.equal(betterHalf([5, 9]), 9);
    assert.equal(betterHalf([1, 9, 5]), 5);
    assert.equal(betterHalf([1, 2, 3, 4, 5, NONE, NONE, NONE, NONE, NONE]), NONE);
    assert.equal(betterHalf([1, 2, 3, 4, 5, 6, NONE, NONE, NONE, NONE]), 6);
  });
});

describe('VideoPause', () => {
  const floor = 60_000;
  const lost = 0.5;

  test('comes after two seconds on a line that is too narrow and that the publisher does not come down for', () => {
    const pause = new VideoPause();
    const at = (now: number, width = 500_000) => pause.update(width, 2_000_000, 2_000_000, floor, lost, now);
    assert.equal(at(0), null);
    assert.equal(at(1000), null);
    assert.equal(at(1500, 1_700_000), null, 'it is wide enough for a moment');
    assert.equal(at(2000), null);
    assert.equal(at(3999), null);
    assert.equal(at(4000), 'pause');
    assert.equal(pause.paused, true);
  });

  test('comes later where little is lost, and not where nothing is, but for a line without room for any video', () => {
    for (const [width, little, expected] of [
      [500_000, 0.06, 'pause'],
      [500_000, 0.02, null],
      [50_000, 0, 'pause'],
    ] as const) {
      const pause = new VideoPause();
      assert.equal(pause.update(width, 2e6, 2e6, floor, little, 0), null);
      assert.equal(pause.update(width, 2e6, 2e6, floor, little, 9999), null);
      assert.equal(pause.update(width, 2e6, 2e6, floor, little, 10_000), expected);
    }
  });

  test('does not come while the publisher is told to come down', () => {
    const pause = new VideoPause();
    for (let now = 0; now < 20_000; now += 1000) assert.equal(pause.update(5e5, 2e6, 5e5, floor, lost, now), null);
  });

  test('ends at once when the publisher sends what the line carries, else after 8 s, the next ones after twice that', () => {
    const pause = new VideoPause();
    const narrow = (now: number) => pause.update(5e5, 2e6, 2e6, floor, lost, now);
    narrow(0);
    assert.equal(narrow(2000), 'pause');
    assert.equal(pause.update(5e5, 490_000, 490_000, floor, lost, 3000), null);
    assert.equal(pause.update(5e5, 470_000, 470_000, floor, lost, 3000), 'resume');
    const changes: [number, string][] = [];
    for (let now = 60_000; now < 400_000; now += 100) {
      const change = narrow(now);
      if (change) changes.push([now, change]);
    }
    assert.deepEqual(changes.slice(0, 8), [
      [62_000, 'pause'],
      [70_000, 'retry'],
      [70_800, 'pause'],
      [86_800, 'retry'],
      [87_600, 'pause'],
      [119_600, 'retry'],
      [120_400, 'pause'],
      [184_400, 'retry'],
    ]);
    assert.deepEqual(changes[11], [250_000 + 64_000, 'retry'], 'the longest');
  });
});

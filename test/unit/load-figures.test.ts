import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Histogram } from '../../bench/load/histogram.js';
import { places, shapeOf } from '../../bench/load/shape.js';
import { Tally } from '../../bench/load/tally.js';
import { CommandError } from '../../src/cli/command.js';
import { planOf } from '../../src/cli/load-plan.js';
import { type LoadOutcome, reportOf, reportText } from '../../src/cli/load-report.js';

describe('a histogram of latencies', () => {
  test('tells quantiles within 1 %, and the worst as it was', () => {
    const histogram = new Histogram();
    for (let value = 1; value <= 1000; value += 1) histogram.add(value / 10);
    const { p50, p99, worst } = histogram.quantiles();
    assert.ok(Math.abs(p50 / 50 - 1) < 0.011 && Math.abs(p99 / 99 - 1) < 0.011, `${p50} ${p99}`);
    assert.equal(worst, 100);
  });

  test('counts what is shorter or longer than its bins in the outer ones, and knows when it is empty', () => {
    const histogram = new Histogram();
    assert.deepEqual(histogram.quantiles(), { p50: Number.NaN, p99: Number.NaN, worst: Number.NaN });
    for (const value of [-0.002, 0, 1e9]) histogram.add(value);
    assert.equal(histogram.count, 3);
    assert.ok(histogram.quantile(0.5) <= 0.011);
    assert.ok(histogram.quantile(1) > 50_000);
    histogram.clear();
    assert.equal(histogram.count, 0);
  });
});

describe('the shape of a load', () => {
  test('has all users of a room hear each other, and its listeners hear them all', () => {
    const { senders, subscriptions } = places({ rooms: 2, users: 3, listeners: 1 }, 'r');
    assert.deepEqual(
      senders.map(({ room, user }) => `${room} ${user}`),
      ['r-0 r-user-0', 'r-0 r-user-1', 'r-0 r-user-2', 'r-1 r-user-3', 'r-1 r-user-4', 'r-1 r-user-5'],
    );
    const heard = subscriptions.map(({ room, user, source }) => `${room} ${user}<${source}`);
    assert.equal(new Set(heard).size, 2 * (3 * 2 + 3));
    assert.deepEqual(heard.filter((one) => one.startsWith('r-1 r-user-3') || one.startsWith('r-1 r-listener')).sort(), [
      'r-1 r-listener-1-0<3',
      'r-1 r-listener-1-0<4',
      'r-1 r-listener-1-0<5',
      'r-1 r-user-3<4',
      'r-1 r-user-3<5',
    ]);
  });

  test('of publishers and subscribers is one room where all are users, else a room for each publisher', () => {
    assert.deepEqual(shapeOf(10, 9), { rooms: 1, users: 10, listeners: 0, hears: 9 });
    assert.deepEqual(shapeOf(2, 50), { rooms: 2, users: 1, listeners: 50 });
    const { subscriptions } = places(shapeOf(10, 4), 'r');
    const of = (source: number) => subscriptions.filter((one) => one.source === source).map(({ user }) => user);
    assert.deepEqual(of(8), ['r-user-9', 'r-user-0', 'r-user-1', 'r-user-2']);
  });
});

describe('a tally', () => {
  test('counts what was sent while measuring, whenever it comes, and nothing else', async () => {
    const tally = new Tally();
    tally.sent('rtp', 5, 2);
    tally.begin(10);
    tally.sent('rtp', 11, 2);
    tally.sent('data', 12, 3);
    tally.received('video', 5, 13);
    tally.received('video', 11, 14);
    assert.equal(tally.look().received, 1);
    const ended = tally.end(20, 60_000);
    tally.sent('rtp', 21, 2);
    tally.received('audio', 11, 25);
    for (let receiver = 0; receiver < 3; receiver += 1) tally.received('data', 12, 13);
    // It has all that it waited for.
    const { sent, expected, received, latency, data } = await ended;
    assert.deepEqual([sent, expected, received, latency.worst], [1, 2, 2, 3]);
    assert.deepEqual([data.sent, data.expected, data.received, data.latency.worst], [1, 3, 3, 1]);
  });

  test('waits no longer than it is told for what does not come', async () => {
    const tally = new Tally();
    tally.begin(0);
    tally.sent('rtp', 1, 1);
    const { expected, received } = await tally.end(2, 1);
    assert.deepEqual([expected, received], [1, 0]);
  });
});

describe('the report of a load', () => {
  const figures = new Map<string, string>();
  const plan = (told: Record<string, string> = {}) => {
    figures.clear();
    for (const [name, value] of Object.entries(told)) figures.set(name, value);
    return planOf({ value: (name) => figures.get(name) });
  };
  const connected = (count: number, failed = 0) => ({
    connected: count,
    failed,
    reasons: failed > 0 ? ['refused'] : [],
    setup: { p50: 30, p99: 60, worst: 70 },
  });
  const passage = (expected: number, received: number, p99: number) => ({
    sent: expected,
    expected,
    received,
    latency: { p50: p99 / 2, p99, worst: p99 },
  });
  const outcome = (media: [number, number, number], data: [number, number, number], failed = 0): LoadOutcome => ({
    users: connected(4),
    subscriptions: connected(12, failed),
    measurement: { ...passage(...media), data: passage(...data) },
  });
  const missed = (rows: ReturnType<typeof reportOf>) => rows.filter(({ met }) => !met).map(({ what }) => what);

  test('says which goals were met', () => {
    const goals = plan({ 'latency-max': '20', 'data-latency-max': '30', 'loss-max': '2' });
    assert.deepEqual(missed(reportOf(outcome([1000, 985, 20], [100, 99, 30]), goals)), []);
    assert.deepEqual(missed(reportOf(outcome([1000, 970, 21], [100, 97, 31], 1), goals)), [
      'failed connections',
      'loss',
      'latency, 99 % within',
      'data loss',
      'data, 99 % within',
    ]);
    assert.match(
      reportText(reportOf(outcome([1000, 970, 21], [0, 0, 1]), goals), ['refused']),
      /NOT MET.*failed: refused\n$/s,
    );
  });

  test('takes a load in which nothing came as a goal that was missed', () => {
    assert.deepEqual(missed(reportOf(outcome([0, 0, Number.NaN], [0, 0, Number.NaN]), plan({ 'latency-max': '20' }))), [
      'loss',
      'latency, 99 % within',
      'data loss',
    ]);
  });

  test('asks for data messages only where some are sent', () => {
    const rows = reportOf(outcome([10, 10, 1], [0, 0, Number.NaN]), plan({ 'data-rate': '0' }));
    assert.deepEqual([missed(rows), rows.some(({ what }) => what.startsWith('data'))], [[], false]);
  });

  test('has no plan in which nobody hears anybody, or with figures out of range', () => {
    const problems = (told: Record<string, string>) => {
      try {
        plan(told);
      } catch (error) {
        if (error instanceof CommandError) return error.lines;
        throw error;
      }
      return [];
    };
    assert.deepEqual(problems({ users: '1' }), ['--users 1 --listeners 0: nobody would hear anybody']);
    assert.deepEqual(problems({ users: '1', listeners: '1', 'loss-max': '0.5' }), []);
    assert.deepEqual(problems({ rooms: '0', 'latency-max': 'x' }), [
      '--rooms 0: should be a whole number from 1 to 10000',
      '--latency-max x: should be a number from 1 to 60000',
    ]);
  });
});

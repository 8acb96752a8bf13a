import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bursty, Clock, Link, type LinkConditions } from '../support/network.js';

interface Arrival {
  number: number;
  at: number;
}

/** Sends numbered packets of 972 bytes, one per millisecond, over a link: what arrives, and when. */
function over(conditions: LinkConditions, count = 20_000, seed = 5): { arrivals: Arrival[]; link: Link } {
  const clock = new Clock(0);
  const arrivals: Arrival[] = [];
  const link = new Link(clock, seed, conditions, (packet) => {
    arrivals.push({ number: packet.readUInt32BE(0), at: clock.now });
  });
  const packet = Buffer.alloc(972);
  for (let number = 0; number < count; number++) {
    clock.after(number, () => {
      packet.writeUInt32BE(number);
      link.send(packet);
    });
  }
  clock.run(count + 10_000);
  return { arrivals, link };
}

describe('the network simulator', () => {
  test('runs what is due in the order of its time, then of its asking, however much is asked for', () => {
    const clock = new Clock(0);
    const ran: number[] = [];
    for (let i = 0; i < 500; i++) clock.after((i * 7919) % 100, () => ran.push(((i * 7919) % 100) * 1000 + i));
    clock.run(49);
    assert.equal(ran.length, 250);
    assert.equal(clock.now, 49);
    clock.run(50);
    assert.deepEqual(
      ran,
      ran.toSorted((a, b) => a - b),
    );
  });

  test('delivers everything in order after the delay where nothing else is asked for', () => {
    const { arrivals } = over({ delay: 50 });
    assert.deepEqual(
      arrivals,
      Array.from({ length: 20_000 }, (_, number) => ({ number, at: number + 50 })),
    );
  });

  test('loses the share it is told, in runs no longer than chance has them, and the same packets each time', () => {
    const { arrivals, link } = over({ loss: 0.05 });
    assert.ok(Math.abs(link.lost / link.sent - 0.05) < 0.006, String(link.lost));
    assert.deepEqual(over({ loss: 0.05 }).arrivals, arrivals);
    assert.notDeepEqual(over({ loss: 0.05 }, 20_000, 6).arrivals, arrivals);
  });

  test('loses the same share in bursts, many of them longer than chance has them', () => {
    const { arrivals, link } = over({ bursts: bursty(0.05) });
    assert.ok(Math.abs(link.lost / link.sent - 0.05) < 0.01, String(link.lost));
    const gaps = arrivals.slice(1).map(({ number }, i) => number - (arrivals[i]?.number ?? 0) - 1);
    assert.ok(gaps.filter((gap) => gap >= 4).length > 30);
  });

  test('reorders and duplicates the share it is told', () => {
    const { arrivals } = over({ reorder: { share: 0.1, by: 20 }, duplicate: 0.1 });
    const times = new Map<number, number>();
    for (const { number } of arrivals) times.set(number, (times.get(number) ?? 0) + 1);
    assert.equal(times.size, 20_000);
    const twice = [...times.values()].filter((count) => count === 2).length;
    assert.ok(Math.abs(twice / 20_000 - 0.1) < 0.01, String(twice));
    const late = over({ reorder: { share: 0.1, by: 20 } }).arrivals.filter(({ number, at }) => at === number + 20);
    assert.ok(Math.abs(late.length / 20_000 - 0.1) < 0.01, String(late.length));
  });

  test('keeps to its rate, queues for 200 ms and loses what is more', () => {
    const { arrivals, link } = over({ rate: 4_000_000, delay: 10 }, 5_000);
    // Packets of 1000 bytes with their headers: 500 of them in a second of 4 Mbit/s, and 1000 come.
    const inLastSecond = arrivals.filter(({ at }) => at > 3500 && at <= 4500).length;
    assert.ok(Math.abs(inLastSecond - 500) <= 1, String(inLastSecond));
    const waits = arrivals.map(({ number, at }) => at - number - 10);
    assert.ok(Math.max(...waits) <= 202 && Math.max(...waits) > 195, String(Math.max(...waits)));
    assert.ok(link.lost > 2000);
  });

  test('spreads arrivals by the jitter and keeps their order', () => {
    const { arrivals } = over({ delay: 20, jitter: 30 });
    const waits = arrivals.map(({ number, at }) => at - number);
    assert.ok(Math.min(...waits) >= 20 && Math.max(...waits) <= 50);
    assert.ok(arrivals.every(({ number }, i) => number === i));
  });
});

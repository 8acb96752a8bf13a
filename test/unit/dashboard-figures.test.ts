/** What the dashboard makes of the server's counters: the page's own modules, which need no browser for it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

interface Rates {
  packetsIn: number;
  bitsOut: number;
  drops: number;
  dropsByReason: Map<string, number>;
  loopDelay: number;
}

interface Modules {
  ratesOf: (before: object, now: object) => Rates;
  shortNumber: (value: number) => string;
  roundUp: (value: number) => number;
  layOut: (room: object) => {
    places: { user: string; x: number; y: number }[];
    lines: { from: string; to: string; kind: string }[];
    left: number;
  };
}

const folder = new URL('../../web/dashboard/', import.meta.url);
const load = (name: string): Promise<Modules> => import(new URL(name, folder).href);
const { ratesOf, shortNumber } = await load('rates.js');
const { roundUp } = await load('plot.js');
const { layOut } = await load('room-graph.js');

function loop(packets: number, drops: Record<string, number> = {}, delay = 0): object {
  const counters = { 'packets-received': packets, 'packets-sent': 2 * packets, 'bytes-received': 0 };
  return { ...counters, 'bytes-sent': 100 * packets, 'loop-delay': delay, drops };
}

describe('the dashboard', () => {
  test('tells rates of all workers together, and takes a worker that began anew for what it counts now', () => {
    const before = { at: 1000, loops: [loop(100, { blocked: 5 }), loop(1000)] };
    const now = { at: 3000, loops: [loop(300, { blocked: 15, late: 2 }, 700), loop(40, {}, 2500)] };
    const rates = ratesOf(before, now);
    assert.deepEqual(
      [rates.packetsIn, rates.bitsOut, rates.drops, rates.loopDelay],
      [100, 80_000, 6, 2.5],
      'the second worker has fewer than before: it is a new one',
    );
    assert.deepEqual([...rates.dropsByReason].sort(), [
      ['blocked', 5],
      ['late', 1],
    ]);
  });

  test('writes numbers short, and scales end at a round one', () => {
    assert.deepEqual([0, 0.25, 9.96, 14.4, 999, 1234, 56_789, 2.5e6, 7e9].map(shortNumber), [
      '0',
      '0.3',
      '10.0',
      '14',
      '999',
      '1.2 k',
      '57 k',
      '2.5 M',
      '7.0 G',
    ]);
    assert.deepEqual([0, 0.3, 1, 1.1, 4, 10, 11, 51, 2001].map(roundUp), [1, 1, 1, 2, 5, 10, 20, 100, 5000]);
  });

  test('draws who hears whom, blocks apart, nobody twice, and says how many are left out', () => {
    const user = (id: string, sources: string[], blocked: string[] = []) => ({
      user_id: id,
      publisher: true,
      blocked,
      handles: sources.map((source) => ({ source })),
    });
    const room = {
      room_id: 'a',
      users: [user('ann', ['bob', 'bob', 'cyd']), user('bob', ['ann'], ['ann']), user('cyd', [])],
    };
    const { places, lines, left } = layOut(room);
    assert.deepEqual(
      lines.map(({ from, to, kind }) => `${from} ${kind} ${to}`),
      ['bob silent ann', 'cyd hears ann', 'ann silent bob', 'bob blocks ann'],
    );
    assert.equal(new Set(places.map(({ x, y }) => `${x.toFixed()} ${y.toFixed()}`)).size, 3);
    assert.equal(left, 0);
    const many = {
      room_id: 'b',
      users: Array.from({ length: 45 }, (_, index) => user(`u${index + 10}`, ['u10', 'u54'])),
    };
    const crowd = layOut(many);
    assert.deepEqual([crowd.places.length, crowd.left], [40, 5]);
    assert.ok(
      crowd.lines.every(({ from }) => from === 'u10'),
      'no line leads to somebody who is not drawn',
    );
  });
});

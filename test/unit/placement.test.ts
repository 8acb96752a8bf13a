import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ShardLoads } from '../../src/shards/loads.js';
import { choosePlacement, placeSubscriber } from '../../src/shards/placement.js';
import { Random } from '../support/random.js';

/** From here on a shard is near saturation. */
const LIMIT = 0.75;

describe('choosePlacement', () => {
  test('takes the room’s home first, then the session’s own shards, then the least loaded', () => {
    assert.equal(choosePlacement('auto', { home: 2, near: [1] }, [0, 0.5, 0.7], 0, LIMIT), 2);
    assert.equal(choosePlacement('auto', { near: [1] }, [0, 0.5, 0.7], 0, LIMIT), 1);
    assert.equal(choosePlacement('auto', { loopIndex: 5 }, [0, 0.5, 0.7], 0, LIMIT), 2);
    assert.equal(choosePlacement('auto', {}, [0.3, 0.1, 0.7], 0, LIMIT), 1);
  });

  test('leaves a room’s home that is near saturation for a shard with clear headroom', () => {
    assert.equal(choosePlacement('auto', { home: 0 }, [0.8, 0.4], 0, LIMIT), 1);
    assert.equal(choosePlacement('auto', { home: 0 }, [0.8, 0.6], 0, LIMIT), 0, 'both have enough to do');
    assert.equal(choosePlacement('auto', { near: [0], loopIndex: 0 }, [0.8, 0.4], 0, LIMIT), 1);
    assert.equal(choosePlacement('together', { home: 0 }, [0.8, 0.4], 0, LIMIT), 0);
  });

  test('never chooses a shard that is down', () => {
    assert.equal(choosePlacement('auto', { home: 0, near: [0] }, [null, 0.5], 0, LIMIT), 1);
    assert.equal(choosePlacement('together', {}, [null, 0.5], 0, LIMIT), 1);
    assert.throws(() => choosePlacement('auto', {}, [null, null], 0, LIMIT), /No shard is running/);
  });

  test('spreads handles over all shards in turn, hints or not', () => {
    const place = (turn: number) => choosePlacement('spread', { home: 0 }, [0, null, 0, 0], turn, LIMIT);
    assert.deepEqual([0, 1, 2, 3, 4, 5].map(place), [0, 2, 3, 0, 2, 3]);
  });
});

describe('placeSubscriber', () => {
  const none = new Set<number>();

  test('stays on the publisher’s shard as long as that has room, however idle others are', () => {
    assert.equal(placeSubscriber('auto', { home: 1, mirrors: none }, [0, 0.74], 0, LIMIT), 1);
  });

  test('goes to the least loaded shard once the publisher’s is near saturation, if that one has clear headroom', () => {
    assert.equal(placeSubscriber('auto', { home: 1, mirrors: none }, [0.3, 0.8, 0.1], 0, LIMIT), 2);
    assert.equal(placeSubscriber('auto', { home: 1, mirrors: none }, [0.6, 0.8, 0.7], 0, LIMIT), 1);
  });

  test('fills a mirror that is there before it makes another one', () => {
    assert.equal(placeSubscriber('auto', { home: 0, mirrors: new Set([1]) }, [0.9, 0.7, 0.1], 0, LIMIT), 1);
    assert.equal(placeSubscriber('auto', { home: 0, mirrors: new Set([1]) }, [0.9, 0.8, 0.1], 0, LIMIT), 2);
    assert.equal(placeSubscriber('auto', { home: 0, mirrors: new Set([1]) }, [0.9, 0.8, 0.6], 0, LIMIT), 1);
  });

  test('comes back to the publisher’s shard only when that is clearly below the limit again', () => {
    assert.equal(placeSubscriber('auto', { home: 0, mirrors: new Set([1]) }, [0.7, 0.2], 0, LIMIT), 1);
    assert.equal(placeSubscriber('auto', { home: 0, mirrors: new Set([1]) }, [0.55, 0.2], 0, LIMIT), 0);
  });

  test('takes no shard that is down for a mirror', () => {
    assert.equal(placeSubscriber('auto', { home: 0, mirrors: new Set([1]) }, [0.9, null, null], 0, LIMIT), 0);
    assert.equal(placeSubscriber('spread', { home: 0, mirrors: none }, [0, null], 1, LIMIT), 0);
  });

  test('follows the settings: off is always the publisher’s shard, spread every shard in turn', () => {
    assert.equal(placeSubscriber('off', { home: 0, mirrors: none }, [0.99, 0], 0, LIMIT), 0);
    const place = (turn: number) => placeSubscriber('spread', { home: 0, mirrors: none }, [0, 0, 0], turn, LIMIT);
    assert.deepEqual([0, 1, 2, 3].map(place), [0, 1, 2, 0]);
  });
});

/** Rooms whose traffic differs, on shards whose measure lags behind. */
class Town {
  readonly loads = new ShardLoads();
  /** What each shard really does, and what it measures, as workers/utilization.ts smooths it. */
  readonly real: number[];
  readonly measured: { busy: number; peers: number }[];
  turn = 0;
  now = 0;

  constructor(shards: number) {
    this.real = new Array(shards).fill(0);
    this.measured = this.real.map(() => ({ busy: 0, peers: 0 }));
  }

  /** Time passes: the measure comes closer to what is so. */
  elapse(milliseconds: number): void {
    this.now += milliseconds;
    const weight = 1 - Math.exp(-milliseconds / 1500);
    this.measured.forEach((one, shard) => {
      one.busy += ((this.real[shard] ?? 0) - one.busy) * weight;
    });
  }

  /** A user comes, to its room's home if there is one. @returns its shard */
  enter(home: number | undefined, load: number): number {
    const loads = this.loads.estimate(this.measured, this.now);
    const shard = choosePlacement('auto', home === undefined ? {} : { home }, loads, this.turn++, LIMIT);
    const measured = this.measured[shard];
    this.loads.placed(shard, measured ?? null, this.now);
    this.real[shard] = (this.real[shard] ?? 0) + load;
    if (measured) measured.peers += 1;
    return shard;
  }

  /** How far the busiest shard is above the mean, 0.. */
  get imbalance(): number {
    const mean = this.real.reduce((sum, load) => sum + load, 0) / this.real.length;
    return Math.max(...this.real) / mean - 1;
  }
}

describe('100 rooms of 4', () => {
  for (const shards of [2, 3, 4]) {
    for (const seed of [1, 2, 3, 4, 5]) {
      test(`with unequal traffic leave ${shards} shards within 15 % of their mean load, seed ${seed}`, () => {
        const random = new Random(seed);
        const town = new Town(shards);
        for (let room = 0; room < 100; room++) {
          // From a quiet room to one with ten times its traffic: 0.1 to 1 % of a shard each user.
          const load = 0.001 * 10 ** (random.below(1000) / 1000);
          let home: number | undefined;
          for (let user = 0; user < 4; user++) {
            home = town.enter(home, load);
            town.elapse(100 + 400 * (random.below(1000) / 1000));
          }
        }
        assert.ok(town.imbalance <= 0.15, `the busiest has ${(town.imbalance * 100).toFixed(1)} % more`);
      });
    }
  }

  test('that come within one second, before any load can be measured, are dealt out evenly', () => {
    const town = new Town(4);
    const rooms = [0, 0, 0, 0];
    for (let room = 0; room < 100; room++) {
      const home = town.enter(undefined, 0);
      rooms[home] = (rooms[home] ?? 0) + 1;
      for (let user = 1; user < 4; user++) town.enter(home, 0);
      town.elapse(10);
    }
    assert.ok(Math.max(...rooms) <= 28, `rooms by shard: ${rooms.join(', ')}`);
  });

  test('that fall silent make room for others by load, not by the number of their peers', () => {
    const town = new Town(2);
    for (let room = 0; room < 20; room++) {
      const home = town.enter(undefined, 0);
      // What is on shard 0 sends nothing; all the traffic is on shard 1.
      if (home === 1) town.real[1] = (town.real[1] ?? 0) + 0.03;
      town.elapse(1000);
    }
    town.elapse(10_000);
    const chosen = Array.from({ length: 5 }, () => town.enter(undefined, 0));
    assert.deepEqual(chosen, [0, 0, 0, 0, 0]);
  });
});

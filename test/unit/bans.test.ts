import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type BanStore, MemoryBanStore, openLmdbBanStore } from '../../src/sfu/ban-store.js';
import { Bans, tokenDigest } from '../../src/sfu/bans.js';

const [ONE, TWO, THREE] = ['one', 'two', 'three'].map(tokenDigest) as [string, string, string];

describe('bans', () => {
  test('end when their token expires, and take no room after', async () => {
    let now = 1000;
    const store = new MemoryBanStore();
    const bans = new Bans(store, 10, () => now);
    await bans.ban({ token: ONE, expires: 1010 });
    await bans.ban({ token: TWO, expires: 1000 });
    assert.deepEqual([bans.has(ONE), bans.has(TWO), bans.size], [true, false, 1]);
    now = 1010;
    assert.equal(bans.has(ONE), false);
    await bans.ban({ token: THREE, expires: 2000 });
    assert.deepEqual(store.all(), [{ token: THREE, expires: 2000 }]);
    assert.equal(bans.size, 1);
  });

  test('are so many at most: the one that would end first gives way, also where the store holds more', async () => {
    const store = new MemoryBanStore();
    const bans = new Bans(store, 2, () => 0);
    for (const [token, expires] of [
      [ONE, 30],
      [TWO, 10],
      [THREE, 20],
    ] as const)
      await bans.ban({ token, expires });
    assert.deepEqual(
      [ONE, TWO, THREE].map((token) => bans.has(token)),
      [true, false, true],
    );
    assert.equal(store.all().length, 2);
    assert.deepEqual(bans.counters, { banned: 3, displaced: 1, savesFailed: 0 });
    const fewer = new Bans(store, 1, () => 0);
    assert.deepEqual([fewer.size, fewer.has(ONE)], [1, true]);
  });

  test('of the same token again are one', async () => {
    const bans = new Bans(new MemoryBanStore(), 1, () => 0);
    for (let times = 0; times < 3; times += 1) await bans.ban({ token: ONE, expires: 10 });
    assert.deepEqual([bans.size, bans.counters.displaced], [1, 0]);
  });

  test('hold although they can not be saved, which is told', async () => {
    const failing: BanStore = new MemoryBanStore();
    failing.put = () => Promise.reject(new Error('disk full'));
    const told: unknown[] = [];
    const bans = new Bans(
      failing,
      10,
      () => 0,
      (error) => told.push(String(error)),
    );
    await bans.ban({ token: ONE, expires: 10 });
    assert.ok(bans.has(ONE));
    assert.deepEqual(told, ['Error: disk full']);
    assert.equal(bans.counters.savesFailed, 1);
  });

  test('are on disk when they are answered, as digests', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-bans-'));
    try {
      const first = openLmdbBanStore(folder);
      await first.put({ token: ONE, expires: 10 });
      await first.put({ token: TWO, expires: 20 });
      await first.remove(ONE);
      await first.close();
      const second = openLmdbBanStore(folder);
      assert.deepEqual(second.all(), [{ token: TWO, expires: 20 }]);
      await second.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { type BlockStore, MemoryBlockStore, openLmdbBlockStore } from '../../src/sfu/block-store.js';
import { Blocks } from '../../src/sfu/blocks.js';
import { Random } from '../support/random.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-blocks-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const ODD_IDS = [
  '',
  '__proto__',
  'constructor',
  'a\u0000b',
  'a\r\nb',
  '\ud800',
  '\ufffd',
  'é'.repeat(128),
  'u'.repeat(256),
];

for (const [name, open] of [
  ['memory', () => new MemoryBlockStore()],
  ['lmdb', () => openLmdbBlockStore(path.join(folder, 'each'))],
] as const) {
  describe(`the ${name} store`, () => {
    let store: BlockStore;
    test('opens', () => {
      store = open();
    });

    test('keeps who blocked whom, apart for each blocker', async () => {
      await store.put('ann', 'bob');
      await store.put('ann', 'carol');
      await store.put('ann', 'bob');
      await store.put('bob', 'ann');
      assert.deepEqual(store.blockedBy('ann').sort(), ['bob', 'carol']);
      await store.remove('ann', 'bob');
      await store.remove('ann', 'nobody');
      assert.deepEqual(store.blockedBy('ann'), ['carol']);
      assert.deepEqual(store.blockedBy('bob'), ['ann']);
      assert.deepEqual(store.blockedBy('an'), []);
    });

    test('any text is an id like any other', async () => {
      for (const blocker of ODD_IDS) for (const blocked of ODD_IDS) await store.put(blocker, blocked);
      for (const blocker of ODD_IDS) assert.deepEqual(new Set(store.blockedBy(blocker)), new Set(ODD_IDS));
    });

    test('closes', () => store.close());
  });
}

test('the lmdb store has everything again when it is opened anew', async () => {
  const file = path.join(folder, 'again');
  const first = openLmdbBlockStore(file);
  for (let index = 0; index < 100; index += 1) await first.put('ann', `u${index}`);
  await first.close();
  const second = openLmdbBlockStore(file);
  assert.equal(second.blockedBy('ann').length, 100);
  await second.close();
});

describe('blocks', () => {
  test('hide both from each other, whoever blocked', async () => {
    const blocks = new Blocks(new MemoryBlockStore(), 10);
    for (const user of ['ann', 'bob', 'carol']) blocks.enter(user);
    const change = blocks.block('ann', 'bob');
    assert.ok(change.ok && change.changed && change.hidden);
    await change.saved;
    assert.deepEqual(
      [blocks.hides('ann', 'bob'), blocks.hides('bob', 'ann'), blocks.hides('ann', 'carol')],
      [true, true, false],
    );
  });

  test('only the blocker lifts its own', () => {
    const blocks = new Blocks(new MemoryBlockStore(), 10);
    for (const user of ['ann', 'bob']) blocks.enter(user);
    blocks.block('ann', 'bob');
    blocks.block('bob', 'ann');
    const first = blocks.unblock('ann', 'bob');
    assert.ok(first.ok && first.changed && first.hidden);
    const second = blocks.unblock('bob', 'ann');
    assert.ok(second.ok && second.changed && !second.hidden);
    const third = blocks.unblock('bob', 'ann');
    assert.ok(third.ok && !third.changed);
  });

  test('are there again when the user comes back, and when the blocked one comes first', async () => {
    const store = new MemoryBlockStore();
    const blocks = new Blocks(store, 10);
    blocks.enter('ann');
    const change = blocks.block('ann', 'bob');
    assert.ok(change.ok);
    await change.saved;
    blocks.leave('ann');
    assert.deepEqual(blocks.enter('bob'), []);
    assert.deepEqual(blocks.enter('ann'), ['bob']);
    assert.deepEqual(blocks.leave('bob'), ['ann']);
  });

  test('of many users are as a look at all of them would say, whoever comes, goes, blocks and unblocks', () => {
    const random = new Random(4);
    const store = new MemoryBlockStore();
    const blocks = new Blocks(store, 100);
    const present = new Set<string>();
    const blocked = new Set<string>();
    const users = Array.from({ length: 12 }, (_, index) => `u${index}`);
    const hidden = (user: string) =>
      users.filter(
        (other) =>
          other !== user && present.has(other) && (blocked.has(`${user} ${other}`) || blocked.has(`${other} ${user}`)),
      );
    for (let step = 0; step < 2000; step += 1) {
      const [user, other] = [random.pick(users), random.pick(users)];
      if (!present.has(user)) {
        assert.deepEqual(blocks.enter(user).sort(), hidden(user).sort());
        present.add(user);
      } else if (random.once(3)) {
        assert.deepEqual(blocks.leave(user).sort(), hidden(user).sort());
        present.delete(user);
      } else if (random.once(2)) {
        blocks.block(user, other);
        if (user !== other) blocked.add(`${user} ${other}`);
      } else {
        blocks.unblock(user, other);
        blocked.delete(`${user} ${other}`);
      }
      if (present.has(user)) assert.deepEqual(blocks.hiddenFrom(user).sort(), hidden(user).sort());
    }
  });

  test('of oneself do nothing', () => {
    const blocks = new Blocks(new MemoryBlockStore(), 10);
    blocks.enter('ann');
    const change = blocks.block('ann', 'ann');
    assert.ok(change.ok && !change.changed);
    assert.equal(blocks.hides('ann', 'ann'), false);
  });

  test('R2: are a set of bounded size: the same one again is free, one more is refused (hole f)', () => {
    const store = new MemoryBlockStore();
    const blocks = new Blocks(store, 1000);
    blocks.enter('ann');
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 1000; index += 1) assert.ok(blocks.block('ann', `u${index}`).ok);
    }
    for (let index = 1000; index < 100_000; index += 1) assert.ok(!blocks.block('ann', `u${index}`).ok);
    assert.deepEqual(
      [blocks.count('ann'), store.blockedBy('ann').length, blocks.counters.refused],
      [1000, 1000, 99_000],
    );
    const refused = blocks.block('ann', 'one more');
    assert.ok(!refused.ok);
    assert.match(refused.reason, /1000/);
    blocks.unblock('ann', 'u0');
    assert.ok(blocks.block('ann', 'one more').ok);
  });
});

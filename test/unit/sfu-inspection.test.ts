import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryBlockStore } from '../../src/sfu/block-store.js';
import { Blocks } from '../../src/sfu/blocks.js';
import type { SfuHandle } from '../../src/sfu/handle.js';
import { Inspection } from '../../src/sfu/inspection.js';
import { RecentErrors } from '../../src/sfu/recent-errors.js';
import { Switchboard } from '../../src/sfu/switchboard.js';
import { ShardError } from '../../src/shards/pool.js';
import type { HandleDescription } from '../../workers/protocol.js';
import { quietHandle } from '../support/quiet-handle.js';

const attached = (number: number, shard: number | null = null): SfuHandle => ({ ...quietHandle(number), shard });

function open(describeHandle: () => Promise<HandleDescription | null> = async () => null, answerLimit?: number) {
  const switchboard = new Switchboard({ maxRoomSize: 0, maxCcu: 0, notifyScope: 'room', replyIncludesSelf: false });
  const blocks = new Blocks(new MemoryBlockStore(), 10);
  const handles = new Map<number, SfuHandle>();
  const peers = {
    find: (number: number) => handles.get(number),
    size: 0,
    handles: () => handles.values(),
    describe: describeHandle,
  };
  const join = (handle: SfuHandle, room: string, user: string, publisher: boolean) => {
    handles.set(handle.number, handle);
    blocks.enter(user);
    assert.equal(
      switchboard.admit({ handle: handle.number, room, user, publisher, notifications: false, talking: false }),
      null,
    );
    switchboard.announce(handle.number);
    return handle;
  };
  return { inspection: new Inspection({ switchboard, blocks, peers }, answerLimit), blocks, join };
}

describe('what the plugin tells operators', () => {
  test('of rooms: users with their handles, where they live, how many each has blocked, and who of them is there', () => {
    const { inspection, blocks, join } = open();
    const ann = join(attached(1, 0), 'lobby', 'ann', true);
    const bob = [join(attached(2, 1), 'lobby', 'bob', true), join(attached(3), 'lobby', 'bob', false)];
    join(attached(4), 'attic', 'carl', false);
    blocks.block('ann', 'bob');
    blocks.block('ann', 'somebody');
    const [lobby, attic] = inspection.rooms();
    assert.deepEqual([lobby?.room, lobby?.shards, attic?.room, attic?.shards], ['lobby', [0, 1], 'attic', []]);
    assert.deepEqual(
      lobby?.users.map(({ user, publisher, blocks: count, blocked, handles }) => [
        user,
        publisher,
        count,
        blocked,
        handles.map(({ handle }) => handle),
      ]),
      [
        ['ann', true, 2, ['bob'], [ann]],
        ['bob', true, 0, [], bob],
      ],
    );
    assert.deepEqual(inspection.rooms('attic'), [attic]);
    assert.deepEqual(inspection.rooms('cellar'), []);
  });

  test('of a handle: whom it acts for, and what it is for', () => {
    const { inspection, join } = open();
    const fresh = inspection.handle(attached(9));
    assert.deepEqual([fresh.room, fresh.user, fresh.kind, fresh.source], [null, null, null, null]);
    const publisher = inspection.handle(join(attached(1, 0), 'lobby', 'ann', true));
    assert.deepEqual([publisher.room, publisher.user, publisher.kind], ['lobby', 'ann', 'publisher']);
    const listener = inspection.handle(join(attached(2), 'lobby', 'bob', false));
    assert.equal(listener.kind, 'subscriber');
  });

  test('of a handle’s shard: nothing where it died or is too busy to answer in time', async () => {
    const description: HandleDescription = { peer: null, streams: [] };
    assert.equal(await open(async () => description).inspection.describe(attached(1, 0)), description);
    const dead = open(() => Promise.reject(new ShardError('it is not running')));
    assert.equal(await dead.inspection.describe(attached(1, 0)), 'late');
    const busy = open(() => new Promise(() => {}), 1);
    assert.equal(await busy.inspection.describe(attached(1, 0)), 'late');
    const broken = open(() => Promise.reject(new RangeError('a mistake of ours')));
    await assert.rejects(broken.inspection.describe(attached(1, 0)), RangeError);
  });
});

describe('the recent errors of a handle', () => {
  test('are the last five, cut to a length for people', () => {
    const errors = new RecentErrors();
    for (let index = 0; index < 8; index += 1) errors.add(`error ${index}`, index);
    assert.deepEqual(
      errors.list(),
      [3, 4, 5, 6, 7].map((at) => ({ at, reason: `error ${at}` })),
    );
    errors.add('x'.repeat(1000));
    assert.equal(errors.list().at(-1)?.reason.length, 300);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Notice, Switchboard, type SwitchboardSettings } from '../../src/sfu/switchboard.js';

const unlimited: SwitchboardSettings = { maxRoomSize: 0, maxCcu: 0, notifyScope: 'room', replyIncludesSelf: false };

/** Joins as the plugin does: a place first, then the announcement. Returns a refusal, or what was said to whom. */
function join(
  board: Switchboard,
  handle: number,
  room: string,
  user: string,
  wants: { data?: boolean; notifications?: boolean; talking?: boolean } = { data: true, notifications: true },
): string | { users: string[]; notices: Notice[] } {
  const refusal = board.admit({
    handle,
    room,
    user,
    publisher: wants.data ?? false,
    notifications: wants.notifications ?? false,
    talking: wants.talking ?? false,
  });
  return refusal ?? board.announce(handle);
}

function joined(...args: Parameters<typeof join>) {
  const result = join(...args);
  assert.ok(typeof result !== 'string', `refused: ${result}`);
  return result;
}

const told = (notices: Notice[]) =>
  notices.map(
    ({ to, data }) => `${to}: ${data.event} ${'by' in data ? data.by : 'user_id' in data ? data.user_id : ''}`,
  );

describe('who is in a room', () => {
  test('a joiner gets the publishers before it, never itself, and the others hear of it', () => {
    const board = new Switchboard(unlimited);
    assert.deepEqual(joined(board, 1, 'r', 'ann'), { users: [], notices: [] });
    const bob = joined(board, 2, 'r', 'bob');
    assert.deepEqual([bob.users, told(bob.notices)], [['ann'], ['1: join bob']]);
    assert.deepEqual(bob.notices[0]?.data, { event: 'join', user_id: 'bob', room_id: 'r' });
  });

  test('with JOIN_REPLY_INCLUDES_SELF the joiner is listed too', () => {
    const board = new Switchboard({ ...unlimited, replyIncludesSelf: true });
    assert.deepEqual(joined(board, 1, 'r', 'ann').users, ['ann']);
    assert.deepEqual(joined(board, 2, 'r', 'bob').users, ['ann', 'bob']);
  });

  test('a publisher whose old session is still there does not find itself, a subscriber of the same user does', () => {
    const board = new Switchboard(unlimited);
    joined(board, 1, 'r', 'ann');
    assert.deepEqual(joined(board, 2, 'r', 'ann').users, []);
    assert.deepEqual(joined(board, 3, 'r', 'ann', {}).users, ['ann']);
  });

  test('subscribers are neither listed nor announced, but their leaving is told', () => {
    const board = new Switchboard(unlimited);
    joined(board, 1, 'r', 'ann');
    assert.deepEqual(joined(board, 2, 'r', 'dave', { notifications: true }).notices, []);
    assert.deepEqual(joined(board, 3, 'r', 'bob').users, ['ann']);
    assert.deepEqual(told(board.leave(2)), ['1: leave dave', '3: leave dave']);
  });

  test('only handles that asked are told, with data or without, and never those of the same user', () => {
    const board = new Switchboard(unlimited);
    joined(board, 1, 'r', 'ann', { data: true });
    joined(board, 2, 'r', 'bob', { notifications: true });
    joined(board, 3, 'r', 'carol', { notifications: true });
    assert.deepEqual(told(joined(board, 4, 'r', 'carol').notices), ['2: join carol']);
    assert.deepEqual(told(joined(board, 5, 'elsewhere', 'eve').notices), []);
  });

  test('with NOTIFY_SCOPE=server everybody is told', () => {
    const board = new Switchboard({ ...unlimited, notifyScope: 'server' });
    joined(board, 1, 'r', 'ann');
    assert.deepEqual(told(joined(board, 2, 'elsewhere', 'eve').notices), ['1: join eve']);
  });

  test('a user leaves when its last handle in the room goes, once', () => {
    const board = new Switchboard(unlimited);
    joined(board, 1, 'r', 'ann');
    for (const handle of [2, 3]) joined(board, handle, 'r', 'bob');
    joined(board, 4, 'other', 'bob');
    assert.deepEqual(board.leave(2), []);
    assert.deepEqual(told(board.leave(3)), ['1: leave bob']);
    assert.deepEqual(board.leave(3), []);
  });

  test('a handle joins once', () => {
    const board = new Switchboard(unlimited);
    joined(board, 1, 'r', 'ann');
    assert.equal(join(board, 1, 'other', 'ann'), 'Handles may only join once!');
  });

  test('a place that was kept and given back was never seen', () => {
    const board = new Switchboard(unlimited);
    joined(board, 1, 'r', 'ann');
    assert.equal(
      board.admit({ handle: 2, room: 'r', user: 'bob', publisher: true, notifications: true, talking: false }),
      null,
    );
    assert.deepEqual(joined(board, 3, 'r', 'carol').users, ['ann']);
    assert.equal(
      board.publisherOf('bob', () => true),
      null,
    );
    assert.deepEqual(board.leave(2), []);
  });
});

describe('limits', () => {
  test('a room holds so many publishing users; subscribers and the same user again do not count', () => {
    const board = new Switchboard({ ...unlimited, maxRoomSize: 2 });
    joined(board, 1, 'r', 'ann');
    joined(board, 2, 'r', 'bob');
    assert.equal(join(board, 3, 'r', 'carol'), 'Room is full.');
    joined(board, 3, 'r', 'carol', {});
    joined(board, 4, 'r', 'bob');
    board.leave(2);
    assert.equal(join(board, 5, 'r', 'dave'), 'Room is full.');
    board.leave(4);
    joined(board, 5, 'r', 'dave');
  });

  test('the server holds so many publishing users over all rooms', () => {
    const board = new Switchboard({ ...unlimited, maxCcu: 2 });
    joined(board, 1, 'r', 'ann');
    joined(board, 2, 's', 'bob');
    assert.equal(join(board, 3, 't', 'carol'), 'Server is full.');
    joined(board, 4, 't', 'bob');
    joined(board, 5, 't', 'carol', {});
  });

  test('R6: a kept place counts: 200 who come at once are never more than 30', () => {
    const board = new Switchboard({ ...unlimited, maxRoomSize: 30 });
    const kept = Array.from({ length: 200 }, (_, index) =>
      board.admit({
        handle: index + 1,
        room: 'r',
        user: `u${index}`,
        publisher: true,
        notifications: false,
        talking: false,
      }),
    );
    assert.equal(kept.filter((refusal) => refusal === null).length, 30);
    assert.ok(kept.every((refusal) => refusal === null || refusal === 'Room is full.'));
  });

  test('a subscriber that becomes a publisher is held to the limits, and announced', () => {
    const board = new Switchboard({ ...unlimited, maxRoomSize: 2 });
    joined(board, 1, 'r', 'ann');
    joined(board, 2, 'r', 'bob', {});
    const notices = board.upgrade(2, { publisher: true, notifications: true, talking: true });
    assert.ok(typeof notices !== 'string');
    assert.deepEqual(told(notices), ['1: join bob']);
    joined(board, 3, 'r', 'carol', {});
    assert.equal(board.upgrade(3, { publisher: true, notifications: false, talking: false }), 'Room is full.');
    assert.equal(board.member(3)?.publisher, false);
  });
});

describe('who gets what', () => {
  test('the newest publisher of a user is subscribed to; when it goes, the one before it', () => {
    const board = new Switchboard(unlimited);
    for (const handle of [1, 2, 3]) joined(board, handle, 'r', 'ann');
    joined(board, 4, 'r', 'ann', {});
    assert.equal(board.publisherOf('ann', () => true)?.handle, 3);
    board.leave(3);
    assert.equal(board.publisherOf('ann', () => true)?.handle, 2);
  });

  test('publishers of rooms that may not be heard do not exist', () => {
    const board = new Switchboard(unlimited);
    joined(board, 1, 'r', 'ann');
    joined(board, 2, 'secret', 'ann');
    assert.equal(board.publisherOf('ann', (room) => room === 'r')?.handle, 1);
    assert.equal(
      board.publisherOf('ann', (room) => room === 'other'),
      null,
    );
  });

  test('data goes to the publishers of the room but the sender, or to the one named, oneself included', () => {
    const board = new Switchboard(unlimited);
    for (const [handle, user] of [
      [1, 'ann'],
      [2, 'bob'],
      [3, 'carol'],
    ] as const)
      joined(board, handle, 'r', user);
    joined(board, 4, 'r', 'dave', { notifications: true });
    joined(board, 5, 'other', 'bob');
    const ann = board.member(1);
    assert.ok(ann);
    const to = (whom: string | null) => board.dataReceivers(ann, whom).map(({ handle }) => handle);
    assert.deepEqual([to(null), to('bob'), to('ann'), to('dave'), to('nobody')], [[2, 3], [2], [1], [], []]);
  });

  test('blocked goes to every handle of the target that wants notifications, in whatever room', () => {
    const board = new Switchboard(unlimited);
    joined(board, 1, 'r', 'bob');
    joined(board, 2, 'other', 'bob');
    joined(board, 3, 'r', 'bob', { data: true });
    assert.deepEqual(told(board.blockNotices('blocked', 'ann', 'bob')), ['1: blocked ann', '2: blocked ann']);
  });
});

test('R3: whatever happens, nothing is left when all have left, and the limits held all the time', () => {
  const ids = fc.constantFrom('a', 'b', '__proto__', 'constructor', '');
  const step = fc.record({
    handle: fc.integer({ min: 1, max: 12 }),
    room: ids,
    user: ids,
    data: fc.boolean(),
    leave: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const board = new Switchboard({ ...unlimited, maxRoomSize: 3, maxCcu: 4 });
      for (const { handle, room, user, data, leave } of steps) {
        if (leave) board.leave(handle);
        else join(board, handle, room, user, { data, notifications: true });
        for (const one of [room]) {
          const publishers = board.roomMembers(one).filter((member) => member.publisher);
          assert.ok(new Set(publishers.map((member) => member.user)).size <= 3);
        }
      }
      for (let handle = 1; handle <= 12; handle += 1) board.leave(handle);
      assert.deepEqual(board.size, { members: 0, rooms: 0, users: 0 });
    }),
    { seed: 4, numRuns: 500 },
  );
});

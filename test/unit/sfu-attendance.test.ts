import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Attendance, type Happening } from '../../src/sfu/attendance.js';
import { ROOM_FULL, SERVER_FULL } from '../../src/sfu/switchboard.js';
import { Random } from '../support/random.js';

function open() {
  const told: Happening[] = [];
  return { attendance: new Attendance((happening) => told.push(happening)), told };
}

/** Happenings as lines: `join r ann`. */
const lines = (told: Happening[]) =>
  told.map((one) => [one.type, one.room, 'user' in one ? one.user : ''].join(' ').trim());

describe('the attendance', () => {
  test('tells of a user, however many handles it joins and leaves with, and of a room that is empty', () => {
    const { attendance, told } = open();
    for (const user of ['ann', 'ann', 'bob']) attendance.came('r', user);
    attendance.went('r', 'ann');
    assert.deepEqual(lines(told), ['join r ann', 'join r bob']);
    attendance.went('r', 'ann');
    attendance.went('r', 'bob');
    assert.deepEqual(lines(told).slice(2), ['leave r ann', 'leave r bob', 'room-empty r']);
    assert.equal(attendance.size, 0);
    assert.deepEqual(attendance.happened.read(), { join: 2, leave: 2, kick: 0, 'room-empty': 1, 'room-full': 0 });
  });

  test('keeps rooms apart, and knows nothing of who never came', () => {
    const { attendance, told } = open();
    attendance.came('r', 'ann');
    attendance.came('s', 'ann');
    attendance.went('r', 'bob');
    attendance.went('t', 'ann');
    attendance.went('r', 'ann');
    assert.deepEqual(lines(told), ['join r ann', 'join s ann', 'leave r ann', 'room-empty r']);
  });

  test('tells once that a room is full, until somebody leaves it, and counts each who was turned away', () => {
    const { attendance, told } = open();
    attendance.came('r', 'ann');
    attendance.came('r', 'ann');
    for (let i = 0; i < 100; i += 1) attendance.turnedAway('r', `user ${i}`, ROOM_FULL);
    attendance.went('r', 'ann');
    attendance.turnedAway('r', 'late', ROOM_FULL);
    attendance.turnedAway('r', 'bob', SERVER_FULL);
    attendance.turnedAway('r', 'bob', 'Handles may only join once!');
    attendance.turnedAway('nowhere', 'bob', ROOM_FULL);
    assert.deepEqual(lines(told), ['join r ann', 'room-full r user 0', 'room-full r late']);
    assert.deepEqual(attendance.refused.read(), { room_full: 102, server_full: 1 });
  });

  test('ends with as many leaves as joins, and with nothing kept, whatever the order', () => {
    const random = new Random(6);
    const { attendance, told } = open();
    const there: [string, string][] = [];
    for (let step = 0; step < 2000 || there.length > 0; step += 1) {
      const leaves = there.length > 0 && (step >= 2000 || random.once(2));
      if (leaves) {
        const [gone] = there.splice(random.below(there.length), 1);
        if (gone) attendance.went(...gone);
      } else {
        const came: [string, string] = [`r${random.below(5)}`, `u${random.below(5)}`];
        there.push(came);
        attendance.came(...came);
      }
    }
    const present = new Set<string>();
    for (const one of told) {
      const who = `${one.room} ${'user' in one ? one.user : ''}`;
      if (one.type === 'join') assert.ok(!present.has(who) && present.add(who));
      if (one.type === 'leave') assert.ok(present.delete(who));
      if (one.type === 'room-empty') assert.ok(![...present].some((other) => other.startsWith(`${one.room} `)));
    }
    assert.deepEqual([present.size, attendance.size], [0, 0]);
  });
});

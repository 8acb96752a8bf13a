import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Connection } from '../../src/janus/connection.js';
import { randomId, type Session, type SessionSettings, Sessions } from '../../src/janus/sessions.js';

const settings: SessionSettings = {
  sessionTimeout: 60_000,
  reclaimTimeout: 0,
  sessionsPerConnection: 16,
  handlesPerConnection: 64,
  unjoinedHandlesPerConnection: 4,
  requestsPerHandle: 8,
  eventsMax: 3,
  eventBytesMax: 1000,
};

let connections = 0;
function connection(): Connection {
  connections += 1;
  return {
    id: connections,
    transport: 'janus.transport.websockets',
    address: '127.0.0.1',
    loopback: true,
    room: null,
    send: () => {},
  };
}

function created(sessions: Sessions, owner: Connection, now = 0): Session {
  const session = sessions.create(owner, 0, now);
  assert.ok(!('code' in session));
  return session;
}

/** Sweeps every second, as the server does, up to a time. */
function sweepUntil(sessions: Sessions, end: number, from = 0) {
  const expired = [];
  for (let now = from; now <= end; now += 1000) expired.push(...sessions.expire(now));
  return expired;
}

describe('sessions', () => {
  test('W13: ids are unguessable numbers that JSON carries: 53 bits, none of 250,000 twice, evenly spread', () => {
    const count = 250_000;
    const ids = Float64Array.from({ length: count }, randomId).sort();
    assert.ok(ids.every((id) => Number.isSafeInteger(id) && id > 0));
    for (let index = 1; index < count; index += 1) assert.notEqual(ids[index], ids[index - 1]);
    // Groups of 9 bits, each of 512 values: chi-square has a mean of 511 and a standard deviation of 32.
    for (const low of [0, 9, 18, 27, 36, 44]) {
      const seen = new Float64Array(512);
      for (const id of ids) seen[Math.floor(id / 2 ** low) % 512] = (seen[Math.floor(id / 2 ** low) % 512] ?? 0) + 1;
      const expected = count / 512;
      const chiSquare = seen.reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0);
      assert.ok(chiSquare > 511 - 6 * 32 && chiSquare < 511 + 6 * 32, `bits from ${low}: chi-square ${chiSquare}`);
    }
  });

  test('W13: a stranger finds no session, and finds out nothing about it', () => {
    const sessions = new Sessions(settings);
    const owner = connection();
    const session = created(sessions, owner);
    assert.equal(sessions.get(session.id, owner), session);
    assert.equal(sessions.get(session.id, connection()), null);
  });

  test('claim takes a session over, even from a living owner', () => {
    const sessions = new Sessions(settings);
    const [first, second] = [connection(), connection()];
    const session = created(sessions, first);
    assert.equal(sessions.claim(session, second), null);
    assert.equal(sessions.get(session.id, first), null);
    assert.deepEqual(sessions.disconnect(first, 0), []);
    assert.deepEqual(sessions.disconnect(second, 0), [session]);
  });

  test('a wanted id is given once', () => {
    const sessions = new Sessions(settings);
    const owner = connection();
    assert.ok(!('code' in sessions.create(owner, 123, 0)));
    assert.deepEqual(sessions.create(owner, 123, 0), { code: 468, reason: 'Session ID already in use' });
  });

  test('a session without requests expires, one with requests does not', () => {
    const sessions = new Sessions(settings);
    const idle = created(sessions, connection());
    const busy = created(sessions, connection());
    assert.deepEqual(sweepUntil(sessions, 40_000), []);
    busy.lastActivity = 40_000;
    assert.deepEqual(sweepUntil(sessions, 61_000, 41_000).map(({ session, cause }) => [session.id, cause])[0], [
      idle.id,
      'timeout',
    ]);
  });

  test('after a stall of the process a session gets another second to be heard', () => {
    const sessions = new Sessions(settings);
    created(sessions, connection());
    assert.deepEqual(sweepUntil(sessions, 30_000), []);
    assert.deepEqual(sessions.expire(90_000), []);
    assert.equal(sessions.expire(91_000).length, 1);
  });

  test('a session timeout of 0 is never', () => {
    const sessions = new Sessions({ ...settings, sessionTimeout: 0 });
    created(sessions, connection());
    assert.deepEqual(sweepUntil(sessions, 200_000), []);
  });

  test('with a reclaim timeout a session outlives its connection for that long, counted from the close', () => {
    const sessions = new Sessions({ ...settings, reclaimTimeout: 5000 });
    const owner = connection();
    const session = created(sessions, owner);
    sweepUntil(sessions, 20_000);
    assert.deepEqual(sessions.disconnect(owner, 20_000), []);
    assert.deepEqual(sweepUntil(sessions, 24_000, 21_000), []);
    const next = connection();
    assert.equal(sessions.claim(session, next), null);
    sessions.disconnect(next, 24_000);
    const [expired] = sweepUntil(sessions, 29_000, 25_000);
    assert.deepEqual([expired?.session, expired?.cause], [session, 'unclaimed']);
  });

  test('what a session is told while its connection is on its way out waits for who claims it', () => {
    const sessions = new Sessions({ ...settings, reclaimTimeout: 10_000 });
    const told: object[] = [];
    const state = { closing: false };
    const leaving = Object.defineProperty({ ...connection(), send: (event: object) => told.push(event) }, 'closing', {
      get: () => state.closing,
    });
    const session = created(sessions, leaving);
    assert.ok(sessions.tell(session, { n: 1 }));
    state.closing = true;
    assert.ok(sessions.tell(session, { n: 2 }));
    sessions.disconnect(leaving, 0);
    assert.ok(sessions.tell(session, { n: 3 }));
    assert.deepEqual([told, session.mailbox?.take(9)], [[{ n: 1 }], [{ n: 2 }, { n: 3 }]]);
  });

  test('a connection has at most 16 sessions, claimed ones included', () => {
    const sessions = new Sessions(settings);
    const owner = connection();
    const foreign = created(sessions, connection());
    for (let count = 0; count < 16; count += 1) created(sessions, owner);
    for (const refused of [sessions.create(owner, 0, 0), sessions.claim(foreign, owner)]) {
      assert.ok(refused && 'code' in refused && refused.code === 472);
    }
    const [first] = sessions.ownedBy(owner);
    assert.ok(first);
    sessions.remove(first);
    assert.ok(!('code' in sessions.create(owner, 0, 0)));
  });

  test('handles that have not joined are bounded for each connection, over all its sessions', () => {
    const sessions = new Sessions(settings);
    const owner = connection();
    const [one, other] = [created(sessions, owner), created(sessions, owner)];
    const attach = (session: Session) => sessions.addHandle(session, { opaqueId: null, token: null }, 0);
    for (const session of [one, one, other, other]) assert.ok(!('code' in attach(session)));
    const refused = attach(one);
    assert.ok('code' in refused && refused.code === 461);
    assert.match(refused.reason, /4 handles that have not joined/);
  });
});

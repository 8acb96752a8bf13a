/** `janus-sfu/client` in Node, against the real server. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import jwt from 'jsonwebtoken';
import { WebSocket } from 'ws';
import {
  type Handle,
  JanusRefusal,
  Refused,
  Removed,
  Room,
  type RoomOptions,
  Session,
  SessionLost,
  SignallingUnreachable,
} from '../../src/client/index.js';
import { keptSockets } from '../support/kept-sockets.js';
import { type RunningServer, startServer } from '../support/server.js';

/** An event that does not come is a failure, and not a test without an end. */
const LIMIT = { timeout: 60_000 };

const BACK_OFF = { firstMs: 50, longestMs: 200 };

const sessions: Session[] = [];
const rooms: Room[] = [];

async function open(url: string, options: Parameters<typeof Session.open>[1] = {}): Promise<Session> {
  const session = await Session.open(url, { WebSocket, backOff: BACK_OFF, ...options });
  sessions.push(session);
  return session;
}

async function enter(url: string, user: string, options: Partial<RoomOptions> = {}): Promise<Room> {
  const room = new Room({ url, room: 'garden', user, WebSocket, backOff: BACK_OFF, ...options });
  rooms.push(room);
  await room.enter();
  return room;
}

function closeAll(): void {
  for (const session of sessions.splice(0)) session.close();
  for (const room of rooms.splice(0)) room.leave();
}

/** Joins as a publisher that gets the room's events. */
async function join(session: Session, room: string, user: string): Promise<Handle> {
  const handle = await session.attach({ opaqueId: user });
  await handle.join({ room, user, subscribe: { notifications: true, data: true } });
  return handle;
}

describe('the client in Node', async () => {
  const server = await startServer({ env: { RECLAIM_SESSION_TIMEOUT: '10', SUBSCRIBE_WAIT: '1', LOG_LEVEL: 'debug' } });
  after(async () => {
    closeAll();
    await server.stop();
  });

  test('joins, hears who comes and goes, and gets data messages', LIMIT, async () => {
    const ann = await join(await open(server.wsUrl), 'talk', 'ann');
    const came = ann.next('join');
    const session = await open(server.wsUrl);
    const handle = await session.attach();
    const { users, offer } = await handle.join({ room: 'talk', user: 'bob', subscribe: { data: true } });
    assert.deepEqual([users, offer], [['ann'], null]);
    assert.deepEqual(await came, { event: 'join', user_id: 'bob', room_id: 'talk' });
    const said = ann.next('data');
    await handle.data('hello, Ann: ü ♥');
    assert.deepEqual(await said, { event: 'data', body: 'hello, Ann: ü ♥', from: 'bob' });
    const left = ann.next('leave');
    await handle.detach();
    assert.deepEqual(await left, { event: 'leave', user_id: 'bob', room_id: 'talk' });
    await assert.rejects(handle.data('too late'), { code: 'closed' });
  });

  test('blocks and unblocks, and the other one is told', LIMIT, async () => {
    const ann = await join(await open(server.wsUrl), 'fence', 'ann-f');
    const bob = await join(await open(server.wsUrl), 'fence', 'bob-f');
    const blocked = bob.next('blocked');
    await ann.block('bob-f');
    assert.deepEqual(await blocked, { event: 'blocked', by: 'ann-f' });
    const heard: string[] = [];
    ann.on('data', ({ body }) => heard.push(body));
    await bob.data('through the fence');
    const unblocked = bob.next('unblocked');
    await ann.unblock('bob-f');
    assert.deepEqual(await unblocked, { event: 'unblocked', by: 'ann-f' });
    const next = ann.next('data');
    await bob.data('over the fence');
    await next;
    assert.deepEqual(heard, ['over the fence']);
  });

  test('says what the plugin refused, with a code and the server’s words', LIMIT, async () => {
    const session = await open(server.wsUrl);
    const handle = await session.attach();
    await assert.rejects(handle.data('to nobody'), (error) => {
      assert.ok(error instanceof Refused);
      assert.equal(error.code, 'refused');
      assert.equal(error.reason, 'Cannot send data when not in a room.');
      return true;
    });
    const join = handle.join({ room: 'talk', user: 'listener', subscribe: { media: 'nobody-there' } });
    await assert.rejects(join, {
      code: 'refused',
      reason: "Can't subscribe to a nonexistent publisher.",
      final: false,
    });
  });

  test('says that a server is not reachable', LIMIT, async () => {
    await assert.rejects(Session.open('ws://127.0.0.1:9/', { WebSocket }), (error) => {
      assert.ok(error instanceof SignallingUnreachable);
      assert.match(error.message, /no answer from ws:\/\/127\.0\.0\.1:9\//);
      return true;
    });
  });

  test('says how to get a WebSocket where there is none', LIMIT, async (context) => {
    if ('WebSocket' in globalThis) return context.skip('this Node has a WebSocket of its own');
    await assert.rejects(Session.open(server.wsUrl), { code: 'unsupported', final: true });
  });

  test('claims its session on a new socket, and gets the events of the time between', LIMIT, async () => {
    const network = keptSockets();
    const session = await open(server.wsUrl, {
      WebSocket: network.WebSocket,
      backOff: { firstMs: 1_000, longestMs: 1_000 },
    });
    const ann = await join(session, 'away', 'ann-a');
    const { id } = session;
    const bob = await join(await open(server.wsUrl), 'away', 'bob-a');
    const heard: string[] = [];
    ann.on('data', ({ body }) => heard.push(body));
    ann.on('leave', ({ user_id }) => heard.push(`${user_id} left`));

    const away = session.next('away');
    const claimed = session.next('claimed');
    const noticed = disconnections(server);
    network.cut();
    const { problem, retryMs } = await away;
    assert.match(problem.message, /connection to the server was closed/);
    assert.ok(retryMs > 600 && retryMs < 1_400);
    assert.equal(session.state, 'away');
    await noticed;
    await bob.data('while you were away');
    await bob.detach();
    // Waits in the client until the connection is back.
    const answered = ann.data('I was away');
    assert.deepEqual(await claimed, { sessionId: id });
    await answered;
    assert.deepEqual(heard, ['while you were away', 'bob-a left']);
    assert.equal(network.opened.length, 2);
    assert.equal(session.id, id);
    assert.equal(ann.ended, null);
  });

  test('a message whose answer was lost with the socket is answered after the claim', LIMIT, async () => {
    const network = keptSockets();
    const session = await open(server.wsUrl, { WebSocket: network.WebSocket });
    const handle = await session.attach();
    // The server waits a second for the publisher, and answers while nobody owns the session.
    const joining = handle.join({ room: 'late', user: 'ann-l', subscribe: { media: 'bob-l' } });
    const refused = assert.rejects(joining, { reason: "Can't subscribe to a nonexistent publisher." });
    const claimed = session.next('claimed');
    network.cut();
    await claimed;
    await refused;
  });
});

test('a session that the server does not know any more is renewed, and its handles have ended', LIMIT, async () => {
  const server = await startServer({ env: { RECLAIM_SESSION_TIMEOUT: '0' } });
  try {
    const network = keptSockets();
    const session = await open(server.wsUrl, { WebSocket: network.WebSocket });
    const handle = await join(session, 'garden', 'ann');
    const before = session.id;
    const detached = handle.next('detached');
    const renewed = session.next('renewed');
    network.cut();
    assert.ok((await detached).problem instanceof SessionLost);
    assert.notEqual((await renewed).sessionId, before);
    await join(session, 'garden', 'ann');
  } finally {
    closeAll();
    await server.stop();
  }
});

test('a session that timed out is renewed on the same socket', LIMIT, async () => {
  const server = await startServer({ env: { SESSION_TIMEOUT: '1' } });
  try {
    const network = keptSockets();
    const session = await open(server.wsUrl, { WebSocket: network.WebSocket });
    const before = session.id;
    const { sessionId } = await session.next('renewed');
    assert.notEqual(sessionId, before);
    assert.equal(network.opened.length, 1);
  } finally {
    closeAll();
    await server.stop();
  }
});

test('keepalives keep a session that has nothing else to say', LIMIT, async () => {
  const server = await startServer({ env: { SESSION_TIMEOUT: '1' } });
  try {
    const session = await open(server.wsUrl, { keepaliveMs: 200 });
    const { id } = session;
    const silent = await open(server.wsUrl);
    await silent.next('renewed');
    await session.attach();
    assert.equal(session.id, id);
  } finally {
    closeAll();
    await server.stop();
  }
});

test('rooms are joined anew after the server has restarted', LIMIT, async () => {
  const first = await startServer();
  const { port } = new URL(first.wsUrl);
  const ann = await enter(first.wsUrl, 'ann');
  const bob = await enter(first.wsUrl, 'bob');
  assert.deepEqual([...bob.members.keys()], ['ann']);
  assert.equal(bob.members.get('ann')?.state, 'here');
  const told: string[] = [];
  ann.on('status', ({ status }) => told.push(status));
  await first.stop();
  const back = Promise.all([ann, bob].map((room) => untilStatus(room, 'joined')));
  const second = await startServer({ env: { WS_PORT: port } });
  try {
    await back;
    assert.equal(told[0], 'reconnecting');
    await untilMember(ann, 'bob');
    const said = ann.next('data');
    await bob.sendData('here again');
    assert.deepEqual(await said, { event: 'data', body: 'here again', from: 'bob' });
  } finally {
    closeAll();
    await second.stop();
  }
});

test('the server’s secret is sent with every request, and a wrong one is final', LIMIT, async () => {
  const server = await startServer({ env: { API_SECRET: 'geheim' } });
  try {
    await join(await open(server.wsUrl, { apiSecret: 'geheim' }), 'garden', 'ann');
    await assert.rejects(open(server.wsUrl, { apiSecret: 'falsch' }), (error) => {
      assert.ok(error instanceof JanusRefusal);
      assert.deepEqual([error.janusCode, error.final], [403, true]);
      return true;
    });
    const room = enter(server.wsUrl, 'bob', { apiSecret: 'falsch' });
    await assert.rejects(room, { code: 'janus-error', janusCode: 403 });
  } finally {
    closeAll();
    await server.stop();
  }
});

test('tokens decide who comes in, and who may put others out', LIMIT, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'janus-sfu-client-'));
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyFile = path.join(folder, 'key.der');
  writeFileSync(keyFile, publicKey.export({ type: 'pkcs1', format: 'der' }));
  const sign = (claims: object) => jwt.sign(claims, privateKey, { algorithm: 'RS512', expiresIn: 300 });
  const server = await startServer({ env: { AUTH_KEY: keyFile } });
  try {
    await assert.rejects(enter(server.wsUrl, 'eve'), { code: 'refused', final: true });
    const token = sign({ join_hub: true, room_ids: ['garden'] });
    const bob = await enter(server.wsUrl, 'bob', { token });
    const failed = untilStatus(bob, 'failed');
    const moderator = await (await open(server.wsUrl)).attach();
    await assert.rejects(moderator.kick('garden', 'bob', sign({})), { code: 'refused' });
    await moderator.kick('garden', 'bob', sign({ kick_users: true }));
    assert.ok((await failed) instanceof Removed);
    assert.equal(bob.status, 'failed');
  } finally {
    closeAll();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Waits until the server has seen one more connection close. */
function disconnections(server: RunningServer): Promise<void> {
  const from = server.output().length;
  return new Promise((resolve) => {
    const look = () => {
      if (!/ disconnected /.test(server.output().slice(from))) return;
      server.process.stderr?.off('data', look);
      resolve();
    };
    server.process.stderr?.on('data', look);
  });
}

/** Waits for a status; resolves with the problem that came with it. */
function untilStatus(room: Room, wanted: Room['status']): Promise<Error | null> {
  return new Promise((resolve) => {
    const off = room.on('status', ({ status, problem }) => {
      if (status !== wanted) return;
      off();
      resolve(problem);
    });
  });
}

function untilMember(room: Room, id: string): Promise<void> {
  return new Promise((resolve) => {
    if (room.members.has(id)) return resolve();
    const off = room.on('member', (member) => {
      if (member.id !== id || member.state === 'left') return;
      off();
      resolve();
    });
  });
}

/** The whole process dies (threats.md F1, F7): who watches it starts it again, and clients come back by themselves. */
// Runs alone: it measures how soon everybody is back.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { Room } from '../../src/client/index.js';
import { limit, shownOnce } from '../support/attempts.js';
import { JanusClient, refusalOf } from '../support/janus-client.js';
import { freeUdpPort, restartPause, Supervisor } from '../support/supervisor.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-crash-'));
after(() => rmSync(root, { recursive: true, force: true }));

const USERS = 10;
const BACK_OFF = { firstMs: 250, longestMs: 1_000 };
const ADMIN_SECRET = 'a secret of operators';

/** TCP ports that are free now, and stay the server's through its restarts. */
async function freePorts(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String((server.address() as AddressInfo).port));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

let folders = 0;

async function supervised(folder: string) {
  const [ws = '', http = '', admin = '', adminWs = ''] = await freePorts(4);
  const env = {
    WS_PORT: ws,
    HTTP_PORT: http,
    ADMIN_PORT: admin,
    ADMIN_WS_PORT: adminWs,
    ADMIN_SECRET,
    RTP_PORT: await freeUdpPort(),
    SFU_WORKERS: '1',
    BLOCK_STORE: 'lmdb',
    DATA_DIR: path.join(root, folder),
    LOG_FORMAT: 'text',
  };
  const pause = restartPause();
  const startedAt = performance.now();
  const supervisor = new Supervisor(env, pause);
  await supervisor.ready(1);
  // Where a start takes long because others keep this machine busy, the next one may.
  const backLimit = Math.max(2_000, pause + 2 * (performance.now() - startedAt));
  return { supervisor, backLimit, url: `ws://127.0.0.1:${ws}`, admin: `http://127.0.0.1:${admin}/admin` };
}

/** The users of a room as the server has them, with how many blocks each has. */
async function usersOf(admin: string, room: string): Promise<Map<string, number>> {
  const body = { janus: 'list_rooms', transaction: 'a', admin_secret: ADMIN_SECRET, room_id: room };
  const response = await fetch(admin, { method: 'POST', body: JSON.stringify(body) });
  const { rooms } = (await response.json()) as {
    rooms: { users: { user_id: string; blocks: number }[] }[];
  };
  return new Map(rooms.flatMap(({ users }) => users.map(({ user_id, blocks }) => [user_id, blocks] as const)));
}

/** Resolves when a room knows so many others. */
async function knows(room: Room, others: number): Promise<void> {
  while (room.status !== 'joined' || room.members.size < others) {
    await new Promise<void>((resolve) => {
      const offs = [room.on('status', () => done()), room.on('member', () => done())];
      const done = () => {
        for (const off of offs) off();
        resolve();
      };
    });
  }
}

describe('a server that crashes under a supervisor', () => {
  for (const [row, signal] of [
    ['F1', 'SIGSEGV'],
    ['F7', 'SIGKILL'],
  ] as const) {
    test(
      `${row}: by ${signal} is back within 2 s, and 2 s later all its clients and their blocks`,
      {
        timeout: 120_000,
      },
      (t) =>
        shownOnce(t, async () => {
          const { supervisor, backLimit, url, admin } = await supervised(`${signal}-${++folders}`);
          const rooms: Room[] = [];
          try {
            const eve = await JanusClient.connect(url);
            const handle = await eve.join('garden', 'eve', { data: true });
            const blocked = await eve.message(handle, { kind: 'block', whom: 'user-1' });
            assert.equal(refusalOf(blocked), null);
            for (let index = 0; index < USERS; index += 1) {
              const room = new Room({ url, room: 'garden', user: `user-${index}`, WebSocket, backOff: BACK_OFF });
              rooms.push(room);
              await room.enter();
            }
            await rooms[0]?.setBlocked('user-1', true);
            const gone = once(eve.socket, 'close');
            // Nobody has left by then: what they see next is that everybody went.
            const noticed = rooms.map(
              (room) =>
                new Promise<void>((resolve) => {
                  const off = room.on('status', () => {
                    off();
                    resolve();
                  });
                }),
            );
            const crashedAt = performance.now();
            supervisor.kill(signal);
            await Promise.all([gone, ...noticed]);
            await supervisor.ready(2);
            const backAt = performance.now();
            await Promise.all(rooms.map((room) => knows(room, USERS - 1)));
            const took = performance.now() - backAt;
            assert.deepEqual(supervisor.ends, [signal]);
            const again = await JanusClient.connect(url);
            await again.join('garden', 'eve', { data: true });
            const users = await usersOf(admin, 'garden');
            assert.equal(users.size, USERS + 1, 'everybody once');
            assert.deepEqual([users.get('eve'), users.get('user-0'), users.get('user-2')], [1, 1, 0]);
            await again.close();
            const away = backAt - crashedAt;
            limit(away <= backLimit, `the server was back after ${away.toFixed(0)} ms`);
            limit(took <= 2_000, `the last client was back ${took.toFixed(0)} ms after the server`);
          } finally {
            for (const room of rooms) room.leave();
            await supervisor.stop();
          }
        }),
    );
  }
});

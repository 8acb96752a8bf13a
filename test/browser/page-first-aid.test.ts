/** What the page says when something doesn't work. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import jwt from 'jsonwebtoken';
import { HttpListener } from '../../src/http/listener.js';
import { pageHandler } from '../../src/http/page.js';
import { browserTest } from '../support/browser.js';
import { Guest, openAll, withServer } from '../support/page-guest.js';
import { startServer } from '../support/server.js';

browserTest('the page says that signalling is not reachable, and connects by itself when it is', async (browser) => {
  const first = await startServer({ env: {} });
  const wsPort = new URL(first.wsUrl).port;
  const limits = { connectionsMax: 100, stillTimeout: 60_000 };
  const page = new HttpListener({ port: 0, host: '127.0.0.1', ...limits }, () => {});
  page.mount('/', pageHandler({ wsPort: Number(wsPort) }));
  const guest = await Guest.open(browser, `http://localhost:${await page.listen()}/`, 'ada');
  await guest.joined();
  await first.stop();
  await guest.noticed(/Signalling not reachable/);
  const second = await startServer({ env: { WS_PORT: wsPort } });
  try {
    await guest.joined();
    assert.equal(await guest.notice(), '');
  } finally {
    await guest.tested.close();
    await second.stop();
    await page.close();
  }
});

browserTest('the page says that a room is full', (browser) =>
  withServer({ env: { MAX_ROOM_SIZE: '1' } }, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada']);
    const bob = await Guest.open(browser, httpUrl, 'bob');
    guests.push(bob);
    await bob.noticed(/room is full/);
    assert.equal(await bob.status(), 'failed');
  }),
);

/** Kicks as a moderator's program would, from a connection of its own; the page says so and stays out. */
async function kickedGuestIsTold(guest: Guest, wsUrl: string, token: string): Promise<void> {
  const user: string = await guest.tested.run("document.querySelector('.tile[data-own=true]').dataset.user");
  const kick = { kind: 'kick', room_id: 'garden', user_id: user, token };
  await guest.tested.run(`(async () => {
    const { Session } = await import('/src/client/index.js');
    const session = await Session.open('${wsUrl}');
    const handle = await session.attach();
    await handle.message(${JSON.stringify(kick)});
    session.close();
  })()`);
  await guest.noticed(/You were removed from the room/);
  assert.equal(await guest.status(), 'failed');
}

browserTest(
  'the page says why a token was refused, joins with a good one, and says that it was kicked',
  async (browser) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'janus-sfu-page-'));
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keyFile = path.join(folder, 'key.der');
    writeFileSync(keyFile, publicKey.export({ type: 'pkcs1', format: 'der' }));
    try {
      await withServer({ env: { AUTH_KEY: keyFile } }, async ({ httpUrl, wsUrl }, guests) => {
        const ada = await Guest.open(browser, httpUrl, 'ada');
        guests.push(ada);
        await ada.noticed(/Token refused: Rejecting anonymous join!/);
        const signing: jwt.SignOptions = { algorithm: 'RS512', expiresIn: 300 };
        const token = jwt.sign({ join_hub: true, room_ids: ['garden'] }, privateKey, {
          algorithm: 'RS512',
          expiresIn: 300,
        });
        const bob = await Guest.open(browser, httpUrl, 'bob', { token });
        guests.push(bob);
        await bob.joined();
        await kickedGuestIsTold(bob, wsUrl, jwt.sign({ kick_users: true }, privateKey, signing));
        const cyd = await Guest.open(browser, httpUrl, 'cyd', { token, room: 'cellar' });
        guests.push(cyd);
        await cyd.noticed(/Token refused: Rejecting join without permission!/);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

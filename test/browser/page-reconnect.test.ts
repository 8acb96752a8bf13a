/** What the page does when its connection to the server, or the server itself, is gone for a while. */
import assert from 'node:assert/strict';
import { HttpListener } from '../../src/http/listener.js';
import { pageHandler } from '../../src/http/page.js';
import { browserTest, eventually, openTested } from '../support/browser.js';
import { everybodySeesEverybody, Guest, openAll, withServer } from '../support/page-guest.js';
import { startServer } from '../support/server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** How many PeerConnections the page has made since it was opened. */
const made = (guest: Guest): Promise<number> => guest.tested.run('probe.made()');

browserTest('a cut socket is replaced by a claim: media goes on, by the PeerConnections that there are', (browser) =>
  withServer({ env: { RECLAIM_SESSION_TIMEOUT: '20' } }, async (server, guests) => {
    const proxy = await TcpProxy.start(Number(new URL(server.wsUrl).port));
    const limits = { connectionsMax: 100, stillTimeout: 60_000 };
    const page = new HttpListener({ port: 0, host: '127.0.0.1', ...limits }, () => {});
    page.mount('/', pageHandler({ wsPort: proxy.port }));
    try {
      await openAll(browser, `http://localhost:${await page.listen()}/`, guests, ['ada', 'bob']);
      const [ada, bob] = guests as [Guest, Guest];
      await everybodySeesEverybody(guests);
      const before = [await made(ada), await made(bob)];
      const frames = await bob.received(ada);

      proxy.refuse = true;
      proxy.cut();
      await eventually(
        'both notice',
        () => Promise.all(guests.map((guest) => guest.status())),
        (all) => all.every((status) => status === 'reconnecting'),
      );
      await eventually(
        'media goes on without signalling',
        () => bob.received(ada),
        ({ frames: now }) => now >= frames.frames + 20,
      );
      proxy.refuse = false;
      await Promise.all(guests.map((guest) => guest.joined()));
      assert.equal(await ada.notice(), '');
      await everybodySeesEverybody(guests);
      assert.deepEqual([await made(ada), await made(bob)], before);
      assert.equal(server.output().match(/ joined /g)?.length, 4, 'nobody joined anew');

      // What is asked for after the claim reaches the same handles.
      await ada.press(bob, 'Block');
      await eventually(
        'bob is told',
        () => bob.stateOf(ada),
        (state) => state === 'blocked',
      );
    } finally {
      proxy.close();
      await page.close();
    }
  }),
);

browserTest('after a restart of the server everybody is back, with new PeerConnections', async (browser) => {
  const first = await startServer();
  const ports = { WS_PORT: new URL(first.wsUrl).port, HTTP_PORT: new URL(first.httpUrl).port };
  const guests: Guest[] = [];
  let second: Awaited<ReturnType<typeof startServer>> | null = null;
  try {
    await openAll(browser, first.httpUrl, guests, ['ada', 'bob']);
    await everybodySeesEverybody(guests);
    await first.stop();
    await eventually(
      'both notice',
      () => Promise.all(guests.map((guest) => guest.status())),
      (all) => all.every((status) => status === 'reconnecting'),
    );
    second = await startServer({ env: ports });
    await Promise.all(guests.map((guest) => guest.joined()));
    await everybodySeesEverybody(guests);
    const [ada, bob] = guests as [Guest, Guest];
    await ada.says('we are back');
    await bob.reads('we are back');
    assert.equal(await made(ada), 4);
  } finally {
    for (const { tested } of guests) await tested.close();
    await first.stop();
    await second?.stop();
  }
});

browserTest('a PeerConnection that is made later in a stay has fresh TURN credentials', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    const tested = await openTested(browser, `${httpUrl}/?room=garden&name=ada`);
    const ada = new Guest('ada', tested);
    guests.push(ada);
    let asked = 0;
    await tested.page.route('**/ice-servers', (route) => {
      asked += 1;
      const server = { urls: 'turn:localhost:9', username: `credentials-${asked}`, credential: 'x' };
      return route.fulfill({ json: { iceServers: [server], ttl: 0 } });
    });
    await tested.page.getByRole('button', { name: 'Join' }).click();
    await ada.joined();
    const [bob] = await openAll(browser, httpUrl, guests, ['bob']);
    assert.ok(bob);
    await ada.sees(bob);
    assert.deepEqual(await tested.run('probe.credentials()'), ['credentials-1', 'credentials-2']);
  }),
);

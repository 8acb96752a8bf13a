/** The operators' dashboard, against a real server with people in its rooms. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { seriousFaults } from '../support/accessibility.js';
import { ADMIN_SECRET } from '../support/admin-client.js';
import { browserTest, eventually, openTested, screenshot, type TestedPage } from '../support/browser.js';
import { everybodySeesEverybody, Guest, openAll, withServer } from '../support/page-guest.js';
import type { RunningServer } from '../support/server.js';

const WITH_ADMIN = { env: { ADMIN_SECRET } };

/** Opens the dashboard by the Admin port alone, and signs in. */
async function openDashboard(
  browser: Browser,
  { adminUrl }: RunningServer,
  secret = ADMIN_SECRET,
): Promise<TestedPage> {
  const tested = await openTested(browser, new URL('/', adminUrl ?? '').href);
  await tested.page.getByLabel('ADMIN_SECRET').fill(secret);
  await tested.page.getByRole('button', { name: 'Look' }).click();
  return tested;
}

/** The texts of a table's cells, row by row. */
function rowsOf(tested: TestedPage, table: string): Promise<string[][]> {
  return tested.run(
    `[...document.querySelectorAll('#${table} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))`,
  );
}

const edges = (tested: TestedPage, kind: string) =>
  tested.run<number>(`document.querySelectorAll('#graph .edge.${kind}').length`);

browserTest(
  'the dashboard shows rooms, who hears whom, blocks, drops and live plots; and streams when asked',
  (browser) =>
    withServer(WITH_ADMIN, async (server, guests) => {
      await openAll(browser, server.httpUrl, guests, ['ada', 'bob']);
      const cyd = await Guest.open(browser, server.httpUrl, 'cyd', { source: 'none' });
      guests.push(cyd);
      await cyd.joined();
      const [ada, bob] = guests as [Guest, Guest];
      await Promise.all([ada.sees(bob), bob.sees(ada), cyd.sees(ada)]);
      const tested = await openDashboard(browser, server);
      const { page } = tested;
      try {
        const [room] = await eventually(
          'the room is listed',
          () => rowsOf(tested, 'rooms'),
          (rows) => rows.length === 1,
        );
        assert.deepEqual(room?.slice(0, 4), ['garden', '3', '3', '0']);
        await page.getByRole('button', { name: 'Open garden' }).click();
        assert.equal(await tested.run('document.activeElement.id'), 'room-title');
        await eventually(
          'everybody hears the two others',
          () => edges(tested, 'hears'),
          (count) => count === 6,
        );
        const idOf = (guest: Guest) =>
          guest.tested.run<string>("document.querySelector('.tile[data-own=true]').dataset.user");
        const [adaId, bobId, cydId] = await Promise.all([idOf(ada), idOf(bob), idOf(cyd)]);
        const users = await rowsOf(tested, 'users');
        assert.deepEqual(
          users.map(([user, publishes, hears]) => [user, publishes, hears?.split(', ').sort()]),
          [
            [adaId, 'yes', [bobId, cydId]],
            [bobId, 'yes', [adaId, cydId]],
            [cydId, 'yes', [adaId, bobId]],
          ],
        );
        assert.match(
          (await page.locator('#graph svg').getAttribute('aria-label')) ?? '',
          /^garden: 3 users, 3 publish, 6 subscriptions heard, 0 blocks$/,
        );

        await ada.press(bob, 'Block');
        await eventually(
          'the block is drawn',
          async () => [await edges(tested, 'hears'), await edges(tested, 'silent'), await edges(tested, 'blocks')],
          (counts) => counts.join() === '4,2,1',
        );
        await eventually(
          'the blocked packets are counted',
          () => rowsOf(tested, 'drops'),
          (rows) => rows.some(([reason, packets]) => reason === 'blocked' && Number(packets) > 0),
        );
        const figure = (title: string) => page.locator('figure', { hasText: title }).locator('svg');
        await eventually(
          'packets are plotted',
          async () => (await figure('Packets').getAttribute('aria-label')) ?? '',
          (words) => /in [1-9].*out [1-9]/.test(words),
        );
        await eventually(
          'the plot has a line',
          async () => ((await figure('Packets').locator('.line-0').getAttribute('d')) ?? '').split('L').length,
          (points) => points >= 3,
        );
        assert.equal(await page.locator('#cluster').isVisible(), false, 'a server that is alone has no cluster');
        const [worker] = await rowsOf(tested, 'workers');
        assert.equal(worker?.[0], '0');
        assert.ok(Number(worker?.[1]) >= 9, 'three publishers and six subscribers');

        await page.getByRole('button', { name: `Streams of ${adaId}` }).click();
        const streams = page.getByRole('dialog', { name: adaId });
        await streams.getByRole('rowheader', { name: 'sends video' }).waitFor();
        await streams.getByRole('rowheader', { name: `audio of ${bobId}` }).waitFor();
        assert.deepEqual(await seriousFaults(tested), [], 'the streams');
        await streams.getByRole('button', { name: 'Close' }).click();

        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          assert.deepEqual(await seriousFaults(tested), [], `the board, ${colorScheme}`);
          await screenshot(tested, `dashboard-${colorScheme}`);
        }
        await screenshot(tested, 'room-graph', '#room');
        await page.setViewportSize({ width: 390, height: 844 });
        const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        assert.equal(await tested.run(overflow), 0, 'nothing is wider than a phone');
        assert.deepEqual(tested.complaints, []);
      } finally {
        await tested.close();
      }
    }),
);

browserTest('kick and drain ask first, do it, and drain can be taken back', (browser) =>
  withServer(WITH_ADMIN, async (server, guests) => {
    await openAll(browser, server.httpUrl, guests, ['ada', 'bob']);
    const [ada, bob] = guests as [Guest, Guest];
    await everybodySeesEverybody(guests);
    const tested = await openDashboard(browser, server);
    const { page } = tested;
    try {
      await page.getByRole('button', { name: 'Open garden' }).click();
      const kick = page.getByRole('button', { name: 'Kick bob~' });
      await kick.click();
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
      assert.equal(await bob.status(), 'joined', 'nothing was done');
      await kick.click();
      await page.getByRole('dialog').getByRole('button', { name: 'Kick' }).click();
      await bob.noticed(/You were removed from the room/);
      await eventually(
        'bob is gone',
        () => rowsOf(tested, 'users'),
        (rows) => rows.length === 1,
      );

      await page.getByRole('button', { name: 'Drain' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
      await page.getByText('Draining: no new sessions are taken').waitFor();
      const cyd = await Guest.open(browser, server.httpUrl, 'cyd');
      guests.push(cyd);
      await cyd.noticed(/not accepting new sessions/i);
      assert.equal(await ada.status(), 'joined', 'who is there stays');
      await page.getByRole('button', { name: 'Take new sessions again' }).click();
      await cyd.joined();
      await page.getByText('New sessions are taken.').waitFor();
    } finally {
      await tested.close();
    }
  }),
);

browserTest(
  'the secret is asked for, refused if it is wrong, kept by the tab alone, and forgotten when told',
  (browser) =>
    withServer(WITH_ADMIN, async (server) => {
      const tested = await openDashboard(browser, server, 'a guess');
      const { page } = tested;
      try {
        await page.getByText('The server does not take this secret.').waitFor();
        assert.deepEqual(await seriousFaults(tested), [], 'the question');
        assert.equal(await page.locator('#board').isVisible(), false);
        assert.equal(await tested.run('sessionStorage.length'), 0);
        await page.getByLabel('ADMIN_SECRET').fill(ADMIN_SECRET);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: 'Media workers' }).waitFor();
        await page.reload();
        await page.getByRole('heading', { name: 'Media workers' }).waitFor();
        assert.deepEqual(await tested.run('[localStorage.length, document.cookie, location.href.includes("secret")]'), [
          0,
          '',
          false,
        ]);
        await page.getByRole('button', { name: 'Forget the secret' }).click();
        await page.getByLabel('ADMIN_SECRET').waitFor();
        assert.equal(await tested.run('sessionStorage.length'), 0);
        await page.reload();
        assert.equal(await page.locator('#board').isVisible(), false);
      } finally {
        await tested.close();
      }
    }),
);

browserTest('the dashboard says that the server is gone, and goes on when it is back', async (browser) => {
  let adminPort = '0';
  await withServer(WITH_ADMIN, async (server) => {
    adminPort = new URL(server.adminUrl ?? '').port;
    const tested = await openDashboard(browser, server);
    await tested.page.getByRole('heading', { name: 'Media workers' }).waitFor();
    await server.stop();
    await tested.page.getByText('The server does not answer.').waitFor();
    assert.equal(await tested.page.locator('#board').isVisible(), true, 'the last figures stay');
    await withServer({ env: { ADMIN_SECRET, ADMIN_PORT: adminPort } }, async () => {
      await tested.page.getByText('live', { exact: true }).waitFor();
      assert.equal(await tested.page.locator('#notice').isVisible(), false);
      await tested.close();
    });
  });
});

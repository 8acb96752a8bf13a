/** The operators' dashboard of a cluster: its nodes, whose a room is, and draining one of them. */
import assert from 'node:assert/strict';
import { seriousFaults } from '../support/accessibility.js';
import { ADMIN_SECRET } from '../support/admin-client.js';
import { browserTest, eventually, openTested, screenshot, type TestedPage } from '../support/browser.js';
import { TestCluster, until } from '../support/cluster.js';
import { JanusClient } from '../support/janus-client.js';
import { natsMissing } from '../support/nats.js';

/** The texts of a table's cells, row by row. */
function rowsOf(tested: TestedPage, table: string): Promise<string[][]> {
  return tested.run(
    `[...document.querySelectorAll('#${table} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))`,
  );
}

const states = async (tested: TestedPage) =>
  Object.fromEntries((await rowsOf(tested, 'nodes')).map(([name = '', state = '']) => [name, state]));

browserTest('the dashboard of a cluster shows its nodes and whose a room is, and drains a node', async (browser, t) => {
  const missing = natsMissing();
  if (missing !== false) return t.skip(missing);
  await TestCluster.open(3, {}, async (cluster) => {
    const rooms = ['garden', 'hall'];
    const clients = await Promise.all(
      ['ada', 'bob', 'cyd'].flatMap((user, index) =>
        rooms.slice(index === 2 ? 1 : 0).map(async (room) => {
          const client = await JanusClient.connect(`${cluster.node(index).server.wsUrl}/?room=${room}`);
          await client.join(room, user, { data: true });
          return client;
        }),
      ),
    );
    const tested = await openTested(browser, new URL('/', cluster.node(0).server.adminUrl ?? '').href);
    const { page } = tested;
    try {
      await page.getByLabel('ADMIN_SECRET').fill(ADMIN_SECRET);
      await page.getByRole('button', { name: 'Look' }).click();
      const nodes = ['node1 (this one)', 'node2', 'node3'];
      const open = Object.fromEntries(nodes.map((name) => [name, 'takes rooms']));
      await eventually(
        'three nodes are there',
        () => states(tested),
        (found) => JSON.stringify(found) === JSON.stringify(open),
      );
      const [garden, hall] = await Promise.all(rooms.map((room) => cluster.owners(room)));
      await eventually(
        'each room says its node',
        () => rowsOf(tested, 'rooms'),
        (rows) =>
          rows.length === 2 &&
          rows.some(([room, users, , , node]) => room === 'hall' && users === '3' && node === hall?.[0]) &&
          rows.some(([room, users, , , node]) => room === 'garden' && users === '2' && node === garden?.[0]),
      );
      await eventually(
        'the rooms are counted where they are',
        async () => (await rowsOf(tested, 'nodes')).map(([, , , held]) => Number(held)),
        (held) => held.reduce((sum, one) => sum + one, 0) === 2,
      );
      await page.getByRole('button', { name: 'Drain node3' }).click();
      await page.getByRole('dialog', { name: 'Drain node3?' }).getByRole('button', { name: 'Drain' }).click();
      await eventually(
        'the third node drains',
        () => states(tested),
        ({ node2, node3 }) => node2 === 'takes rooms' && /^drain(s|ed)$/.test(node3 ?? ''),
      );
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        assert.deepEqual(await seriousFaults(tested), [], `the board, ${colorScheme}`);
        await screenshot(tested, `dashboard-cluster-${colorScheme}`, '#cluster');
      }
      assert.equal(await page.locator('#drain').isVisible(), false, 'nodes are drained one by one');
      await page.getByRole('button', { name: 'Take rooms node3' }).click();
      await eventually(
        'it takes rooms again',
        () => states(tested),
        ({ node3 }) => node3 === 'takes rooms',
      );
      await cluster.nats.stop();
      await page.getByText('NATS is away').waitFor();
      await cluster.nats.run();
      await page.getByText('3 nodes. NATS is here.').waitFor();
      await page.setViewportSize({ width: 390, height: 844 });
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      assert.equal(await tested.run(overflow), 0, 'nothing is wider than a phone');
      assert.deepEqual(tested.complaints, []);
      await until(() => clients.every(({ socket }) => socket.readyState === socket.OPEN), 'nobody was disturbed');
    } finally {
      await tested.close();
      await Promise.all(clients.map((client) => client.close()));
    }
  });
});

/** networked-aframe pages in a cluster, one node of which dies. */
import assert from 'node:assert/strict';
import { after, type TestContext } from 'node:test';
import type { Browser } from 'playwright-core';
import { releaseNative } from '../../bench/load/media-peer.js';
import { limit, shownOnce } from '../support/attempts.js';
import { browserTest, eventually } from '../support/browser.js';
import { type Node, TestCluster } from '../support/cluster.js';
import { ClusterCall } from '../support/cluster-call.js';
import { Venue, type Visitor } from '../support/naf-venue.js';
import { natsMissing } from '../support/nats.js';
import { TcpProxy } from '../support/tcp-proxy.js';

after(releaseNative);

/** Milliseconds from the death of a node until everybody of its rooms sees and hears everybody again. */
const BACK_LIMIT = 10_000;

const withRoom = (url: string, room: string) => `${url}/?room=${encodeURIComponent(room)}`;

function everybodySees(visitors: readonly Visitor[]): Promise<unknown> {
  return Promise.all(
    visitors.flatMap((visitor) => visitors.filter((other) => other !== visitor).map((other) => visitor.sees(other))),
  );
}

async function timesOf(visitor: Visitor, what: string): Promise<number[]> {
  return (await visitor.log()).filter((entry) => entry.what === what).map(({ at }) => at);
}

/** @returns milliseconds from the death of a node until all pages of its room had all media again */
async function aNodeDies(browser: Browser, t: TestContext, cluster: TestCluster): Promise<number> {
  const [near, far, doomed] = cluster.nodes as [Node, Node, Node];
  const room = 'pages';
  await cluster.place(room, doomed);
  await cluster.place('bystanders', near);
  const bystanders = await ClusterCall.open('bystanders', [near.server.wsUrl, far.server.wsUrl]);
  const balancer = await TcpProxy.start(Number(new URL(doomed.server.wsUrl).port));
  let took = 0;
  try {
    const server = { wsUrl: near.server.wsUrl, output: () => near.server.output(), stop: async () => 0 };
    await Venue.open(browser, server, async (venue) => {
      const hinted = await venue.visit('ada', 'before', { room, server: withRoom(near.server.wsUrl, room) });
      // Its cookie is for this host name: the page's own.
      const remembered = await venue.visit('bob', 'before', {
        room,
        server: far.server.wsUrl.replace('127.0.0.1', 'localhost'),
      });
      const balanced = await venue.visit('cyd', 'before', {
        room,
        server: withRoom(`ws://127.0.0.1:${balancer.port}`, room),
      });
      const all = [hinted, remembered, balanced];
      await everybodySees(all);
      assert.equal((await timesOf(hinted, 'reconnecting')).length, 0, 'who says the room comes once');
      assert.equal((await timesOf(remembered, 'reconnecting')).length, 1, 'who does not is sent there');
      assert.deepEqual(await cluster.owners(room), [doomed.name]);

      bystanders.look();
      const died = Date.now();
      balancer.target = Number(new URL(far.server.wsUrl).port);
      await cluster.kill(doomed);
      for (const visitor of all) {
        await eventually(
          `${visitor.name} is back`,
          () => timesOf(visitor, 'reconnected'),
          (times) => times.some((at) => at > died),
        );
      }
      await everybodySees(all);
      took = Date.now() - died;
      const told = await Promise.all(all.map((visitor) => steps(visitor, died)));
      t.diagnostic(`all media after ${took} ms (${told.join('; ')})`);
      const owners = await cluster.owners(room);
      assert.equal(owners.length, 1, `the room is on ${owners.join(' and ')}`);
      for (const visitor of all)
        assert.equal((await timesOf(visitor, 'connected')).length, 1, 'no page was loaded again');
      await bystanders.undisturbed('while a node died');
    });
  } finally {
    balancer.close();
    await bystanders.close();
  }
  return took;
}

async function steps(visitor: Visitor, since: number): Promise<string> {
  const all = (await visitor.log()).filter(({ what, at }) => what.startsWith('reconnect') && at > since);
  return `${visitor.name} ${all.map(({ what, at }) => `${what} ${at - since}`).join(', ')}`;
}

browserTest(
  'networked-aframe pages meet through three nodes, and are back in 10 s when that of their room dies; nobody else notices',
  (browser, t) =>
    shownOnce(t, async () => {
      let took = 0;
      await TestCluster.open(3, {}, async (cluster) => {
        took = await aNodeDies(browser, t, cluster);
      });
      limit(took <= BACK_LIMIT, `all media was back ${took} ms after a node died`);
    }),
  240_000,
  natsMissing(),
);

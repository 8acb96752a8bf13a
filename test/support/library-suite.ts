/** What every client library must be able to do with the server, as tests (docs/clients.md lists them). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { converse, type InteropUser, LABELS } from './conversation.js';
import { endNativePeers, NativePeer } from './native-peer.js';
import { type RunningServer, startServer } from './server.js';

export interface Library {
  /** With its version. */
  name: string;
  /** A user with a connection and a session of its own. */
  connect(url: string, id: string): Promise<InteropUser>;
  /** What only this library has a test for. */
  more?: (server: () => RunningServer) => void;
}

const LIMIT = { timeout: 60_000 };

/** Without what is said apart from it. */
const bare = (sdp: string) => sdp.replaceAll(/^a=(candidate:.*|end-of-candidates)\r\n/gm, '');

export function describeLibrary({ name, connect, more }: Library): void {
  describe(name, () => {
    let server: RunningServer;
    before(async () => {
      server = await startServer({ workers: 2, env: { RECLAIM_SESSION_TIMEOUT: '20' } });
    });
    after(async () => {
      await endNativePeers();
      assert.equal(await server.stop(), 0, server.output());
    });

    /** Lets two users of this library do something. */
    const together = async (url: string, meeting: (alice: InteropUser, bob: InteropUser) => Promise<void>) => {
      const alice = await connect(url, 'alice');
      const bob = await connect(url, 'bob');
      try {
        await meeting(alice, bob);
      } finally {
        await alice.close();
        await bob.close();
      }
    };
    const newPeer = (of: string) => new NativePeer(of);

    test('publishes, subscribes, and talks over data channels', LIMIT, async () => {
      await together(server.wsUrl, (alice, bob) => converse(alice, bob, newPeer));
    });

    test('does so too with candidates trickled both ways', LIMIT, async (t) => {
      const trickling = await startServer({ workers: 2, env: { FULL_TRICKLE: 'true' } });
      t.after(async () => assert.equal(await trickling.stop(), 0, trickling.output()));
      await together(trickling.wsUrl, async (alice, bob) => {
        await converse(alice, bob, newPeer);
        for (const user of [alice, bob]) assert.ok(user.trickled.length >= 2, `${user.id}: ${user.trickled}`);
      });
    });

    test('hangs up, and publishes again on the same handle', LIMIT, async () => {
      await together(server.wsUrl, async (alice, bob) => {
        const peers = [newPeer('first'), newPeer('second'), newPeer('bob'), newPeer('of alice')] as const;
        const [first, second, bobs, received] = peers;
        try {
          await alice.publish('hangup', first, bare(await first.offer(7, LABELS)));
          assert.equal(await alice.hangUp(), 'Janus API');
          await first.until(
            () => ['closed', 'disconnected', 'failed'].includes(first.state),
            'the first peer is closed',
          );
          await bob.publish('hangup', bobs, await bobs.offer(8, LABELS));
          assert.deepEqual(bob.left, [], 'a hangup is no leave');
          await alice.negotiate(second, bare(await second.offer(7, LABELS)));
          await bob.subscribe('hangup', received, alice.id);
          second.start();
          await received.receive('video', 7, 10);
        } finally {
          for (const peer of peers) peer.close();
        }
      });
    });

    test('detaches, and the room is told', LIMIT, async () => {
      await together(server.wsUrl, async (alice, bob) => {
        const [alices, bobs] = [newPeer('alice'), newPeer('bob')];
        try {
          await alice.publish('detach', alices, await alices.offer(9, LABELS));
          await bob.publish('detach', bobs, await bobs.offer(10, LABELS));
          await alice.detach();
          await bobs.until(() => bob.left.includes(alice.id), 'the leave');
        } finally {
          for (const peer of [alices, bobs]) peer.close();
        }
      });
    });

    test('notices that the server went, and comes back when it is there again', LIMIT, async () => {
      const first = await startServer();
      const port = new URL(first.wsUrl).port;
      const alice = await connect(first.wsUrl, 'alice');
      assert.equal(await first.stop(), 0, first.output());
      await alice.lost;
      await alice.close();
      const second = await startServer({ env: { WS_PORT: port } });
      const peer = newPeer('again');
      const back = await connect(second.wsUrl, 'alice');
      try {
        assert.deepEqual(await back.publish('again', peer, await peer.offer(11, LABELS)), []);
      } finally {
        peer.close();
        await back.close();
        assert.equal(await second.stop(), 0, second.output());
      }
    });

    more?.(() => server);
  });
}

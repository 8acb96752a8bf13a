import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { User } from '../support/peer.js';
import { chromeOffer, UFRAG } from '../support/sdp-corpus.js';
import { startServer } from '../support/server.js';

describe('Clients that negotiate and never connect', () => {
  /**
   * The native wrappers of closed peers are collected by JavaScript before the native side is cleaned up; this is what
   * the end of a server with a small heap and many such peers would trip over.
   */
  test('leave nothing behind that disturbs the end of the server', { timeout: 60_000 }, async () => {
    const server = await startServer({ env: { NODE_OPTIONS: '--max-semi-space-size=1' } });
    try {
      for (let round = 0; round < 4; round++) {
        const client = await User.connect(server.wsUrl, 'r', 'x');
        for (let index = 0; index < 15; index++) {
          const publisher = await client.session.attach();
          const offer = chromeOffer({ lines: index % 2 ? ['data'] : ['data', 'audio', 'video'] });
          await publisher.offer(offer.replaceAll(UFRAG, `u${round}${index}x`));
          const user = `${round}-${index}`;
          await publisher.join({ room: 'r', user, subscribe: { data: true } });
          const subscriber = await client.session.attach();
          await subscriber.join({ room: 'r', user: 'x', subscribe: { media: user } });
          if (index % 3 === 0) await publisher.hangup();
          if (index % 3 === 1) await subscriber.detach();
        }
        await client.close();
      }
      // What comes after gives the collector of each thread something to do.
      const client = await User.connect(server.wsUrl, 'r', 'x');
      const handle = await client.session.attach();
      for (let index = 0; index < 100; index++) {
        const offer = chromeOffer({ lines: ['data', 'audio', 'video'] });
        await handle.offer(offer.replaceAll(UFRAG, `v${index}yz`));
      }
      await client.close();
    } finally {
      assert.equal(await server.stop(), 0, server.output().slice(-3000));
    }
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JanusLink } from '../../bench/load/janus-link.js';
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
        const link = await JanusLink.open(server.wsUrl);
        for (let index = 0; index < 15; index++) {
          const publisher = await link.attach();
          const offer = chromeOffer({ lines: index % 2 ? ['data'] : ['data', 'audio', 'video'] });
          await publisher.message({}, { type: 'offer', sdp: offer.replaceAll(UFRAG, `u${round}${index}x`) });
          const user = `${round}-${index}`;
          await publisher.message({ kind: 'join', room_id: 'r', user_id: user, subscribe: { data: true } });
          const subscriber = await link.attach();
          await subscriber.message({ kind: 'join', room_id: 'r', user_id: 'x', subscribe: { media: user } });
          if (index % 3 === 0) await publisher.request('hangup');
          if (index % 3 === 1) await subscriber.request('detach');
        }
        await link.close();
      }
      // What comes after gives the collector of each thread something to do.
      const link = await JanusLink.open(server.wsUrl);
      const handle = await link.attach();
      for (let index = 0; index < 100; index++) {
        const offer = chromeOffer({ lines: ['data', 'audio', 'video'] });
        await handle.message({}, { type: 'offer', sdp: offer.replaceAll(UFRAG, `v${index}yz`) });
      }
      await link.close();
    } finally {
      assert.equal(await server.stop(), 0, server.output().slice(-3000));
    }
  });
});

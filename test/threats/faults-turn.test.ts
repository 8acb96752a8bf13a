/** Services beside the server that are gone (threats.md F13). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { Room } from '../support/peer.js';
import { startServer } from '../support/server.js';

after(releaseNative);

test('F13: STUN, TURN and webhook addresses that nobody answers at keep neither the start nor a call waiting', async () => {
  // TEST-NET-1 (RFC 5737) and a name that there is not (RFC 6761).
  const since = performance.now();
  const server = await startServer({
    env: {
      STUN_URLS: 'stun:192.0.2.1:3478,stun:stun.invalid:3478',
      TURN_URLS: 'turn:192.0.2.1:3478?transport=udp',
      TURN_SECRET: 'a secret of this test alone',
      WEBHOOK_SECRET: 'another secret of this test',
      WEBHOOK_URL: 'http://192.0.2.1/hook',
    },
  });
  assert.ok(performance.now() - since < 10_000);
  const room = new Room(server.wsUrl);
  try {
    const alice = await room.enter('alice');
    (await alice.publish()).start();
    await (await (await room.enter('bob')).subscribe(alice.id)).more('video', 10);
    const reply = (await (await fetch(`${server.httpUrl}/ice-servers`)).json()) as { iceServers: object[] };
    assert.equal(reply.iceServers.length, 2);
    assert.equal((await fetch(`${server.httpUrl}/readyz`)).status, 200);
  } finally {
    await room.close();
    assert.equal(await server.stop(), 0, server.output().slice(-2000));
  }
});

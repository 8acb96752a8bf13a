/** `janus-sfu/client` in Node with PeerConnections: those of node-datachannel, which carry data channels. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { cleanup } from 'node-datachannel';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { Room } from '../../src/client/index.js';
import { keptSockets } from '../support/kept-sockets.js';
import { startServer } from '../support/server.js';

/** An event that does not come is a failure, and not a test without an end. */
const LIMIT = { timeout: 60_000 };

after(cleanup);

const BACK_OFF = { firstMs: 50, longestMs: 200 };

function roomOf(url: string, user: string, sockets = keptSockets()): Room {
  const { WebSocket } = sockets;
  return new Room({ url, room: 'garden', user, WebSocket, RTCPeerConnection, receive: false, backOff: BACK_OFF });
}

for (const [how, FULL_TRICKLE] of [
  ['with its answer', 'false'],
  ['one by one', 'true'],
] as const) {
  describe(`the client’s data channels, where the server tells its candidates ${how}`, () => {
    test('carry text and bytes, and go on through a claim', LIMIT, async () => {
      const server = await startServer({ env: { FULL_TRICKLE, RECLAIM_SESSION_TIMEOUT: '10' } });
      const sockets = keptSockets();
      const [ann, bob] = [roomOf(server.wsUrl, 'ann', sockets), roomOf(server.wsUrl, 'bob')];
      try {
        const opened = [ann, bob].map(channelOpen);
        await Promise.all([ann.enter(), bob.enter()]);
        await Promise.all(opened);
        const heard: unknown[] = [];
        bob.on('message', ({ label, data }) =>
          heard.push([label, data instanceof ArrayBuffer ? data.byteLength : data]),
        );
        await says(ann, bob, 'hello, Bob: ü ♥');
        const { sending, session } = ann;
        const claimed = session?.next('claimed');
        sockets.cut();
        await says(ann, bob, 'nobody needs signalling for this');
        await claimed;
        await says(ann, bob, 'back');
        assert.equal(ann.sending, sending);
        const bytes = bob.next('message');
        assert.ok(ann.send(new Uint8Array([0, 255, 1]).buffer));
        await bytes;
        assert.deepEqual(heard, [
          ['reliable', 'hello, Bob: ü ♥'],
          ['reliable', 'nobody needs signalling for this'],
          ['reliable', 'back'],
          ['reliable', 3],
        ]);
      } finally {
        ann.leave();
        bob.leave();
        await server.stop();
      }
    });
  });
}

/** Waits until the room's reliable channel is open. */
async function channelOpen(room: Room): Promise<void> {
  for (;;) if ((await room.next('channel')).label === 'reliable') return;
}

/** Sends on the reliable channel, and waits until the other one has it. */
async function says(from: Room, to: Room, text: string): Promise<void> {
  const heard = to.next('message');
  assert.ok(from.send(text), `the channel is not open for “${text}”`);
  await heard;
}

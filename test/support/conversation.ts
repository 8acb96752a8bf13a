/** What two clients of the same library do in every interop test: publish, subscribe to each other, talk. */
import assert from 'node:assert/strict';
import type { NativePeer } from './native-peer.js';

/** One user, through one library's public API. Candidates are trickled both ways. */
export interface InteropUser {
  readonly id: string;
  /** Negotiates audio, video and the channels, waits for `webrtcup`, joins; returns the users that were there. */
  publish(room: string, peer: NativePeer, sdp: string): Promise<string[]>;
  /** Negotiates a peer anew on the publisher's handle, and waits for `webrtcup`. */
  negotiate(peer: NativePeer, sdp: string): Promise<void>;
  /** Joins by a handle of its own that gets another user's media; waits for `webrtcup`. */
  subscribe(room: string, peer: NativePeer, source: string): Promise<void>;
  /** Hangs the publisher's PeerConnection up; returns the reason of the `hangup` event. */
  hangUp(): Promise<string>;
  /** Detaches the publisher's handle. */
  detach(): Promise<void>;
  /** Resolves when the library says that the connection was lost. */
  readonly lost: Promise<unknown>;
  /** Takes the session along to a new connection, if the library has a way. */
  claim?(url: string): Promise<void>;
  /** Ids of the users whose join and leave events came, in order. */
  readonly joined: string[];
  readonly left: string[];
  /** The server's candidates that came apart from descriptions. */
  readonly trickled: string[];
  /** Ends the session and the connection. */
  close(): Promise<void>;
}

export const LABELS = ['reliable', 'unreliable'];

/**
 * Lets two users meet in a room and checks all that they see of each other.
 *
 * @param newPeer makes a PeerConnection; the peers are closed at the end
 */
export async function converse(
  alice: InteropUser,
  bob: InteropUser,
  newPeer: (name: string) => NativePeer,
): Promise<void> {
  const room = `room of ${alice.id}`;
  const tags = { alice: 101, bob: 202 };
  const peers = {
    alice: newPeer('alice'),
    bob: newPeer('bob'),
    aliceHearsBob: newPeer('alice-bob'),
    bobHearsAlice: newPeer('bob-alice'),
  };
  try {
    assert.deepEqual(await alice.publish(room, peers.alice, await peers.alice.offer(tags.alice, LABELS)), []);
    assert.deepEqual(await bob.publish(room, peers.bob, await peers.bob.offer(tags.bob, LABELS)), [alice.id]);
    assert.equal(peers.alice.state, 'connected');

    await alice.subscribe(room, peers.aliceHearsBob, bob.id);
    await bob.subscribe(room, peers.bobHearsAlice, alice.id);
    peers.alice.start();
    peers.bob.start();
    for (const kind of ['audio', 'video'] as const) {
      await peers.aliceHearsBob.receive(kind, tags.bob, 25);
      await peers.bobHearsAlice.receive(kind, tags.alice, 25);
    }
    for (const peer of [peers.aliceHearsBob, peers.bobHearsAlice]) {
      assert.equal(new Set(peer.received.map(({ tag }) => tag)).size, 1, 'media of somebody else came');
    }

    const binary = Buffer.from([0, 255, 1, 254, 0x80, 0]);
    await peers.alice.say('reliable', 'hello, Bob: ü ♥');
    await peers.alice.say('unreliable', binary);
    await peers.bob.until(() => peers.bob.heard.length >= 2, 'both messages of alice');
    await peers.bob.say('reliable', 'hello, Alice');
    await peers.alice.until(() => peers.alice.heard.length >= 1, 'the message of bob');
    assert.deepEqual(
      [...peers.bob.heard].sort((a, b) => a.label.localeCompare(b.label)),
      [
        { label: 'reliable', data: 'hello, Bob: ü ♥' },
        { label: 'unreliable', data: binary },
      ],
    );
    assert.deepEqual(peers.alice.heard, [{ label: 'reliable', data: 'hello, Alice' }]);

    assert.deepEqual(alice.joined, [bob.id]);
    const left = peers.alice;
    await bob.close();
    await left.until(() => alice.left.includes(bob.id), "bob's leave event");
  } finally {
    for (const peer of Object.values(peers)) peer.close();
  }
}

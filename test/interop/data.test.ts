import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { Room } from '../support/peer.js';
import { PeerProcess } from '../support/peer-process.js';
import type { Publisher } from '../support/publisher.js';
import { usingRooms } from '../support/suite.js';

/** Messages of one label at a publisher. */
const heard = (publisher: Publisher, label: string) =>
  publisher.messages.filter((message) => message.label === label).map(({ data }) => data);

after(releaseNative);

for (const placement of ['together', 'spread'] as const) {
  describe(`data channels, peers of a room ${placement}`, () => {
    const suite = usingRooms({ workers: 2, env: { PLACEMENT: placement } });

    /** Publishers of one room. */
    async function gather(...names: string[]): Promise<Publisher[]> {
      const publishers: Publisher[] = [];
      for (const name of names)
        publishers.push(await (await suite.room.enter(name)).publish({ audio: false, video: false }));
      return publishers;
    }

    test('text arrives as text and binary as binary, under its own label, at everyone but the sender', async () => {
      const all = await gather('alice', 'bob', 'carol');
      const [alice, ...others] = all;
      assert.ok(alice);
      const bytes = Buffer.from([0, 1, 2, 255]);
      await alice.say('reliable', 'grüß dich');
      await alice.say('unreliable', bytes);
      await alice.say('reliable', 'last');
      for (const other of others) {
        await other.until(() => heard(other, 'reliable').includes('last'), 'the last message');
        await other.until(() => heard(other, 'unreliable').length > 0, 'the binary message');
        assert.deepEqual(heard(other, 'reliable'), ['grüß dich', 'last']);
        assert.deepEqual(heard(other, 'unreliable'), [bytes]);
      }
      assert.deepEqual(alice.messages, []);
    });

    test('a burst of messages on a reliable channel arrives complete and in order', async () => {
      const [alice, bob] = await gather('alice', 'bob');
      assert.ok(alice && bob);
      const sent = Array.from({ length: 500 }, (_, index) => `${index} ${'x'.repeat(index)}`);
      for (const message of sent) await alice.say('reliable', message);
      await bob.until(() => heard(bob, 'reliable').length >= sent.length, 'all messages');
      assert.deepEqual(heard(bob, 'reliable'), sent);
    });

    test('a message of 200 KB arrives whole', async () => {
      const [alice, bob] = await gather('alice', 'bob');
      assert.ok(alice && bob);
      const big = Buffer.alloc(200_000, 'janus');
      await alice.say('reliable', big);
      await bob.until(() => heard(bob, 'reliable').length > 0, 'the message');
      assert.deepEqual(heard(bob, 'reliable'), [big]);
    });

    test('the blocked neither hear nor are heard, everyone else is; the unblock ends it', async () => {
      const [alice, bob, carol] = await gather('alice', 'bob', 'carol');
      assert.ok(alice && bob && carol);
      await alice.block(bob.identity.id);
      await alice.say('reliable', 'from alice');
      await bob.say('reliable', 'from bob');
      await carol.until(() => heard(carol, 'reliable').length === 2, 'carol hears both');
      await carol.say('reliable', 'from carol');
      for (const publisher of [alice, bob]) {
        await publisher.until(() => heard(publisher, 'reliable').includes('from carol'), 'carol is heard');
        assert.deepEqual(heard(publisher, 'reliable'), ['from carol']);
      }
      await alice.unblock(bob.identity.id);
      await alice.say('reliable', 'again');
      await bob.until(() => heard(bob, 'reliable').includes('again'), 'bob hears alice again');
    });

    test('nothing crosses into another room', async () => {
      const [alice, bob] = await gather('alice', 'bob');
      const elsewhere = new Room(suite.server.wsUrl);
      try {
        const stranger = await (await elsewhere.enter('stranger')).publish({ audio: false, video: false });
        assert.ok(alice && bob);
        await alice.say('reliable', 'for the room');
        await bob.until(() => heard(bob, 'reliable').length > 0, 'the message');
        await stranger.say('reliable', 'for nobody');
        await alice.say('reliable', 'last');
        await bob.until(() => heard(bob, 'reliable').includes('last'), 'the last message');
        assert.deepEqual(heard(bob, 'reliable'), ['for the room', 'last']);
        assert.deepEqual(stranger.messages, []);
      } finally {
        await elsewhere.close();
      }
    });

    test('a receiver without a channel of the label gets one', async () => {
      const [alice] = await gather('alice');
      const bob = await (await suite.room.enter('bob')).publish({
        audio: false,
        video: false,
        channels: [{ label: 'reliable' }],
      });
      assert.ok(alice);
      const drawing = alice.peer.openChannel('drawing', { protocol: 'strokes' });
      await alice.until(() => drawing.isOpen(), 'the channel is open');
      await alice.say('drawing', 'first');
      await alice.say('drawing', Buffer.from('second'));
      await bob.until(() => heard(bob, 'drawing').length === 2, 'both messages');
      assert.deepEqual(heard(bob, 'drawing'), ['first', Buffer.from('second')]);
      assert.equal(bob.peer.channels.get('drawing')?.getProtocol(), 'strokes');
    });

    test('R1: a stopped receiver loses unreliable messages and its reliable channel, and the others wait for nothing', async () => {
      const [alice, carol] = await gather('alice', 'carol');
      const bob = await PeerProcess.start(suite.server.wsUrl, suite.room.name, 'bob');
      try {
        assert.ok(alice && carol);
        await alice.until(() => alice.notices('join').some(({ user_id }) => user_id === 'bob'), 'bob is there');
        bob.pause();
        const chunk = 'x'.repeat(50_000);
        // More than the system's socket buffer, SCTP's windows and the server's backlog hold together.
        for (let sent = 0; sent < 400; sent++) {
          await alice.say('unreliable', `${sent} ${chunk}`);
          await alice.say('reliable', `${sent} ${chunk}`);
          await carol.until(() => heard(carol, 'reliable').length > sent, `message ${sent} at carol`);
        }
        bob.resume();
        await bob.until(({ closed }) => closed.includes('reliable'), "bob's reliable channel is closed");
        const greeting = setInterval(() => void alice.say('unreliable', 'welcome back'), 50);
        try {
          await bob.until(({ last }) => last.unreliable === 'welcome back', 'bob hears what is sent now');
        } finally {
          clearInterval(greeting);
        }
        assert.deepEqual(bob.state.closed, ['reliable']);
        assert.ok(heard(carol, 'reliable').length === 400);
      } finally {
        await bob.stop();
      }
    });
  });
}

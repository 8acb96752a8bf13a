import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { Room, type User } from '../support/peer.js';
import type { Publisher } from '../support/publisher.js';
import { startServer } from '../support/server.js';
import { usingRooms } from '../support/suite.js';

const layouts = [
  { workers: 1, placement: 'auto' },
  { workers: 2, placement: 'together' },
  { workers: 2, placement: 'spread' },
  { workers: 4, placement: 'auto' },
  { workers: 4, placement: 'spread' },
] as const;

after(releaseNative);

for (const { workers, placement } of layouts) {
  describe(`${workers} workers, placement ${placement}`, () => {
    const suite = usingRooms({ workers, env: { PLACEMENT: placement } });

    test('everyone in a room of four sees and hears the three others, and reads what they write', async () => {
      const users: User[] = [];
      const publishers: Publisher[] = [];
      for (const name of ['alice', 'bob', 'carol', 'dave']) {
        const user = await suite.room.enter(name);
        users.push(user);
        publishers.push(await user.publish());
      }
      for (const publisher of publishers) publisher.start();
      await Promise.all(
        users.flatMap((user) =>
          users
            .filter((other) => other !== user)
            .map(async (other) => {
              const subscriber = await user.subscribe(other.id);
              await Promise.all([subscriber.more('video', 30), subscriber.more('audio', 15)]);
              const tags = new Set(subscriber.packets.map(({ tag }) => tag));
              assert.deepEqual(
                [...tags],
                [other.publishers[0]?.video.tag],
                'only the packets of the one subscribed to',
              );
            }),
        ),
      );
      for (const publisher of publishers) await publisher.say('reliable', `I am ${publisher.identity.id}`);
      for (const publisher of publishers) {
        const others = publishers.filter((other) => other !== publisher).map(({ identity }) => `I am ${identity.id}`);
        await publisher.until(() => publisher.messages.length >= others.length, 'a message of each other');
        assert.deepEqual(publisher.messages.map(({ data }) => data).sort(), others.sort());
      }
    });

    test('a block between users of whatever shards holds for media and data, and ends', async () => {
      const alice = await suite.room.enter('alice');
      const bob = await suite.room.enter('bob');
      const [source, sinkPublisher] = [await alice.publish(), await bob.publish()];
      source.start();
      const sink = await bob.subscribe(alice.id);
      await sink.more('video', 20);
      await sinkPublisher.block(alice.id);
      const before = sink.count.video;
      await source.say('reliable', 'unheard');
      const witness = await (await suite.room.enter('carol')).subscribe(alice.id);
      await witness.more('video', 50);
      assert.ok(sink.count.video - before <= 2, `${sink.count.video - before} packets came through the block`);
      await sinkPublisher.unblock(alice.id);
      await source.say('reliable', 'heard');
      await sinkPublisher.until(() => sinkPublisher.messages.length > 0, 'the message after the unblock');
      assert.deepEqual(
        sinkPublisher.messages.map(({ data }) => data),
        ['heard'],
      );
      await sink.more('video', 20);
    });
  });
}

describe('a crowd', () => {
  test('200 publishers that join one room at once are all there, and all hear each other', {
    timeout: 120_000,
  }, async () => {
    const size = 200;
    const server = await startServer({ workers: 2, env: { MAX_ROOM_SIZE: '1000', MAX_CCU: '1000' } });
    const room = new Room(server.wsUrl);
    try {
      const publishers = await Promise.all(
        Array.from({ length: size }, async (_, index) => {
          const user = await room.enter(`user${index}`);
          return user.publish({ audio: index % 10 === 0, video: false });
        }),
      );
      const newcomer = await (await room.enter('newcomer')).attachPublisher();
      const users = await newcomer.join();
      assert.deepEqual(users.toSorted(), publishers.map(({ identity }) => identity.id).sort());
      const [first, ...others] = publishers;
      assert.ok(first);
      await first.say('reliable', 'hello everybody');
      for (const other of others)
        await other.until(() => other.messages.length > 0, `${other.identity.id} hears it`, 30_000);
    } finally {
      await room.close();
      assert.equal(await server.stop(), 0, server.output());
    }
  });
});

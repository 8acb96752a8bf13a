/** Two users of one room who came by different nodes, and what each of them notices. */
import assert from 'node:assert/strict';
import { User } from './peer.js';
import type { Publisher } from './publisher.js';
import type { Subscriber } from './subscriber.js';

interface Side {
  user: User;
  source: Publisher;
  sink: Subscriber;
}

/** Of 100 packets so many may be lost on a busy machine, whose kernel drops datagrams. */
const LOSS_MAX = 0.03;

export class ClusterCall {
  readonly room: string;
  readonly #sides: readonly Side[];
  /** What each had been told and got at the last look. */
  #seen: { events: number; video: number; audio: number }[] = [];

  private constructor(room: string, sides: readonly Side[]) {
    this.room = room;
    this.#sides = sides;
    this.look();
  }

  /** @param urls the node that each comes by */
  static async open(room: string, urls: readonly [string, string]): Promise<ClusterCall> {
    const users = await Promise.all([
      User.connect(withRoom(urls[0], room), room, `ann of ${room}`),
      User.connect(withRoom(urls[1], room), room, `bob of ${room}`),
    ]);
    const [ann, bob] = users;
    try {
      const sources = [await ann.publish(), await bob.publish()] as const;
      for (const source of sources) source.start();
      const sides = [
        { user: ann, source: sources[0], sink: await ann.subscribe(bob.id) },
        { user: bob, source: sources[1], sink: await bob.subscribe(ann.id) },
      ];
      await Promise.all(sides.map(({ sink }) => sink.more('video', 20)));
      return new ClusterCall(room, sides);
    } catch (error) {
      await Promise.all(users.map((user) => user.close()));
      throw error;
    }
  }

  /** What comes from now on is judged by {@link undisturbed}. */
  look(): void {
    this.#seen = this.#sides.map(({ source, sink }) => ({
      events: source.events.length,
      video: sink.of('video').length,
      audio: sink.of('audio').length,
    }));
  }

  /** Asserts that since the last look nobody was told anything, no connection was closed, and all media came; looks anew. */
  async undisturbed(meanwhile: string): Promise<void> {
    await Promise.all(this.#sides.flatMap(({ sink }) => [sink.more('video', 20), sink.more('audio', 10)]));
    for (const [index, { user, source, sink }] of this.#sides.entries()) {
      const seen = this.#seen[index] ?? { events: 0, video: 0, audio: 0 };
      const who = `${user.id}, ${meanwhile}`;
      assert.equal(user.socket.readyState, user.socket.OPEN, `the socket of ${who}`);
      const news = source.events.slice(seen.events).filter(({ janus }) => janus !== 'slowlink');
      assert.deepEqual(news, [], `${who}: no news`);
      assert.equal(sink.told('hangup').length + sink.told('detached').length, 0, who);
      for (const kind of ['audio', 'video'] as const) {
        const numbers = sink
          .of(kind)
          .slice(seen[kind])
          .map(({ number }) => number);
        const span = (numbers.at(-1) ?? 0) - (numbers[0] ?? 0) + 1;
        assert.ok(
          span - numbers.length <= Math.max(2, LOSS_MAX * span),
          `${who}: ${numbers.length} of ${span} ${kind}`,
        );
      }
    }
    this.look();
  }

  async close(): Promise<void> {
    await Promise.all(this.#sides.map(({ user }) => user.close()));
  }
}

const withRoom = (url: string, room: string) => `${url}/?room=${encodeURIComponent(room)}`;

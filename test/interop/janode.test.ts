import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import Janode, { type Connection, type Session } from 'janode';
import Handle, { type JanusMessage } from 'janode/handle';
import { converse, type InteropUser } from '../support/conversation.js';
import { endNativePeers, NativePeer } from '../support/native-peer.js';
import { type RunningServer, startServer } from '../support/server.js';

Janode.Logger.setLevel('warn');

/** The plugin as janode's own plugin classes are written: an answering event settles its request, others are emitted. */
class SfuHandle extends Handle {
  override handleMessage(message: JanusMessage): object | null {
    const { plugindata, transaction, jsep } = message;
    if (plugindata?.plugin !== 'janus.plugin.sfu') return null;
    const { data } = plugindata;
    if (!this.ownsTransaction(transaction)) this.emit('sfu', data, jsep);
    else if (data.success === true) this.closeTransactionWithSuccess(transaction, message);
    else this.closeTransactionWithError(transaction, new Error(JSON.stringify(data.error)));
    return { event: 'sfu', data };
  }
}

const plugin = { id: 'janus.plugin.sfu', Handle: SfuHandle };

class JanodeUser implements InteropUser {
  readonly id: string;
  readonly joined: string[] = [];
  readonly left: string[] = [];
  readonly media: { type: string; receiving: boolean; mid: string }[] = [];
  readonly #connection: Connection;
  readonly #session: Session;
  #closed = false;

  private constructor(id: string, connection: Connection, session: Session) {
    this.id = id;
    this.#connection = connection;
    this.#session = session;
  }

  static async connect(url: string, id: string): Promise<JanodeUser> {
    const connection = await Janode.connect({ address: { url } });
    return new JanodeUser(id, connection, await connection.create());
  }

  async publish(room: string, peer: NativePeer, sdp: string): Promise<string[]> {
    const handle = await this.#session.attach(plugin);
    const up = once(handle, Janode.EVENT.HANDLE_WEBRTCUP);
    handle.on('sfu', ({ event, user_id: who }: Record<string, unknown>) => {
      if (event === 'join') this.joined.push(String(who));
      if (event === 'leave') this.left.push(String(who));
      peer.changed();
    });
    handle.on(Janode.EVENT.HANDLE_MEDIA, (event) => this.media.push(event));
    const { jsep } = await handle.message({}, { type: 'offer', sdp });
    assert.equal(jsep?.type, 'answer');
    peer.accept(jsep.sdp);
    await handle.trickleComplete();
    await up;
    const { plugindata } = await handle.message({
      kind: 'join',
      room_id: room,
      user_id: this.id,
      subscribe: { notifications: true, data: true },
    });
    assert.ok(plugindata);
    const { users } = plugindata.data.response as { users: Record<string, string[]> };
    return users[room] ?? [];
  }

  async subscribe(room: string, peer: NativePeer, source: string): Promise<void> {
    const handle = await this.#session.attach(plugin);
    const up = once(handle, Janode.EVENT.HANDLE_WEBRTCUP);
    const { jsep } = await handle.message({
      kind: 'join',
      room_id: room,
      user_id: this.id,
      subscribe: { media: source },
    });
    assert.equal(jsep?.type, 'offer');
    await handle.message({}, { type: 'answer', sdp: await peer.answer(jsep.sdp) });
    await up;
  }

  /** Sends something that the plugin refuses; resolves with janode's error. */
  async refused(): Promise<string> {
    const handle = await this.#session.attach(plugin);
    const error = await handle.message({ kind: 'data', body: 'x' }).then(
      () => 'accepted',
      (reason: Error) => reason.message,
    );
    await handle.detach();
    return error;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session.destroy();
    await this.#connection.close();
  }
}

describe('janode 1.8', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({ workers: 2 });
  });
  after(async () => {
    await endNativePeers();
    assert.equal(await server.stop(), 0);
  });

  test('publishes, subscribes, talks over data channels, and hears of its media', { timeout: 60_000 }, async () => {
    const alice = await JanodeUser.connect(server.wsUrl, 'alice');
    const bob = await JanodeUser.connect(server.wsUrl, 'bob');
    try {
      assert.match(await bob.refused(), /Cannot send data when not in a room/);
      await converse(alice, bob, (name) => new NativePeer(name));
      for (const [type, mid] of [
        ['audio', 'audio'],
        ['video', 'video'],
      ]) {
        assert.ok(
          alice.media.some((event) => event.type === type && event.receiving && event.mid === mid),
          `no media event of ${type}: ${JSON.stringify(alice.media)}`,
        );
      }
    } finally {
      await alice.close();
      await bob.close();
    }
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import Janode, { type Connection, type Session } from 'janode';
import Handle, { type JanusMessage } from 'janode/handle';
import { converse, type InteropUser } from '../support/conversation.js';
import { describeLibrary } from '../support/library-suite.js';
import { NativePeer } from '../support/native-peer.js';
import { startServer } from '../support/server.js';

Janode.Logger.setLevel('none');

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
  readonly trickled: string[] = [];
  readonly media: { type: string; receiving: boolean; mid: string }[] = [];
  readonly lost: Promise<unknown>;
  readonly #connection: Connection;
  readonly #session: Session;
  #publisher: SfuHandle | null = null;
  #ended = false;

  private constructor(id: string, connection: Connection, session: Session) {
    this.id = id;
    this.#connection = connection;
    this.#session = session;
    this.lost = new Promise((resolve) => connection.once(Janode.EVENT.CONNECTION_ERROR, resolve));
    void this.lost.then(() => {
      this.#ended = true;
    });
  }

  static async connect(url: string, id: string): Promise<JanodeUser> {
    const connection = await Janode.connect({ address: { url } });
    return new JanodeUser(id, connection, await connection.create());
  }

  async publish(room: string, peer: NativePeer, sdp: string): Promise<string[]> {
    const handle = await this.#session.attach(plugin);
    this.#publisher = handle;
    handle.on('sfu', ({ event, user_id: who }: Record<string, unknown>) => {
      if (event === 'join') this.joined.push(String(who));
      if (event === 'leave') this.left.push(String(who));
      peer.changed();
    });
    handle.on(Janode.EVENT.HANDLE_MEDIA, (event) => this.media.push(event));
    await this.negotiate(peer, sdp);
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

  async negotiate(peer: NativePeer, sdp: string): Promise<void> {
    const handle = this.#publishing();
    this.#trickle(handle, peer);
    const up = once(handle, Janode.EVENT.HANDLE_WEBRTCUP);
    const { jsep } = await handle.message({}, { type: 'offer', sdp });
    assert.equal(jsep?.type, 'answer');
    peer.accept(jsep.sdp);
    await sendCandidates(handle, peer);
    await up;
  }

  async subscribe(room: string, peer: NativePeer, source: string): Promise<void> {
    const handle = await this.#session.attach(plugin);
    this.#trickle(handle, peer);
    const up = once(handle, Janode.EVENT.HANDLE_WEBRTCUP);
    const { jsep } = await handle.message({
      kind: 'join',
      room_id: room,
      user_id: this.id,
      subscribe: { media: source },
    });
    assert.equal(jsep?.type, 'offer');
    await handle.message({}, { type: 'answer', sdp: await peer.answer(jsep.sdp) });
    await sendCandidates(handle, peer);
    await up;
  }

  async hangUp(): Promise<string> {
    const handle = this.#publishing();
    const hangup = once(handle, Janode.EVENT.HANDLE_HANGUP);
    await handle.hangup();
    return String((await hangup)[0].reason);
  }

  async detach(): Promise<void> {
    const handle = this.#publishing();
    const detached = once(handle, Janode.EVENT.HANDLE_DETACHED);
    await handle.detach();
    await detached;
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
    if (this.#ended) return;
    this.#ended = true;
    await this.#session.destroy();
    await this.#connection.close();
  }

  #publishing(): SfuHandle {
    assert.ok(this.#publisher, 'nothing was published');
    return this.#publisher;
  }

  #trickle(handle: SfuHandle, peer: NativePeer): void {
    handle.on(Janode.EVENT.HANDLE_TRICKLE, ({ candidate }: { candidate?: string }) => {
      if (candidate === undefined) return;
      this.trickled.push(candidate);
      peer.addCandidate(candidate);
    });
  }
}

/** One alone, the others together, then the end: the three forms that janode has. */
async function sendCandidates(handle: SfuHandle, peer: NativePeer): Promise<void> {
  const [first, ...others] = peer.candidates;
  if (first) await handle.trickle({ ...first });
  if (others.length > 0) await handle.trickle(others);
  await handle.trickleComplete();
}

describeLibrary({
  name: 'janode 1.8',
  connect: (url, id) => JanodeUser.connect(url, id),
  more: (server) => {
    test('hears of its media, and of refusals as errors', { timeout: 60_000 }, async () => {
      const alice = await JanodeUser.connect(server().wsUrl, 'alice');
      const bob = await JanodeUser.connect(server().wsUrl, 'bob');
      try {
        assert.match(await bob.refused(), /Cannot send data when not in a room/);
        await converse(alice, bob, (name) => new NativePeer(name));
        for (const kind of ['audio', 'video']) {
          const heard = alice.media.some(({ type, mid, receiving }) => type === kind && mid === kind && receiving);
          assert.ok(heard, `no media event of ${kind}: ${JSON.stringify(alice.media)}`);
        }
      } finally {
        await alice.close();
        await bob.close();
      }
    });

    test('tries until the server is there, when told how often', { timeout: 60_000 }, async () => {
      const first = await startServer();
      const { port } = new URL(first.wsUrl);
      await first.stop();
      const trying = Janode.connect({ address: { url: first.wsUrl }, max_retries: 20, retry_time_secs: 1 });
      const second = await startServer({ env: { WS_PORT: port } });
      const connection = await trying;
      assert.ok((await connection.create()).id > 0);
      await connection.close();
      assert.equal(await second.stop(), 0, second.output());
    });
  },
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { JanusPluginHandle, JanusSession, type Signal } from 'minijanus/minijanus.js';
import { WebSocket } from 'ws';
import { type InteropUser, LABELS } from '../support/conversation.js';
import { describeLibrary } from '../support/library-suite.js';
import { NativePeer } from '../support/native-peer.js';

class MinijanusUser implements InteropUser {
  readonly id: string;
  readonly joined: string[] = [];
  readonly left: string[] = [];
  readonly trickled: string[] = [];
  lost: Promise<unknown>;
  readonly #session: JanusSession;
  #socket: WebSocket;
  #publisher: JanusPluginHandle | null = null;

  private constructor(id: string, socket: WebSocket) {
    this.id = id;
    this.#socket = socket;
    this.#session = new JanusSession((text) => this.#socket.send(text), { timeoutMs: 10_000 });
    this.lost = this.#listen();
  }

  static async connect(url: string, id: string): Promise<MinijanusUser> {
    const socket = new WebSocket(url, 'janus-protocol');
    await once(socket, 'open');
    const user = new MinijanusUser(id, socket);
    await user.#session.create();
    return user;
  }

  async publish(room: string, peer: NativePeer, sdp: string): Promise<string[]> {
    const handle = await this.#attach();
    this.#publisher = handle;
    handle.on('event', ({ plugindata }) => {
      const { event, user_id: who } = plugindata?.data ?? {};
      if (event === 'join') this.joined.push(String(who));
      if (event === 'leave') this.left.push(String(who));
      peer.changed();
    });
    await this.negotiate(peer, sdp);
    const reply = await handle.sendMessage({
      kind: 'join',
      room_id: room,
      user_id: this.id,
      subscribe: { notifications: true, data: true },
    });
    const { success, response } = reply.plugindata?.data ?? {};
    assert.equal(success, true);
    const { users } = response as { users: Record<string, string[]> };
    return users[room] ?? [];
  }

  /** A handle that has joined, as a publisher without media. */
  async join(room: string): Promise<JanusPluginHandle> {
    const handle = await this.#attach();
    const subscribe = { notifications: true, data: true };
    await handle.sendMessage({ kind: 'join', room_id: room, user_id: this.id, subscribe });
    return handle;
  }

  async negotiate(peer: NativePeer, sdp: string): Promise<void> {
    const handle = this.#publishing();
    this.#trickle(handle, peer);
    const up = told(handle, 'webrtcup');
    const { jsep } = await handle.sendJsep({ type: 'offer', sdp });
    assert.equal(jsep?.type, 'answer');
    peer.accept(jsep.sdp);
    await sendCandidates(handle, peer);
    await up;
  }

  async subscribe(room: string, peer: NativePeer, source: string): Promise<void> {
    const handle = await this.#attach();
    this.#trickle(handle, peer);
    const up = told(handle, 'webrtcup');
    const { jsep } = await handle.sendMessage({
      kind: 'join',
      room_id: room,
      user_id: this.id,
      subscribe: { media: source },
    });
    assert.equal(jsep?.type, 'offer');
    const answered = await handle.sendJsep({ type: 'answer', sdp: await peer.answer(jsep.sdp) });
    assert.equal(answered.janus, 'event');
    await sendCandidates(handle, peer);
    await up;
  }

  async hangUp(): Promise<string> {
    const handle = this.#publishing();
    const hangup = told(handle, 'hangup');
    await handle.send('hangup');
    return String((await hangup).reason);
  }

  async detach(): Promise<void> {
    const handle = this.#publishing();
    const detached = told(handle, 'detached');
    await handle.detach();
    await detached;
  }

  /** minijanus keeps its session's id, and has a way for every verb: what an application adds is the new socket. */
  async claim(url: string): Promise<void> {
    const socket = new WebSocket(url, 'janus-protocol');
    await once(socket, 'open');
    this.#socket = socket;
    this.lost = this.#listen();
    assert.equal((await this.#session.send('claim')).janus, 'success');
  }

  /** Cuts the connection, as a change of networks does. */
  async cut(): Promise<void> {
    this.#socket.terminate();
    await this.lost;
  }

  async close(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return this.#session.dispose();
    await this.#session.destroy();
    this.#socket.close();
    await this.lost;
  }

  #listen(): Promise<unknown> {
    this.#socket.on('message', (data) => this.#session.receive(JSON.parse(String(data)) as Signal));
    return once(this.#socket, 'close');
  }

  async #attach(): Promise<JanusPluginHandle> {
    const handle = new JanusPluginHandle(this.#session);
    await handle.attach('janus.plugin.sfu');
    return handle;
  }

  #publishing(): JanusPluginHandle {
    assert.ok(this.#publisher, 'nothing was published');
    return this.#publisher;
  }

  #trickle(handle: JanusPluginHandle, peer: NativePeer): void {
    handle.on('trickle', ({ candidate: { candidate } = {} }) => {
      if (candidate === undefined) return;
      this.trickled.push(candidate);
      peer.addCandidate(candidate);
    });
  }
}

function told(handle: JanusPluginHandle, event: string): Promise<Signal> {
  return new Promise((resolve) => handle.on(event, resolve));
}

async function sendCandidates(handle: JanusPluginHandle, peer: NativePeer): Promise<void> {
  for (const candidate of peer.candidates) await handle.sendTrickle({ ...candidate });
  await handle.sendTrickle(null);
}

describeLibrary({
  name: 'minijanus 0.6',
  connect: (url, id) => MinijanusUser.connect(url, id),
  more: (server) => {
    test('gets an event for all that naf-janus-adapter says by it, in the adapter’s own forms', async () => {
      const [ann, bob] = await Promise.all(['ann', 'bob'].map((id) => MinijanusUser.connect(server().wsUrl, id)));
      assert.ok(ann && bob);
      try {
        const [handle, other] = [await ann.join('say'), await bob.join('say')];
        const heard: unknown[] = [];
        other.on('event', ({ plugindata }) => heard.push(plugindata?.data));
        const say = async (body: Record<string, unknown>) => (await handle.sendMessage(body)).plugindata?.data;
        const done = { success: true, response: {} };
        const [all, one] = ['"to all"', '"to one"'];
        assert.deepEqual(await say({ kind: 'data', body: all }), done);
        assert.deepEqual(await say({ kind: 'data', body: one, whom: 'bob' }), done);
        assert.deepEqual(await say({ kind: 'data', body: 'x', whom: undefined }), done);
        assert.deepEqual(await say({ kind: 'block', whom: 'bob' }), done);
        assert.deepEqual(await say({ kind: 'data', body: 'unheard' }), done);
        assert.deepEqual(await say({ kind: 'unblock', whom: 'bob' }), done);
        const kicked = await say({ kind: 'kick', room_id: 'say', user_id: 'bob', token: undefined });
        assert.equal(kicked?.success, false);
        assert.deepEqual((await other.sendMessage({})).plugindata?.data, { success: true });
        assert.deepEqual(heard, [
          { event: 'data', body: all, from: 'ann' },
          { event: 'data', body: one, from: 'ann' },
          { event: 'data', body: 'x', from: 'ann' },
          { event: 'blocked', by: 'ann' },
          { event: 'unblocked', by: 'ann' },
          { success: true },
        ]);
        await handle.detach();
        await assert.rejects(handle.sendMessage({ kind: 'data', body: 'x' }));
      } finally {
        await Promise.all([ann.close(), bob.close()]);
      }
    });

    test('takes its session along to a new socket, with media going on meanwhile', { timeout: 60_000 }, async () => {
      const alice = await MinijanusUser.connect(server().wsUrl, 'alice');
      const bob = await MinijanusUser.connect(server().wsUrl, 'bob');
      const [source, own, received] = ['alice', 'bob', 'of alice'].map((name) => new NativePeer(name));
      assert.ok(source && own && received);
      try {
        await alice.publish('claim', source, await source.offer(5, LABELS));
        await bob.publish('claim', own, await own.offer(6, LABELS));
        await bob.subscribe('claim', received, alice.id);
        source.start();
        await received.receive('video', 5, 10);
        await alice.cut();
        const before = received.received.length;
        await received.until(() => received.received.length > before + 20, 'media while the signalling is away');
        await bob.close();
        await alice.claim(server().wsUrl);
        await source.until(() => alice.left.includes(bob.id), 'the leave of the time without a connection');
        assert.equal(await alice.hangUp(), 'Janus API');
      } finally {
        for (const peer of [source, own, received]) peer.close();
        await alice.close();
        await bob.close();
      }
    });
  },
});

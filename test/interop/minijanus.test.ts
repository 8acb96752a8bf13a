import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { JanusPluginHandle, JanusSession, type Signal } from 'minijanus/minijanus.js';
import { WebSocket } from 'ws';
import { converse, type InteropUser } from '../support/conversation.js';
import { endNativePeers, NativePeer } from '../support/native-peer.js';
import { type RunningServer, startServer } from '../support/server.js';

class MinijanusUser implements InteropUser {
  readonly id: string;
  readonly joined: string[] = [];
  readonly left: string[] = [];
  readonly #socket: WebSocket;
  readonly #session: JanusSession;

  private constructor(id: string, socket: WebSocket) {
    this.id = id;
    this.#socket = socket;
    this.#session = new JanusSession((text) => socket.send(text), { timeoutMs: 10_000 });
    socket.on('message', (data) => this.#session.receive(JSON.parse(String(data)) as Signal));
  }

  static async connect(url: string, id: string): Promise<MinijanusUser> {
    const socket = new WebSocket(url, 'janus-protocol');
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const user = new MinijanusUser(id, socket);
    await user.#session.create();
    return user;
  }

  async publish(room: string, peer: NativePeer, sdp: string): Promise<string[]> {
    const handle = new JanusPluginHandle(this.#session);
    await handle.attach('janus.plugin.sfu');
    const up = webrtcUp(handle);
    handle.on('event', ({ plugindata }) => {
      const { event, user_id: who } = plugindata?.data ?? {};
      if (event === 'join') this.joined.push(String(who));
      if (event === 'leave') this.left.push(String(who));
      peer.changed();
    });
    const { jsep } = await handle.sendJsep({ type: 'offer', sdp });
    assert.equal(jsep?.type, 'answer');
    peer.accept(jsep.sdp);
    await handle.sendTrickle(null);
    await up;
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

  async subscribe(room: string, peer: NativePeer, source: string): Promise<void> {
    const handle = new JanusPluginHandle(this.#session);
    await handle.attach('janus.plugin.sfu');
    const up = webrtcUp(handle);
    const { jsep } = await handle.sendMessage({
      kind: 'join',
      room_id: room,
      user_id: this.id,
      subscribe: { media: source },
    });
    assert.equal(jsep?.type, 'offer');
    const answered = await handle.sendJsep({ type: 'answer', sdp: await peer.answer(jsep.sdp) });
    assert.equal(answered.janus, 'event');
    await up;
  }

  async close(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    await this.#session.destroy();
    this.#socket.close();
    await new Promise((resolve) => this.#socket.once('close', resolve));
  }
}

function webrtcUp(handle: JanusPluginHandle): Promise<Signal> {
  return new Promise((resolve) => handle.on('webrtcup', resolve));
}

describe('minijanus 0.6', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({ workers: 2 });
  });
  after(async () => {
    await endNativePeers();
    assert.equal(await server.stop(), 0);
  });

  test('publishes, subscribes, and talks over data channels', { timeout: 60_000 }, async () => {
    const alice = await MinijanusUser.connect(server.wsUrl, 'alice');
    const bob = await MinijanusUser.connect(server.wsUrl, 'bob');
    try {
      await converse(alice, bob, (name) => new NativePeer(name));
    } finally {
      await alice.close();
      await bob.close();
    }
  });
});

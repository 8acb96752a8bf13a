/** What the Admin API does to clients, and what it tells of connected ones. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { ADMIN_SECRET, type Ask, adminOverHttp, logged, type Reply } from '../support/admin-client.js';
import { startCall } from '../support/call.js';
import { dataOf, JanusClient, type Received } from '../support/janus-client.js';
import { Room } from '../support/peer.js';
import type { Publisher } from '../support/publisher.js';
import { type RunningServer, startServer } from '../support/server.js';
import type { Subscriber } from '../support/subscriber.js';

let server: RunningServer;
let ask: Ask;
before(async () => {
  // Media that stops is not told of, until an operator says so.
  server = await startServer({ env: { ADMIN_SECRET, NO_MEDIA_TIMEOUT: '0' }, workers: 2 });
  ask = adminOverHttp(server);
});
after(async () => {
  releaseNative();
  assert.equal(await server.stop(), 0, server.output());
});

async function succeed(fields: Record<string, unknown>): Promise<Reply> {
  const reply = await ask(fields);
  assert.equal(reply.janus, 'success', JSON.stringify(reply));
  return reply;
}

type Info = Record<string, unknown> & {
  plugin_specific: Record<string, unknown> & {
    streams: Record<string, unknown>[];
    errors: { time: string; reason: string }[];
  };
  flags: Record<string, boolean>;
  webrtc: {
    ice: Record<string, unknown>;
    dtls: Record<string, unknown>;
    extensions: Record<string, number>;
    media: Record<string, Record<string, never>>;
  };
};

async function infoOf(session: number, handle: number, extra: object = {}): Promise<Info> {
  const reply = await succeed({ janus: 'handle_info', session_id: session, handle_id: handle, ...extra });
  assert.deepEqual([reply.session_id, reply.handle_id], [session, handle]);
  return reply.info as Info;
}

const idsOf = ({ handle }: Publisher | Subscriber) => ({ session_id: handle.session.id, handle_id: handle.id });

const isEvent = (event: string) => (message: Received) => dataOf(message).event === event;

describe('an operator', () => {
  test('kicks: the victim’s handles are detached, the others learn that it left', async () => {
    const alice = await JanusClient.connect(server.wsUrl);
    const bob = await JanusClient.connect(server.wsUrl);
    const watcher = await alice.join('kicked', 'alice', { data: true, notifications: true });
    const victims = [await bob.join('kicked', 'bob', { data: true }), await bob.join('kicked', 'bob', {})];
    const elsewhere = await bob.join('other', 'bob', { data: true });
    assert.equal((await succeed({ janus: 'kick', room_id: 'kicked', user_id: 'bob' })).handles, 2);
    for (const { session, id } of victims) {
      const detached = await bob.until(({ janus, sender }) => janus === 'detached' && sender === id, 'detached');
      assert.equal(detached.session_id, session);
    }
    const left = await alice.until(isEvent('leave'), 'the leave event');
    assert.deepEqual([left.sender, dataOf(left)], [watcher.id, { event: 'leave', user_id: 'bob', room_id: 'kicked' }]);
    assert.equal(alice.received.filter(isEvent('leave')).length, 1);
    const still = await bob.message(elsewhere, { kind: 'data', body: 'still here' });
    assert.equal(dataOf(still).success, true);
    const again = await ask({ janus: 'kick', room_id: 'kicked', user_id: 'bob' });
    assert.deepEqual(again.error, { code: 490, reason: 'There is no such user in this room.' });
    assert.equal((await ask({ janus: 'kick', room_id: 'kicked' })).error?.code, 456);
    assert.equal((await ask({ janus: 'kick', room_id: 1, user_id: 'bob' })).error?.code, 467);
    await logged(server, /kicked by an operator room="kicked" user="bob" handles=2/);
    await Promise.all([alice.close(), bob.close()]);
  });

  test('detaches a handle: its client is told, and the session goes on', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const { session, id } = await client.join('detached', 'ann', { data: true });
    await succeed({ janus: 'detach_handle', session_id: session, handle_id: id });
    await client.until(({ janus, sender }) => janus === 'detached' && sender === id, 'detached');
    const again = await ask({ janus: 'detach_handle', session_id: session, handle_id: id });
    assert.equal(again.error?.code, 459);
    assert.ok((await client.attach(session)).id > 0);
    assert.deepEqual((await succeed({ janus: 'list_rooms', room_id: 'detached' })).rooms, []);
    await client.close();
  });

  test('destroys a session: its handles go, and its connection stays open', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const { session } = await client.join('destroyed', 'ann', { data: true });
    await succeed({ janus: 'destroy_session', session_id: session });
    const reply = await client.request({ janus: 'keepalive', session_id: session });
    assert.equal(reply.error?.code, 458);
    assert.equal((await ask({ janus: 'list_handles', session_id: session })).error?.code, 458);
    assert.deepEqual((await succeed({ janus: 'list_rooms', room_id: 'destroyed' })).rooms, []);
    assert.ok((await client.create()) > 0);
    await client.close();
    await logged(server, new RegExp(`info admin request .*verb="destroy_session" session=${session}\\b`));
    assert.ok(!server.output().includes('list_handles'), 'who looks leaves no trace');
  });

  test('gives one session another timeout than the rest, and takes it back', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const [short, long] = [await client.create(), await client.create()];
    const set = (session_id: number, timeout: unknown) => ask({ janus: 'set_session_timeout', session_id, timeout });
    assert.equal((await set(long, 0)).timeout, 0);
    assert.equal((await set(long, -1)).timeout, -1);
    assert.equal((await set(short, 1)).timeout, 1);
    const timeout = await client.until(({ janus }) => janus === 'timeout', 'the timeout');
    assert.equal(timeout.session_id, short);
    assert.equal((await client.request({ janus: 'keepalive', session_id: long })).janus, 'ack');
    const negative = 'Invalid element type (timeout should be a non-negative integer or -1)';
    assert.deepEqual((await set(long, -2)).error, { code: 467, reason: negative });
    for (const wrong of [1.5, '1', null]) assert.equal((await set(long, wrong)).error?.code, 467);
    assert.equal((await set(long, undefined)).error?.code, 456);
    await client.close();
  });

  test('asks about a session without keeping it alive', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const { session, id } = await client.attach(await client.create());
    const first = await infoOf(session, id);
    await succeed({ janus: 'list_handles', session_id: session });
    const second = await infoOf(session, id);
    assert.equal(second.session_last_activity, first.session_last_activity);
    assert.ok(Number(second.current_time) > Number(first.current_time));
    await client.close();
  });
});

describe('handle_info', () => {
  test('of a handle that did nothing yet', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const session = await client.create();
    const attach = { janus: 'attach', session_id: session, plugin: 'janus.plugin.sfu', opaque_id: 'ann’s phone' };
    const id = (await client.request(attach)).data?.id ?? 0;
    const { session_last_activity: last, created, current_time: now, ...info } = await infoOf(session, id);
    for (const time of [last, created, now]) assert.ok(Number.isInteger(time));
    assert.ok(Number(last) <= Number(created) && Number(created) <= Number(now));
    const plain = {
      session_id: session,
      session_timeout: 60,
      session_transport: 'janus.transport.websockets',
      handle_id: id,
      opaque_id: 'ann’s phone',
      'loop-running': true,
      plugin: 'janus.plugin.sfu',
      plugin_specific: { streams: [], errors: [] },
    };
    const { flags, sdps, 'queued-packets': queued, ...rest } = info;
    assert.deepEqual(rest, plain);
    assert.deepEqual([sdps, queued], [{}, 0]);
    assert.deepEqual(
      Object.entries(flags).filter(([, set]) => set),
      [['alert', true]],
    );
    const {
      session_last_activity,
      created: c,
      current_time,
      ...only
    } = await infoOf(session, id, { plugin_only: true });
    assert.deepEqual(only, plain);
    const wrong = await ask({ janus: 'handle_info', session_id: session, handle_id: id, plugin_only: 'yes' });
    assert.equal(wrong.error?.code, 467);
    await client.close();
  });

  test('of a client that polls over HTTP names that transport', async () => {
    const post = async (path: string, fields: object) => {
      const body = JSON.stringify({ transaction: 'x', ...fields });
      const response = await fetch(`${server.httpUrl}/janus${path}`, { method: 'POST', body });
      return ((await response.json()) as Received).data?.id ?? 0;
    };
    const session = await post('', { janus: 'create' });
    const handle = await post(`/${session}`, { janus: 'attach', plugin: 'janus.plugin.sfu' });
    assert.equal((await infoOf(session, handle)).session_transport, 'janus.transport.http');
    await succeed({ janus: 'destroy_session', session_id: session });
  });

  test('tells the last five refusals, with the time', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const { session, id } = await client.attach(await client.create());
    await client.toHandle({ session, id }, { janus: 'message', body: 'no object' });
    for (let index = 0; index < 5; index += 1) {
      await client.message({ session, id }, { kind: index === 0 ? 'dance' : 'data', body: 'x' });
    }
    const before = Date.now();
    const { errors } = (await infoOf(session, id)).plugin_specific;
    assert.match(errors[0]?.reason ?? '', /The field kind should be/);
    assert.deepEqual(
      errors.slice(1).map(({ reason }) => reason),
      Array(4).fill('Cannot send data when not in a room.'),
    );
    await client.toHandle({ session, id }, { janus: 'message', body: 'no object' });
    const { errors: later } = (await infoOf(session, id)).plugin_specific;
    assert.equal(later.length, 5);
    assert.equal(later.at(-1)?.reason, '467 Invalid element type (body should be an object)');
    for (const { time } of later) assert.ok(Math.abs(Date.parse(time) - before) < 60_000);
    await client.close();
  });

  test('of a publisher and its subscriber: the pair of addresses, DTLS, and counters that move', {
    timeout: 60_000,
  }, async () => {
    const room = new Room(server.wsUrl);
    const { alice, bob, source, sink } = await startCall(room);
    const publisher = () => infoOf(source.handle.session.id, source.handle.id);
    const subscriber = () => infoOf(sink.handle.session.id, sink.handle.id);
    try {
      const up = await publisher();
      const down = await subscriber();
      const pair = /^\S+:(\d+) \[\w+,udp\] <-> \S+:\d+ \[\w+,udp\]$/;
      for (const { webrtc, flags } of [up, down]) {
        assert.match(String(webrtc.ice['selected-pair']), pair);
        assert.equal(Number(pair.exec(String(webrtc.ice['selected-pair']))?.[1]), sink.serverPort);
        assert.equal(webrtc.dtls['dtls-state'], 'connected');
        assert.match(String(webrtc.dtls['remote-fingerprint']), /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
        assert.ok(flags.ready && flags.negotiated && flags['has-audio'] && flags['has-video']);
        assert.ok(!flags.alert && !flags.starting);
      }
      assert.deepEqual([up['ice-role'], down['ice-role']], ['controlled', 'controlling']);
      assert.deepEqual([up.webrtc.dtls['dtls-role'], down.webrtc.dtls['dtls-role']], ['active', 'passive']);
      const { streams: ups, errors, ...publishing } = up.plugin_specific;
      const { streams: downs, errors: none, ...subscribing } = down.plugin_specific;
      assert.deepEqual([errors, none], [[], []]);
      const { shard } = publishing;
      assert.deepEqual(publishing, {
        room_id: room.name,
        user_id: alice.id,
        kind: 'publisher',
        subscribers: 1,
        shard,
      });
      assert.deepEqual(subscribing, {
        room_id: room.name,
        user_id: bob.id,
        kind: 'subscriber',
        source: alice.id,
        shard,
      });
      assert.deepEqual(
        [...ups, ...downs].map(({ kind, direction, ssrc }) => ({ kind, direction, ssrc })),
        [
          { kind: 'audio', direction: 'up', ssrc: source.audio.ssrc },
          { kind: 'video', direction: 'up', ssrc: source.video.ssrc },
          { kind: 'audio', direction: 'down', ssrc: sink.announced.audio.ssrc },
          { kind: 'video', direction: 'down', ssrc: sink.announced.video.ssrc },
        ],
      );

      // Some of them are counted already, and still on their way.
      await Promise.all([sink.more('video', 30), sink.more('audio', 30)]);
      const later = { up: await publisher(), down: await subscriber() };
      for (const [first, second] of [
        [up, later.up],
        [down, later.down],
      ] as const) {
        second.plugin_specific.streams.forEach((stream, index) => {
          const before = first.plugin_specific.streams[index];
          assert.ok(Number(stream.packets) >= Number(before?.packets) + 10, JSON.stringify(stream));
          assert.ok(Number(stream.bytes) > Number(before?.bytes), JSON.stringify(stream));
          assert.equal(stream.lost, 0);
        });
      }
      const { media } = later.down.webrtc;
      assert.deepEqual(
        Object.values(media).map(({ type, mindex, mid }) => ({ type, mindex, mid })),
        [
          { type: 'audio', mindex: 0, mid: 'a' },
          { type: 'video', mindex: 1, mid: 'v' },
          { type: 'data', mindex: 2, mid: 'd' },
        ],
      );
      const text = JSON.stringify([up, down]);
      assert.ok(!/pwd|ufrag/.test(text), 'ICE credentials are nobody’s business');
    } finally {
      await room.close();
    }
  });

  test('counts what a subscriber asks for again, and its requests for a keyframe', { timeout: 60_000 }, async () => {
    const room = new Room(server.wsUrl);
    const { sink } = await startCall(room);
    try {
      const last = sink.of('video').at(-1)?.sequenceNumber ?? 0;
      const before = sink.count.video;
      sink.askAgain('video', [last, (last - 1) & 0xffff]);
      sink.askForKeyframe();
      await sink.until(() => sink.count.video > before + 5, 'more video');
      const { streams } = (await infoOf(sink.handle.session.id, sink.handle.id)).plugin_specific;
      const video = streams.find(({ kind }) => kind === 'video');
      assert.equal(video?.nacks, 2);
      assert.equal(video?.retransmissions, 2);
      assert.equal(video?.keyframe_requests, 1);
    } finally {
      await room.close();
    }
  });
});

describe('media', () => {
  test('no_media_timer reaches the workers: silence is told from then on', { timeout: 60_000 }, async () => {
    const room = new Room(server.wsUrl);
    const { source } = await startCall(room);
    try {
      source.stop();
      await succeed({ janus: 'set_no_media_timer', no_media_timer: 1 });
      await source.until(
        () => source.told('media').filter(({ receiving }) => receiving === false).length === 2,
        'the end of both kinds',
      );
    } finally {
      await succeed({ janus: 'set_no_media_timer', no_media_timer: 0 });
      await room.close();
    }
  });

  test('hangup_webrtc ends the PeerConnection for the reason Admin API, the handle stays', {
    timeout: 60_000,
  }, async () => {
    const room = new Room(server.wsUrl);
    const { source } = await startCall(room);
    try {
      await succeed({ janus: 'hangup_webrtc', ...idsOf(source) });
      await source.until(() => source.told('hangup').length === 1, 'the hangup');
      assert.equal(source.told('hangup')[0]?.reason, 'Admin API');
      const { webrtc, flags, plugin_specific } = await infoOf(source.handle.session.id, source.handle.id);
      assert.equal(webrtc, undefined);
      assert.deepEqual([flags.alert, flags.ready], [true, false]);
      assert.equal(plugin_specific.kind, 'publisher');
      await succeed({ janus: 'hangup_webrtc', ...idsOf(source) });
      await source.restart();
      assert.equal((await infoOf(source.handle.session.id, source.handle.id)).flags.ready, true);
    } finally {
      await room.close();
    }
  });
});

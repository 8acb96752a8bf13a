/**
 * The plugin when things happen at bad moments: a handle that goes in the middle of its join, a publisher that leaves
 * while an offer is made, a worker that dies. The shards here are a script that answers when it is told to: real ones
 * can't be stopped at such a point.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDescription } from '../../src/sdp/parse.js';
import { Attendance } from '../../src/sfu/attendance.js';
import { MemoryBlockStore } from '../../src/sfu/block-store.js';
import { Blocks } from '../../src/sfu/blocks.js';
import { Gatekeeper } from '../../src/sfu/gatekeeper.js';
import type { HandleSink, SfuHandle } from '../../src/sfu/handle.js';
import { Peers } from '../../src/sfu/peers.js';
import { SfuPlugin } from '../../src/sfu/plugin.js';
import { Presence } from '../../src/sfu/presence.js';
import { ALONE, type RoomAuthority } from '../../src/sfu/room-authority.js';
import type { PluginReply } from '../../src/sfu/rooms.js';
import { Switchboard } from '../../src/sfu/switchboard.js';
import { ScriptedShards } from '../support/scripted-shards.js';
import { chromeOffer } from '../support/sdp-corpus.js';

function stage(authority: RoomAuthority = ALONE, maxRoomSize = 0) {
  const shards = new ScriptedShards();
  const log = () => {};
  const blocks = new Blocks(new MemoryBlockStore(), 10);
  const presence = new Presence(shards, blocks);
  const sdp = {
    videoCodecs: ['h264' as const, 'vp8' as const],
    dataChannelMaxMessageSize: 262_144,
    subscriberData: true,
  };
  const peers = new Peers(shards, presence, { sdp, publicIps: [], fullTrickle: false }, log);
  const switchboard = new Switchboard({ maxRoomSize, maxCcu: 0, notifyScope: 'room', replyIncludesSelf: false });
  const gatekeeper = new Gatekeeper(null);
  const attendance = new Attendance(() => {});
  const parts = { switchboard, attendance, blocks, presence, gatekeeper, peers, shards, authority, log };
  const plugin = new SfuPlugin({ idBytesMax: 256, subscribeWait: 0 }, parts);
  const offer = parseDescription(chromeOffer({ lines: ['audio', 'video', 'data'] }));
  assert.ok(offer.ok);

  const attach = (): SfuHandle & { heard: string[] } => {
    const heard: string[] = [];
    const sink: HandleSink = {
      event: (data, jsep) => {
        const { event, user_id, by }: Record<string, unknown> = { ...data };
        heard.push(`${event ?? 'offer'} ${user_id ?? by ?? jsep?.type ?? ''}`);
      },
      webrtcup: () => heard.push('webrtcup'),
      media: (mid, kind, receiving) => heard.push(`media ${mid} ${kind} ${receiving}`),
      slowlink: () => heard.push('slowlink'),
      hangup: (reason) => heard.push(`hangup ${reason}`),
      detached: () => heard.push('detached'),
    };
    return Object.assign(
      plugin.attach(sink, { session: {}, loopback: true, sdpSession: '1', room: null, loopIndex: null }),
      { heard },
    );
  };
  const join = (handle: SfuHandle, user: string, subscribe: object = { data: true, notifications: true }) =>
    plugin.message(handle, { kind: 'join', room_id: 'r', user_id: user, subscribe }, null);
  const publish = (handle: SfuHandle) => plugin.message(handle, {}, { type: 'offer', description: offer.description });
  const empty = () => {
    assert.deepEqual(switchboard.size, { members: 0, rooms: 0, users: 0 });
    assert.deepEqual(presence.size, { users: 0, rooms: 0 });
    assert.equal(peers.size, 0);
  };
  return { shards, plugin, peers, presence, switchboard, attach, join, publish, empty };
}

/** Lets everything that is ready go on. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a join of a handle that has joined', () => {
  test('says first that the room is full, as the reference does, but not to who publishes there', async () => {
    const { plugin, attach, join, empty } = stage(undefined, 1);
    const [ann, bob] = [attach(), attach()];
    await join(ann, 'ann');
    await join(bob, 'bob', {});
    const refusalOf = ({ data }: PluginReply) => ('error' in data ? data.error.msg : null);
    assert.equal(refusalOf(await join(bob, 'bob')), 'Room is full.');
    assert.equal(refusalOf(await join(bob, 'bob', {})), 'Handles may only join once!');
    assert.equal(refusalOf(await join(ann, 'ann')), 'Handles may only join once!');
    await Promise.all([plugin.detach(ann), plugin.detach(bob)]);
    empty();
  });
});

describe('a room that becomes another server’s', () => {
  test('while a join has claimed it and waits lets nobody in', async () => {
    // As in a cluster: the claim takes a while, and the room is yielded before the joiner goes on.
    let held = false;
    let claims = 0;
    const authority: RoomAuthority = {
      claim: () => {
        claims += 1;
        if (held) return null;
        if (claims > 1) return Promise.resolve('it is elsewhere');
        return Promise.resolve(null);
      },
      evict: async () => 0,
    };
    const { plugin, attach, join, empty } = stage(authority);
    const ann = attach();
    const reply = await join(ann, 'ann');
    assert.deepEqual(reply.data, { success: false, error: { msg: 'it is elsewhere' } });
    held = true;
    assert.equal((await join(ann, 'ann')).data.success, true, 'the handle can join once the room is here');
    await plugin.detach(ann);
    empty();
  });
});

describe('a handle that goes', () => {
  for (const type of ['set-blocked', 'join', 'set-room-shards', 'make-offer'] as const) {
    test(`while its join waits for ${type} leaves nothing behind, and was never seen`, async () => {
      const { shards, plugin, attach, join, publish, empty } = stage();
      const ann = attach();
      await join(ann, 'ann');
      await publish(ann);
      await plugin.message(ann, { kind: 'block', whom: 'bob' }, null);
      const bob = attach();
      shards.nextPlace = 1;
      if (type !== 'make-offer') await publish(bob);
      const heard = ann.heard.length;
      shards.hold(type);
      const subscribe = type === 'make-offer' ? { media: 'ann' } : { data: true };
      const joining = join(bob, 'bob', subscribe);
      await turn();
      const gone = plugin.detach(bob);
      await turn();
      shards.go(type);
      assert.equal((await joining).data.success, false);
      await gone;
      assert.equal(ann.heard.length, heard);
      await plugin.detach(ann);
      empty();
    });
  }

  test('while its offer is accepted is forgotten by its shard afterwards', async () => {
    const { shards, plugin, attach, publish, empty } = stage();
    const ann = attach();
    shards.hold('accept-offer');
    const offering = publish(ann);
    await turn();
    const gone = plugin.detach(ann);
    shards.go('accept-offer');
    await Promise.all([offering, gone]);
    assert.deepEqual(shards.requests, ['0: accept-offer 1', '0: forget 1']);
    empty();
  });
});

describe('a publisher that goes', () => {
  test('while an offer is made for a subscriber fails that join, which can be tried again', async () => {
    const { shards, plugin, attach, join, publish, empty } = stage();
    const [ann, bob] = [attach(), attach()];
    await join(ann, 'ann');
    await publish(ann);
    shards.hold('make-offer');
    const joining = join(bob, 'bob', { media: 'ann' });
    await turn();
    const gone = plugin.detach(ann);
    shards.go('make-offer');
    await gone;
    const reply = await joining;
    assert.deepEqual(reply.data, { success: false, error: { msg: 'The publisher left meanwhile.' } });
    const again = attach();
    await join(again, 'ann');
    assert.equal((await join(bob, 'bob', { media: 'ann' })).jsep?.type, 'offer');
    await Promise.all([plugin.detach(again), plugin.detach(bob)]);
    empty();
  });

  test('ends its subscribers’ peers, not their handles', async () => {
    const { shards, plugin, attach, join, publish } = stage();
    const [ann, bob] = [attach(), attach()];
    await join(ann, 'ann');
    await publish(ann);
    await join(bob, 'bob', { media: 'ann', notifications: true });
    await plugin.detach(ann);
    assert.deepEqual(bob.heard, ['leave ann', 'hangup Close PC']);
    assert.ok(shards.requests.includes('0: close-peer 2'));
    assert.equal((await plugin.message(bob, { kind: 'data', body: 'x' }, null)).data.success, true);
  });
});

describe('news of a shard', () => {
  test('become the handle’s events, with the mid of its line', async () => {
    const { shards, attach, publish } = stage();
    const ann = attach();
    await publish(ann);
    shards.say(0, { type: 'webrtcup', handle: ann.number });
    shards.say(0, { type: 'media', handle: ann.number, kind: 'video', receiving: true });
    shards.say(0, { type: 'hangup', handle: ann.number, reason: 'DTLS alert' });
    assert.deepEqual(ann.heard, ['webrtcup', 'media 1 video true', 'hangup DTLS alert']);
  });

  test('about what has ended, or from where the handle does not live, are nobody’s', async () => {
    const { shards, plugin, attach, publish } = stage();
    const ann = attach();
    await publish(ann);
    shards.say(1, { type: 'hangup', handle: ann.number, reason: 'DTLS alert' });
    await plugin.hangup(ann);
    shards.say(0, { type: 'hangup', handle: ann.number, reason: 'DTLS alert' });
    shards.say(0, { type: 'webrtcup', handle: 77 });
    assert.deepEqual(ann.heard, []);
  });
});

describe('a worker that dies', () => {
  test('costs its clients PeerConnection and place, tells the others, and lets them come again', async () => {
    const { shards, plugin, attach, join, publish, empty } = stage();
    const [ann, bob, carol] = [attach(), attach(), attach()];
    await join(ann, 'ann');
    await publish(ann);
    shards.nextPlace = 1;
    await join(bob, 'bob');
    await publish(bob);
    await join(carol, 'carol', { media: 'ann' });
    ann.heard.length = 0;
    bob.heard.length = 0;
    shards.die(0);
    await turn();
    assert.deepEqual(ann.heard, ['hangup Close PC']);
    assert.deepEqual(carol.heard, ['hangup Close PC']);
    assert.deepEqual(bob.heard, ['leave ann', 'leave carol']);
    shards.nextPlace = 0;
    assert.equal((await join(ann, 'ann')).data.success, true);
    assert.equal((await publish(ann)).jsep?.type, 'answer');
    assert.equal((await join(carol, 'carol', { media: 'ann' })).jsep?.type, 'offer');
    await Promise.all([ann, bob, carol].map((handle) => plugin.detach(handle)));
    empty();
  });

  test('is replaced by one that is told all blocks before anybody lives there', async () => {
    const { shards, plugin, attach, join, publish } = stage();
    const [ann, bob] = [attach(), attach()];
    await join(ann, 'ann');
    await join(bob, 'bob');
    await plugin.message(ann, { kind: 'block', whom: 'bob' }, null);
    shards.die(0);
    shards.requests.length = 0;
    await publish(bob);
    assert.deepEqual(shards.requests.slice(0, 3), [
      '0: set-blocked 1-2 true',
      `0: join ${bob.number}`,
      '0: set-room-shards',
    ]);
    shards.requests.length = 0;
    await publish(ann);
    assert.ok(!shards.requests.some((request) => request.includes('set-blocked')));
  });

  test('while nobody has a PeerConnection there costs nobody anything', async () => {
    const { shards, attach, join } = stage();
    const ann = attach();
    await join(ann, 'ann');
    shards.die(0);
    assert.deepEqual(ann.heard, []);
    assert.ok(ann.joined);
  });
});

describe('a publisher with subscribers on two shards', () => {
  /** Ann on shard 0, with Bob's subscription on the same and Carol's on the other one. */
  async function fannedOut() {
    const all = stage();
    const { shards, attach, join, publish } = all;
    const [ann, bob, carol] = [attach(), attach(), attach()];
    await join(ann, 'ann');
    await publish(ann);
    await join(bob, 'bob', { media: 'ann' });
    shards.requests.length = 0;
    shards.nextSubscriberPlace = 1;
    await join(carol, 'carol', { media: 'ann' });
    return { ...all, ann, bob, carol };
  }

  test('is mirrored there before the offer is made, and fed once the mirror is there', async () => {
    const { shards, ann, carol } = await fannedOut();
    const about = shards.requests.filter((request) => /mirror|make-offer/.test(request));
    assert.deepEqual(about, [
      `1: mirror ${ann.number}`,
      `0: set-mirrors ${ann.number}`,
      `1: make-offer ${carol.number}`,
    ]);
    assert.deepEqual([...ann.mirrors], [1]);
  });

  test('has no mirror any more when the last subscriber there goes', async () => {
    const { shards, plugin, ann, carol } = await fannedOut();
    shards.requests.length = 0;
    await plugin.detach(carol);
    await turn();
    const about = shards.requests.filter((request) => request.endsWith(` ${ann.number}`));
    assert.deepEqual(about, [`0: set-mirrors ${ann.number}`, `1: forget ${ann.number}`]);
    assert.equal(ann.mirrors.size, 0);
  });

  test('that leaves takes its subscribers and its mirror along', async () => {
    const { shards, plugin, ann, bob, carol, empty } = await fannedOut();
    await plugin.detach(ann);
    assert.deepEqual(
      [bob, carol].map(({ heard }) => heard),
      [['hangup Close PC'], ['hangup Close PC']],
    );
    assert.ok(shards.requests.includes(`1: forget ${ann.number}`));
    assert.equal(ann.mirrors.size, 0);
    await Promise.all([bob, carol].map((handle) => plugin.detach(handle)));
    empty();
  });

  test('whose own shard dies takes those on the other shard along, and may come back there itself', async () => {
    const { shards, plugin, ann, bob, carol, join, publish, empty } = await fannedOut();
    shards.die(0);
    await turn();
    assert.deepEqual(
      [ann, bob, carol].map(({ heard }) => heard.filter((line) => line.startsWith('hangup'))),
      [['hangup Close PC'], ['hangup Close PC'], ['hangup Close PC']],
    );
    assert.ok(shards.requests.includes(`1: forget ${ann.number}`), 'the mirror is gone before ann can come there');
    shards.nextPlace = 1;
    await join(ann, 'ann');
    assert.equal((await publish(ann)).jsep?.type, 'answer');
    await Promise.all([ann, bob, carol].map((handle) => plugin.detach(handle)));
    empty();
  });

  test('loses those on the other shard alone when that dies, and feeds it no more', async () => {
    const { shards, ann, bob, carol } = await fannedOut();
    shards.requests.length = 0;
    ann.heard.length = 0;
    shards.die(1);
    await turn();
    assert.deepEqual(
      [ann, bob, carol].map(({ heard }) => heard.filter((line) => line.startsWith('hangup'))),
      [[], [], ['hangup Close PC']],
    );
    assert.ok(shards.requests.includes(`0: set-mirrors ${ann.number}`));
    assert.equal(ann.mirrors.size, 0);
  });

  test('that leaves while its mirror is made is subscribed to by nobody, and leaves nothing there', async () => {
    const { shards, plugin, attach, join, publish, empty } = stage();
    const [ann, bob] = [attach(), attach()];
    await join(ann, 'ann');
    await publish(ann);
    shards.nextSubscriberPlace = 1;
    shards.hold('mirror');
    const joining = join(bob, 'bob', { media: 'ann' });
    await turn();
    const leaving = plugin.detach(ann);
    shards.go('mirror');
    await leaving;
    const reply = await joining;
    assert.equal(reply.jsep, undefined);
    assert.equal(shards.requests.filter((request) => request === `1: forget ${ann.number}`).length, 1);
    await plugin.detach(bob);
    empty();
  });
});

describe('who talks', () => {
  test('is told to those of the room who asked, but not to oneself, through a block, or of what has ended', async () => {
    const { shards, attach, join, publish } = stage();
    const ann = attach();
    const bob = attach();
    const eve = attach();
    await publish(ann);
    await join(ann, 'ann', { data: true, talking: true });
    await join(bob, 'bob', { data: true, talking: true });
    await join(eve, 'eve', { data: true, notifications: true });
    const told = (handle: typeof ann) => handle.heard.filter((line) => line.startsWith('talking'));
    shards.say(0, { type: 'talking', handle: ann.number, talking: true });
    assert.deepEqual([told(ann), told(bob), told(eve)], [[], ['talking ann'], []]);
    shards.say(0, { type: 'talking', handle: ann.number, talking: true });
    assert.equal(told(bob).length, 1, 'a change, and not a state');
    shards.say(0, { type: 'hangup', handle: ann.number, reason: 'ICE failed' });
    assert.equal(told(bob).length, 2, 'who has no connection talks no more');
  });

  test('is not told through a block', async () => {
    const { shards, plugin, attach, join, publish } = stage();
    const ann = attach();
    const bob = attach();
    await publish(ann);
    await join(ann, 'ann');
    await join(bob, 'bob', { data: true, talking: true });
    await plugin.message(bob, { kind: 'block', whom: 'ann' }, null);
    shards.say(0, { type: 'talking', handle: ann.number, talking: true });
    assert.deepEqual(
      bob.heard.filter((line) => line.startsWith('talking')),
      [],
    );
  });
});

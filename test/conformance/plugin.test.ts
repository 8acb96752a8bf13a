/** The plugin's rooms on the wire (sfu-plugin.md), against the real server; media and data channels are in test/interop. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { limit, shownOnce } from '../support/attempts.js';
import { type ClientHandle, dataOf, JanusClient, refusalOf } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

const PUBLISHER = { data: true, notifications: true };
const NO_PUBLISHER = "Can't subscribe to a nonexistent publisher.";

let server: RunningServer;
const clients: JanusClient[] = [];

before(async () => {
  server = await startServer({ env: { SUBSCRIBE_WAIT: '0.6' } });
});
after(async () => {
  assert.equal(await server.stop(), 0, server.output());
});

async function connect(): Promise<JanusClient> {
  const client = await JanusClient.connect(server.wsUrl);
  clients.push(client);
  return client;
}

/** Somebody with a connection and a joined handle. */
async function user(room: string, name: string, subscribe: object = PUBLISHER) {
  const client = await connect();
  const handle = await client.join(room, name, subscribe);
  return { client, handle, say: (body: object) => client.message(handle, body), heard: () => client.pushed(handle) };
}

describe('join', () => {
  test('lists the publishers before, and tells those who asked', async () => {
    const ann = await user('list', 'ann');
    const dave = await user('list', 'dave', { notifications: true });
    const client = await connect();
    const handle = await client.attach(await client.create());
    const reply = await client.message(handle, { kind: 'join', room_id: 'list', user_id: 'bob', subscribe: PUBLISHER });
    assert.deepEqual(dataOf(reply), { success: true, response: { users: { list: ['ann'] } } });
    await ann.client.settled();
    await dave.client.settled();
    const joined = [{ event: 'join', user_id: 'bob', room_id: 'list' }];
    assert.deepEqual([ann.heard(), dave.heard()], [joined, joined]);
    await client.close();
    await ann.client.until((one) => dataOf(one).event === 'leave', 'leave');
    assert.deepEqual(ann.heard().at(-1), { event: 'leave', user_id: 'bob', room_id: 'list' });
  });

  test('works for rooms and users of any name', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', '', '%s%n', 'a\r\nb', '\u0001', 'é😀'.repeat(42)]) {
      const one = await user(name, `${name}1`.slice(-200));
      const client = await connect();
      const handle = await client.attach(await client.create());
      const reply = await client.message(handle, { kind: 'join', room_id: name, user_id: name, subscribe: PUBLISHER });
      const { users } = dataOf(reply).response as { users: Record<string, string[]> };
      assert.deepEqual(Object.entries(users), [[name, [`${name}1`.slice(-200)]]]);
      await client.message(handle, { kind: 'data', body: 'x', whom: `${name}1`.slice(-200) });
      await one.client.settled();
      assert.deepEqual(one.heard().at(-1), { event: 'data', body: 'x', from: name });
      await one.client.close();
      await client.close();
    }
  });

  test('is done once by a handle, but a failed one can be tried again (hole g)', async () => {
    const client = await connect();
    const handle = await client.attach(await client.create());
    const join = (body: object) => client.message(handle, { kind: 'join', room_id: 'once', user_id: 'ann', ...body });
    assert.match(refusalOf(await join({ user_id: 5 })) ?? '', /user_id/);
    assert.equal(refusalOf(await join({ subscribe: { data: true, media: 'ghost' } })), NO_PUBLISHER);
    const other = await user('once', 'bob');
    assert.deepEqual(other.heard(), []);
    assert.equal(refusalOf(await join({ subscribe: PUBLISHER })), null);
    assert.equal(refusalOf(await join({})), 'Handles may only join once!');
    assert.equal(refusalOf(await join({ room_id: 'another', subscribe: PUBLISHER })), 'Handles may only join once!');
  });

  test('W9: of an id over 256 bytes is refused by name', async () => {
    const client = await connect();
    const handle = await client.attach(await client.create());
    const reply = await client.message(handle, { kind: 'join', room_id: 'r', user_id: 'u'.repeat(257) });
    assert.equal(refusalOf(reply), 'The field user_id of join should be at most 256 bytes of UTF-8.');
  });
});

describe('leave', () => {
  for (const how of ['detach', 'destroy', 'close'] as const) {
    test(`by ${how} is told once, when the user’s last handle goes`, async () => {
      const room = `leave-${how}`;
      const ann = await user(room, 'ann');
      const bob = await user(room, 'bob');
      const second = await bob.client.attach(bob.handle.session);
      await bob.client.message(second, { kind: 'join', room_id: room, user_id: 'bob' });
      await bob.client.toHandle(second, { janus: 'detach' });
      await bob.client.until((one) => one.janus === 'detached', 'detached');
      await ann.client.settled();
      assert.deepEqual(
        ann.heard().map((data) => data.event),
        ['join'],
      );
      if (how === 'detach') await bob.client.toHandle(bob.handle, { janus: 'detach' });
      if (how === 'destroy') await bob.client.request({ janus: 'destroy', session_id: bob.handle.session });
      if (how === 'close') await bob.client.close();
      await ann.client.until((one) => dataOf(one).event === 'leave', 'leave');
      await ann.client.settled();
      assert.deepEqual(ann.heard().slice(1), [{ event: 'leave', user_id: 'bob', room_id: room }]);
    });
  }

  test('is not what hangup does', async () => {
    const ann = await user('hangup', 'ann');
    const bob = await user('hangup', 'bob');
    const reply = await bob.client.toHandle(bob.handle, { janus: 'hangup' });
    assert.equal(reply.janus, 'success');
    await ann.client.settled();
    assert.deepEqual(
      ann.heard().map((data) => data.event),
      ['join'],
    );
    assert.equal(refusalOf(await bob.say({ kind: 'data', body: 'still here' })), null);
  });
});

describe('data messages', () => {
  test('go to the other publishers of the room, or to one, and say from whom', async () => {
    const [ann, bob, carol] = [await user('data', 'ann'), await user('data', 'bob'), await user('data', 'carol')];
    const dave = await user('data', 'dave', { notifications: true });
    const eve = await user('data-elsewhere', 'eve');
    await ann.say({ kind: 'data', body: 'to all' });
    await ann.say({ kind: 'data', body: 'to bob', whom: 'bob' });
    await ann.say({ kind: 'data', body: 'to self', whom: 'ann' });
    await ann.say({ kind: 'data', body: 'far', whom: 'eve' });
    await dave.say({ kind: 'data', body: 'of a subscriber' });
    const texts = async (one: typeof ann) => {
      await one.client.settled();
      return one.heard().flatMap((data) => (data.event === 'data' ? [`${data.from}: ${data.body}`] : []));
    };
    assert.deepEqual(await texts(bob), ['ann: to all', 'ann: to bob', 'dave: of a subscriber']);
    assert.deepEqual(await texts(carol), ['ann: to all', 'dave: of a subscriber']);
    assert.deepEqual(await texts(ann), ['ann: to self', 'dave: of a subscriber']);
    assert.deepEqual(await texts(dave), []);
    assert.deepEqual(await texts(eve), []);
  });

  test('need a room', async () => {
    const client = await connect();
    const handle = await client.attach(await client.create());
    assert.equal(
      refusalOf(await client.message(handle, { kind: 'data', body: 'x' })),
      'Cannot send data when not in a room.',
    );
  });
});

describe('blocks', () => {
  test('stop data messages both ways (hole j), are told to the target, and are lifted only by the blocker', async () => {
    const [ann, bob] = [await user('block', 'ann-b'), await user('block', 'bob-b')];
    const events = async (one: typeof ann) => {
      await one.client.settled();
      return one.heard().flatMap((data) => (data.event === 'join' ? [] : [`${data.event} ${data.by ?? data.body}`]));
    };
    const bothSpeak = async (text: string) => {
      await ann.say({ kind: 'data', body: text });
      await bob.say({ kind: 'data', body: text });
    };
    await ann.say({ kind: 'block', whom: 'bob-b' });
    await ann.say({ kind: 'block', whom: 'bob-b' });
    await bothSpeak('unheard');
    await bob.say({ kind: 'unblock', whom: 'ann-b' });
    await bothSpeak('unheard');
    await ann.say({ kind: 'unblock', whom: 'bob-b' });
    await bothSpeak('heard');
    assert.deepEqual(await events(bob), ['blocked ann-b', 'blocked ann-b', 'unblocked ann-b', 'data heard']);
    assert.deepEqual(await events(ann), ['unblocked bob-b', 'data heard']);
  });

  test('outlive the connection', async () => {
    const ann = await user('again', 'ann-a');
    await ann.say({ kind: 'block', whom: 'bob-a' });
    await ann.client.close();
    const bob = await user('again', 'bob-a');
    const back = await user('again', 'ann-a');
    await bob.say({ kind: 'data', body: 'unheard' });
    await back.say({ kind: 'data', body: 'unheard' });
    await Promise.all([bob.client.settled(), back.client.settled()]);
    for (const one of [bob, back]) assert.ok(one.heard().every((data) => data.event !== 'data'));
  });

  test('need a room', async () => {
    const client = await connect();
    const handle = await client.attach(await client.create());
    for (const kind of ['block', 'unblock']) {
      assert.equal(refusalOf(await client.message(handle, { kind, whom: 'x' })), `Cannot ${kind} when not in a room.`);
    }
  });
});

describe('subscribe', () => {
  const offerOf = (reply: { jsep?: { type: string } }) => reply.jsep?.type;

  test('S5: to media brings an offer, in a join and in a message of its own, also before the publisher has media (hole e)', async () => {
    const ann = await user('media', 'ann-m');
    const bob = await connect();
    const session = await bob.create();
    const joining = await bob.attach(session);
    const body = { kind: 'join', room_id: 'media', user_id: 'bob-m', subscribe: { media: 'ann-m' } };
    assert.equal(offerOf(await bob.message(joining, body)), 'offer');
    const later = await bob.join('media', 'bob-m');
    const reply = await bob.message(later, { kind: 'subscribe', what: { media: 'ann-m' } });
    assert.deepEqual([dataOf(reply), offerOf(reply)], [{ success: true, response: {} }, 'offer']);
    const again = await bob.message(later, { kind: 'subscribe', what: { media: 'ann-m' } });
    assert.equal(refusalOf(again), 'Handles may only subscribe once!');
    await ann.client.close();
    for (const handle of [joining, later]) {
      const told = await bob.until((one) => one.janus === 'hangup' && one.sender === handle.id, 'hangup');
      assert.equal(told.reason, 'Close PC');
    }
  });

  test('to data and notifications after joining makes a publisher that is announced', async () => {
    const ann = await user('later', 'ann-l');
    const bob = await user('later', 'bob-l', {});
    await bob.say({ kind: 'subscribe', what: PUBLISHER });
    await ann.client.settled();
    assert.deepEqual(ann.heard(), [{ event: 'join', user_id: 'bob-l', room_id: 'later' }]);
    await ann.say({ kind: 'data', body: 'x' });
    await bob.client.settled();
    assert.deepEqual(bob.heard(), [{ event: 'data', body: 'x', from: 'ann-l' }]);
  });

  test('before joining takes effect with the join', async () => {
    const ann = await user('early', 'ann-e');
    const client = await connect();
    const handle = await client.attach(await client.create());
    const reply = await client.message(handle, { kind: 'subscribe', what: { ...PUBLISHER, media: 'ann-e' } });
    assert.equal(offerOf(reply), 'offer');
    assert.equal(refusalOf(await client.message(handle, { kind: 'join', room_id: 'early', user_id: 'bob-e' })), null);
    await ann.client.settled();
    assert.deepEqual(ann.heard(), [{ event: 'join', user_id: 'bob-e', room_id: 'early' }]);
  });

  test('waits for a publisher that is about to come, and holds up nobody else meanwhile', async () => {
    const client = await connect();
    const session = await client.create();
    const [waiting, free]: ClientHandle[] = [await client.attach(session), await client.attach(session)];
    assert.ok(waiting && free);
    const body = { kind: 'join', room_id: 'wait', user_id: 'bob-w', subscribe: { media: 'ann-w' } };
    const reply = client.message(waiting, body);
    const meanwhile = await client.message(free, {});
    assert.deepEqual(dataOf(meanwhile), { success: true });
    await user('wait', 'ann-w');
    assert.equal(offerOf(await reply), 'offer');
  });

  test('that waits ends at once when its handle is detached', (t) =>
    shownOnce(t, async () => {
      const client = await connect();
      const handle = await client.attach(await client.create());
      const started = performance.now();
      const reply = client.toHandle(handle, {
        janus: 'message',
        body: { kind: 'join', room_id: 'w', user_id: 'u', subscribe: { media: 'ghost' } },
      });
      const detached = client.toHandle(handle, { janus: 'detach' });
      assert.equal((await reply).janus, 'ack');
      assert.equal((await detached).janus, 'success');
      limit(performance.now() - started < 500, 'no sooner than the wait would be over');
    }));

  test('to a publisher of another room, or to nobody, is refused after the wait', async () => {
    await user('far', 'ann-f');
    const bob = await user('near', 'bob-f', {});
    for (const media of ['ann-f', 'ghost']) {
      assert.equal(refusalOf(await bob.say({ kind: 'subscribe', what: { media } })), NO_PUBLISHER);
    }
  });

  test('takes the newest of a user’s publishers; when one leaves the other stays subscribable', async () => {
    const first = await user('twice', 'ann-t');
    const second = await user('twice', 'ann-t');
    await second.client.close();
    const bob = await user('twice', 'bob-t', {});
    assert.equal(offerOf(await bob.say({ kind: 'subscribe', what: { media: 'ann-t' } })), 'offer');
    await first.client.close();
    await bob.client.until((one) => one.janus === 'hangup', 'hangup');
  });

  test('that ended can be followed by another one on the same handle', async () => {
    const ann = await user('anew', 'ann-n');
    const bob = await user('anew', 'bob-n', {});
    await bob.say({ kind: 'subscribe', what: { media: 'ann-n' } });
    await ann.client.close();
    await bob.client.until((one) => one.janus === 'hangup', 'hangup');
    await user('anew', 'ann-n');
    assert.equal(offerOf(await bob.say({ kind: 'subscribe', what: { media: 'ann-n' } })), 'offer');
  });
});

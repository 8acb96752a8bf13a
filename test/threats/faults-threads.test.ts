/** Threads that fail (threats.md F2 to F5, F10, F11): errors in native callbacks, workers that die or stand still, a main loop that does. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as elapse } from 'node:timers/promises';
import { releaseNative } from '../../bench/load/media-peer.js';
import { cpuMicroseconds } from '../../bench/load/process-stats.js';
import { limit, shownOnce } from '../support/attempts.js';
import { CALLBACK_KINDS, type CallbackKind, Faults } from '../support/faults.js';
import { JanusClient } from '../support/janus-client.js';
import { Room } from '../support/peer.js';
import { PeerProcess } from '../support/peer-process.js';
import type { Publisher } from '../support/publisher.js';
import { type RunningServer, startServer } from '../support/server.js';

after(releaseNative);

async function metric(server: RunningServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  return Number(new RegExp(`^janus_sfu_${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

async function health(server: RunningServer): Promise<number> {
  return (await fetch(`${server.httpUrl}/readyz`)).status;
}

/** Looks again and again until something is so. */
async function becomes(what: string, look: () => Promise<boolean>, limit: number): Promise<void> {
  for (const end = performance.now() + limit; !(await look()); await elapse(50)) {
    assert.ok(performance.now() < end, `not within ${limit} ms: ${what}`);
  }
}

describe('an error', () => {
  let server: RunningServer;
  let room: Room;
  const faults = new Faults();
  before(async () => {
    server = await startServer({ env: faults.env });
    room = new Room(server.wsUrl);
  });
  after(async () => {
    await room.close();
    faults.close();
    assert.equal(await server.stop(), 0, server.output().slice(-2000));
  });

  /** What a client does to be called back so. */
  const causes: Record<CallbackKind, (victim: Publisher) => unknown> = {
    packet: (victim) => victim.sendAudio(),
    'channel message': (victim) => victim.say('reliable', 'hello'),
    'channel closed': (victim) => victim.peer.channels.get('reliable')?.close(),
    'channel open': (victim) => victim.negotiate(),
    connected: (victim) => victim.negotiate(),
    'state change': (victim) => victim.negotiate(),
    'data channel': (victim) => victim.negotiate(),
  };

  for (const kind of CALLBACK_KINDS) {
    test(`F2: thrown in a worker’s native callback (${kind}) ends that peer, with a reason, and nobody else’s`, async () => {
      const before = await metric(server, 'shard_faults_total{shard="0"}');
      const alice = await room.enter('alice');
      const source = await alice.publish();
      const sink = await (await room.enter('bob')).subscribe(alice.id);
      const mallory = await room.enter('mallory');
      const victim = await mallory.attachPublisher();
      const cause = causes[kind];
      if (cause.toString().includes('negotiate')) {
        await faults.inject(0, { do: 'throw', where: kind });
        // It is not to succeed.
        Promise.resolve(cause(victim)).catch(() => {});
      } else {
        await victim.negotiate();
        await victim.join();
        await victim.until(() => victim.peer.channels.get('reliable')?.isOpen() === true, 'its channel is open');
        await faults.inject(0, { do: 'throw', where: kind });
        await cause(victim);
      }
      await victim.until(() => victim.told('hangup').length > 0, 'the hangup');
      assert.equal(victim.told('hangup')[0]?.reason, 'Internal error');
      assert.equal((await metric(server, 'shard_faults_total{shard="0"}')) - before, 1);
      assert.match(server.output(), new RegExp(`a fault was contained in a media worker.*injected: ${kind}`));
      source.start();
      await sink.more('video', 10);
      source.stop();
      assert.deepEqual([source.told('hangup'), sink.told('hangup')], [[], []]);
      assert.equal(await metric(server, 'shard_deaths_total{shard="0"}'), 0);
      await room.close();
    });
  }
});

describe('a media worker', () => {
  let server: RunningServer;
  let room: Room;
  /** Of a test, beside its room. */
  const others: Room[] = [];
  let faults: Faults;
  before(async () => {
    faults = new Faults();
    server = await startServer({ workers: 2, env: faults.env });
  });
  afterEach(() => Promise.all([room, ...others.splice(0)].map((one) => one.close())));
  after(async () => {
    faults.close();
    assert.equal(await server.stop(), 0, server.output().slice(-2000));
  });

  /** A publisher on the shard, in a room of its own, as soon as one is placed there. */
  async function placedOn(shard: number): Promise<Publisher> {
    const peers = () => metric(server, `shard_peers{shard="${shard}"}`);
    let placed: Publisher | null = null;
    await becomes(
      `somebody is placed on worker ${shard}`,
      async () => {
        const before = await peers();
        const one = new Room(server.wsUrl);
        others.push(one);
        const publisher = await (await one.enter('carol')).publish();
        if ((await peers()) > before) placed = publisher;
        return placed !== null;
      },
      20_000,
    );
    assert.ok(placed);
    return placed;
  }

  test('F3: that stands still is seen within 2 s and gets no new clients; if it ends then, its users are told and can come back', async () => {
    room = new Room(server.wsUrl);
    const third = new Room(server.wsUrl);
    others.push(third);
    const alice = await room.enter('alice');
    const victim = await alice.publish();
    const home = (await metric(server, 'shard_peers{shard="0"}')) === 1 ? 0 : 1;
    const away = 1 - home;
    const sink = await (await room.enter('bob')).subscribe(alice.id);
    const neighbour = await placedOn(away);
    const witness = await (await room.enter('dave')).attachPublisher();
    await witness.join();
    await faults.inject(home, { do: 'stall', milliseconds: 6_000, thenDie: true });
    const since = performance.now();
    await becomes('health is red', async () => (await health(server)) === 503, 4_900);
    const seen = performance.now() - since;
    assert.equal(await metric(server, `shard_up{shard="${home}"}`), 0);
    assert.equal(await metric(server, `shard_up{shard="${away}"}`), 1);
    await (await third.enter('eve')).publish();
    assert.equal(await metric(server, `shard_up{shard="${home}"}`), 0, 'it stood still while somebody new connected');
    await victim.until(() => victim.told('hangup').length > 0, 'the hangup');
    await sink.until(() => sink.told('hangup').length > 0, 'the hangup of a subscriber');
    await witness.until(() => witness.notices('leave').length > 0, 'the leave');
    assert.equal(witness.notices('leave')[0]?.user_id, alice.id);
    assert.deepEqual(neighbour.told('hangup'), []);
    await becomes('health is green', async () => (await health(server)) === 200, 10_000);
    assert.equal(await metric(server, `shard_deaths_total{shard="${home}"}`), 1);
    const again = await alice.publish();
    again.start();
    await (await (await room.enter('fred')).subscribe(alice.id)).more('video', 10);
    // A generous allowance for a machine that is slow itself.
    assert.ok(seen < 2_000 + 2_500, `seen after ${seen.toFixed(0)} ms`);
  });

  test('F5: that dies at each start is started less and less often, with red health, until it lives', async () => {
    room = new Room(server.wsUrl);
    const before = await metric(server, 'shard_deaths_total{shard="1"}');
    await faults.inject('main', { do: 'die-at-start', on: true });
    const cpu = cpuMicroseconds(server.pid);
    const since = performance.now();
    await faults.inject(1, { do: 'die' });
    await elapse(4_000);
    const deaths = (await metric(server, 'shard_deaths_total{shard="1"}')) - before;
    const spent = (cpuMicroseconds(server.pid) - cpu) / 1000 / (performance.now() - since);
    assert.ok(deaths >= 2 && deaths <= 5, `${deaths} deaths`);
    assert.ok(spent < 0.75, `${(spent * 100).toFixed(0)} % of a core`);
    await becomes('health is red', async () => (await health(server)) === 503, 5_000);
    await faults.inject('main', { do: 'die-at-start', on: false });
    await becomes('health is green', async () => (await health(server)) === 200, 20_000);
    // One that was made with the fault can have been green, too, for a moment.
    const beats = () => metric(server, 'shard_heartbeats_total{shard="1"}');
    await becomes('it lives for a second', async () => (await beats()) >= 20, 30_000);
  });

  test('F11: whose publisher is killed without a word tells its room, and frees the subscriptions', async () => {
    room = new Room(server.wsUrl);
    const witness = await room.enter('witness');
    const watching = await witness.publish();
    const killed = await PeerProcess.start(server.wsUrl, room.name, 'killed');
    const sink = await witness.subscribe('killed');
    assert.equal(await metric(server, 'subscribers'), 1);
    killed.kill();
    await watching.until(() => watching.notices('leave').length > 0, 'the leave', 30_000);
    assert.equal(watching.notices('leave')[0]?.user_id, 'killed');
    await sink.until(() => sink.told('hangup').length > 0, 'the hangup', 30_000);
    await becomes('it is freed', async () => (await metric(server, 'subscribers')) === 0, 5_000);
  });
});

test('F1: a media worker that can’t make its certificate is replaced, until one can', async () => {
  const faults = new Faults();
  const server = await startServer({ workers: 1, env: faults.env });
  const room = new Room(server.wsUrl);
  try {
    await faults.inject('main', { do: 'no-certificate', on: true });
    await faults.inject(0, { do: 'die' });
    await becomes(
      'its successor died',
      async () => (await metric(server, 'shard_deaths_total{shard="0"}')) >= 2,
      20_000,
    );
    await faults.inject('main', { do: 'no-certificate', on: false });
    const alice = await room.enter('alice');
    // Only who subscribes needs the certificate. One more worker may have started with the fault.
    await becomes(
      'a subscription',
      () =>
        alice
          .publish()
          .then(() => alice.subscribe(alice.id))
          .then(Boolean, () => false),
      30_000,
    );
  } finally {
    await room.close();
    faults.close();
    assert.equal(await server.stop(), 0, server.output().slice(-2000));
  }
});

test('F3: while the only media worker stands still newcomers wait for it, and are not refused', async () => {
  const faults = new Faults();
  const server = await startServer({ workers: 1, env: faults.env });
  const room = new Room(server.wsUrl);
  try {
    const alice = await room.enter('alice');
    await faults.inject(0, { do: 'stall', milliseconds: 4_000 });
    await becomes('health is red', async () => (await health(server)) === 503, 3_900);
    await alice.publish();
    await (await room.enter('bob')).subscribe(alice.id);
  } finally {
    await room.close();
    faults.close();
    assert.equal(await server.stop(), 0, server.output().slice(-2000));
  }
});

test('F3: a media worker that never runs again ends the server, for its supervisor to start it again', async () => {
  const faults = new Faults();
  const server = await startServer({ env: { ...faults.env, WORKER_STALL_LIMIT: '1' } });
  const client = await JanusClient.connect(server.wsUrl);
  const exited = once(server.process, 'exit');
  const closed = once(client.socket, 'close');
  await faults.inject(0, { do: 'stall', milliseconds: 600_000 });
  const [code] = await exited;
  faults.close();
  assert.notEqual(code, 0);
  assert.match(server.output(), /ending, to be started again reason="media worker 0 has stood still for too long/);
  assert.equal((await closed)[0], 1012, 'clients are told to come back');
});

/** A user's requests that keep its session alive. */
function keepAlive(room: Room): () => void {
  const timer = setInterval(() => {
    for (const { session } of room.users) session.request('keepalive', {}).catch(() => {});
  }, 500);
  return () => clearInterval(timer);
}

test('F4: a main loop that stands still for 2 s delays no media, and ends no live session when it wakes', (t) =>
  shownOnce(t, async () => {
    const faults = new Faults();
    const server = await startServer({
      env: { ...faults.env, SESSION_TIMEOUT: '3', WS_PING_INTERVAL: '1', WS_PONG_TIMEOUT: '1' },
    });
    const room = new Room(server.wsUrl);
    const rest = keepAlive(room);
    try {
      const alice = await room.enter('alice');
      const source = await alice.publish();
      const sink = await (await room.enter('bob')).subscribe(alice.id);
      source.start();
      await sink.more('video', 10);
      for (let round = 0; round < 2; round += 1) {
        const before = sink.count.video;
        const since = performance.now();
        await faults.inject('main', { do: 'stall', milliseconds: 2_200 });
        await elapse(1_900);
        const rate = (sink.count.video - before) / ((performance.now() - since) / 1000);
        limit(rate > 30, `${rate.toFixed(0)} packets a second came while the main loop stood still`);
        await alice.session.request('keepalive', {});
      }
      source.stop();
      assert.deepEqual([source.told('hangup'), sink.told('hangup')], [[], []]);
      // A test that stands still itself sends no keepalives.
      limit(!/session expired|connection is dead/.test(server.output()), 'a live session ended');
      assert.equal(alice.socket.readyState, alice.socket.OPEN);
    } finally {
      rest();
      await room.close();
      faults.close();
      await server.stop();
    }
  }));

test('F10: a wall clock that jumps by an hour, either way, ends no session and delays nothing', async () => {
  const faults = new Faults();
  const server = await startServer({ env: faults.env });
  const room = new Room(server.wsUrl);
  try {
    const alice = await room.enter('alice');
    const client = await JanusClient.connect(server.wsUrl);
    const session = await client.create();
    const source = await alice.publish();
    const sink = await (await room.enter('bob')).subscribe(alice.id);
    source.start();
    for (const hours of [1, -1, 0]) {
      for (const place of ['main', 0] as const) {
        await faults.inject(place, { do: 'clock', milliseconds: hours * 3_600_000 });
      }
      // The sweeps of a second have passed.
      await elapse(1_200);
      assert.equal((await client.request({ janus: 'keepalive', session_id: session })).janus, 'ack');
      await Promise.all(room.users.map((user) => user.session.request('keepalive', {})));
      await sink.more('video', 20);
    }
    source.stop();
    assert.doesNotMatch(server.output(), /session expired|connection is dead|stands still/);
    await client.close();
  } finally {
    await room.close();
    faults.close();
    assert.equal(await server.stop(), 0, server.output().slice(-2000));
  }
});

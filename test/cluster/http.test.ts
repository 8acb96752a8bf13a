/** What a cluster does for clients over HTTP, for odd room ids, for pages of other sites, and what it says to webhooks. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { releaseNative } from '../../bench/load/media-peer.js';
import { type Node, TestCluster, until } from '../support/cluster.js';
import { readExposition, sampleOf } from '../support/exposition.js';
import { dataOf, JanusClient, refusalOf } from '../support/janus-client.js';
import { CookieJar, NafLike } from '../support/naf-like.js';
import { natsMissing } from '../support/nats.js';
import { RestClient } from '../support/rest-client.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

after(releaseNative);

const WANTS = { data: true, notifications: true };
const ODD_ROOMS = [
  '.',
  '..',
  'a.b.c',
  '*',
  '>',
  'a.*.>',
  '$KV.janus-sfu_rooms.>',
  ' ',
  ' room ',
  'line\r\nbreak: yes',
  '__proto__',
  'constructor',
  '%2e%2e/../?room=other&x#y',
  'größe – 房间 – 🎈',
  '\u202egnidaer',
  'e\u0301',
  'é',
  '"}]',
  'x'.repeat(1024),
];

const at = (node: Node, room: string) => JanusClient.connect(`${node.server.wsUrl}/?room=${encodeURIComponent(room)}`);

async function families({ server }: Node): Promise<(name: string, labels?: Record<string, string>) => number> {
  const read = readExposition(await (await fetch(`${server.httpUrl}/metrics`)).text());
  return (name, labels) => sampleOf(read, name, labels);
}

async function eventsOf(node: Node): Promise<(event: string) => number> {
  const read = await families(node);
  return (event) => read('janus_sfu_cluster_events_total', { event });
}

/** The nodes of which the first has the room, and the others have not. */
async function sorted(cluster: TestCluster, room: string): Promise<[Node, ...Node[]]> {
  const [owner] = await cluster.owners(room);
  const home = cluster.nodes.find(({ name }) => name === owner);
  if (!home) throw new Error(`nobody has ${room}`);
  return [home, ...cluster.nodes.filter((node) => node !== home)];
}

/** All that a client over HTTP does, at a node that has not its room. */
async function overHttp(cluster: TestCluster): Promise<void> {
  const ann = await at(cluster.node(0), 'plaza');
  const annHandle = await ann.join('plaza', 'ann', WANTS);
  const [home, away, third] = (await sorted(cluster, 'plaza')) as [Node, Node, Node];
  const before = (await eventsOf(away))('relayed_requests');
  const rest = new RestClient(`${away.server.httpUrl}/janus`);
  const preflight = await rest.ask('OPTIONS', '?room=plaza', { headers: { Origin: 'https://page.example' } });
  assert.equal(preflight.status, 200);
  const session = (await rest.post('?room=plaza', { janus: 'create' })).data?.id ?? 0;
  const handle = await rest.attach(session);
  const say = (body: object) => rest.toHandle(handle, { janus: 'message', body });
  assert.equal((await say({ kind: 'join', room_id: 'plaza', user_id: 'bob', subscribe: WANTS })).janus, 'ack');
  const joined = await rest.event(session);
  assert.deepEqual(dataOf(joined).response, { users: { plaza: ['ann'] } });
  await ann.until((one) => dataOf(one).event === 'join' && dataOf(one).user_id === 'bob', 'ann sees bob come');

  const waiting = rest.event(session);
  await ann.message(annHandle, { kind: 'data', body: 'to you', whom: 'bob' });
  assert.equal(dataOf(await waiting).body, 'to you', 'a long poll through another node');
  await say({ kind: 'data', body: 'and to you', whom: 'ann' });
  await ann.until((one) => dataOf(one).body === 'and to you', 'his answer');
  await rest.event(session);

  const other = new RestClient(`${third.server.httpUrl}/janus`);
  assert.equal((await other.post(`/${session}`, { janus: 'keepalive' })).janus, 'ack', 'and by a third node');
  for (const { admin } of cluster.nodes) {
    assert.ok(((await admin({ janus: 'list_sessions' })).sessions as number[]).includes(session));
    const info = (await admin({ janus: 'handle_info', session_id: session, handle_id: handle.id })).info;
    assert.match(JSON.stringify(info), /"room_id":"plaza"/);
  }
  assert.equal((await rest.post(`/${session}`, { janus: 'destroy' })).janus, 'success');
  await ann.until((one) => dataOf(one).event === 'leave' && dataOf(one).user_id === 'bob', 'ann sees bob go');
  assert.equal((await rest.ask('GET', `/${session}`)).status, 404, 'nobody has the session any more');
  assert.equal((await other.post(`/${session}`, { janus: 'keepalive' })).error?.code, 458);
  assert.ok((await eventsOf(away))('relayed_requests') - before >= 8, 'they were passed on');

  // Without a room in the address the session is where it was created, and a room elsewhere is out of its reach.
  const blind = await rest.attach(await rest.create());
  const join = { kind: 'join', room_id: 'plaza', user_id: 'cyd', subscribe: WANTS };
  await rest.toHandle(blind, { janus: 'message', body: join });
  assert.match(refusalOf(await rest.event(blind.session)) ?? '', /over HTTP: create the session\) with \?room=/);
  await rest.toHandle(blind, { janus: 'message', body: { ...join, room_id: 'cyd’s own' } });
  assert.equal(refusalOf(await rest.event(blind.session)), null, 'a new room is welcome');
  const native = new RestClient(`${home.server.httpUrl}/janus`);
  await native.join('plaza', 'dan');

  // A session that ended with its node is gone, and so is the wait for it.
  const lost = (await rest.post('?room=plaza', { janus: 'create' })).data?.id ?? 0;
  const poll = rest.ask('GET', `/${lost}`);
  const waits = async () => (await families(home))('janus_sfu_rest_polls_waiting', { api: 'janus' }) === 1;
  await until(waits, 'it waits there');
  for (const client of [native, other]) client.close();
  await ann.close();
  await cluster.kill(home);
  assert.equal((await poll).status, 502, 'a long poll through the other node');
  const said = async (path: string, message: object) => {
    const { status, text } = await rest.ask('POST', path, {
      body: JSON.stringify({ transaction: 'again', ...message }),
    });
    return status === 200 ? text : '';
  };
  await until(async () => /"code": ?458/.test(await said(`/${lost}`, { janus: 'keepalive' })), 'the session is gone');
  await until(async () => (await said('?room=plaza', { janus: 'create' })).includes('success'), 'the room has a node');
  rest.close();
}

/** Two users of each of these rooms, who come to different nodes. */
async function oddRooms(cluster: TestCluster): Promise<void> {
  const [one, two] = [cluster.node(0), cluster.node(1)];
  // Janus' JSON has no NUL, and an address with one is a hint like any other.
  for (const node of [one, two]) {
    const nobody = await at(node, 'nul\u0000nul');
    nobody.send({
      janus: 'message',
      transaction: 'nul',
      body: { kind: 'join', room_id: 'nul\u0000nul', user_id: 'ann' },
    });
    assert.equal((await nobody.until((one) => one.janus === 'error', 'a refusal')).error?.code, 454);
    await nobody.close();
  }
  await Promise.all(
    ODD_ROOMS.map(async (room) => {
      const [ann, bob] = await Promise.all([at(one, room), at(two, room)]);
      await ann.join(room, `ann of ${room}`.slice(0, 1024), WANTS);
      const handle = await bob.attach(await bob.create());
      const body = { kind: 'join', room_id: room, user_id: 'bob', subscribe: WANTS };
      // Over 256 characters an address is no hint: who comes to the wrong node is told so.
      const answer = await bob.message(handle, body).catch(() => null);
      if (room.length <= 256) assert.equal(answer && refusalOf(answer), null, JSON.stringify(room));
      await until(
        async () => (await cluster.owners(room)).length === 1,
        `${JSON.stringify(room.slice(0, 40))} is on one node`,
      );
      if (room.length <= 256) {
        assert.deepEqual(answer && dataOf(answer).response, { users: { [room]: [`ann of ${room}`] } });
        await ann.until((event) => dataOf(event).event === 'join' && dataOf(event).user_id === 'bob', 'ann sees bob');
      }
      const found = (await two.admin({ janus: 'list_rooms', room_id: room })).rooms as { room_id: string }[];
      assert.deepEqual(
        found.map(({ room_id }) => room_id),
        [room],
      );
      assert.equal(
        (await two.admin({ janus: 'kick', room_id: room, user_id: `ann of ${room}`.slice(0, 1024) })).janus,
        'success',
      );
      await Promise.all([ann.close(), bob.close()]);
    }),
  );
}

describe('a cluster', { skip: natsMissing() }, () => {
  test('serves clients over HTTP by whatever node they come', { timeout: 60_000 }, async () => {
    await TestCluster.open(3, {}, overHttp);
  });

  test('takes any room id, remembers pages of other sites, tells webhooks its nodes, and holds its limits', {
    timeout: 60_000,
  }, async () => {
    const receiver = new WebhookReceiver();
    await receiver.listen();
    const env = {
      CLUSTER_COOKIE: 'none',
      CLUSTER_RELAYS_MAX: '24',
      ID_BYTES_MAX: '1024',
      SERVER_NAME: 'west',
      WEBHOOK_URL: receiver.url,
      WEBHOOK_SECRET: 'known to both, and to nobody else',
    };
    try {
      await TestCluster.open(2, env, async (cluster) => {
        await oddRooms(cluster);
        for (const { name, server } of cluster.nodes) {
          // Without the room in the address a new room is the node's that is asked.
          const client = await JanusClient.connect(server.wsUrl);
          await client.join(`room of ${name}`, 'ann', WANTS);
          await client.close();
        }
        await receiver.until(
          () => new Set(receiver.received.map(({ event }) => event.node)).size === 2,
          'both nodes tell of their rooms',
        );
        for (const { event } of receiver.received)
          assert.ok(event.server === 'west' && /^node[12]$/.test(event.node ?? ''));
        await pagesOfOtherSites(cluster);
        await full(cluster);
      });
    } finally {
      await receiver.close();
    }
  });
});

/** With CLUSTER_COOKIE=none: who keeps the cookie lands right the second time. */
async function pagesOfOtherSites(cluster: TestCluster): Promise<void> {
  const ann = await at(cluster.node(0), 'terrace');
  await ann.join('terrace', 'ann', WANTS);
  const [, away] = await sorted(cluster, 'terrace');
  if (!away) throw new Error('there is one node');
  const set = await new Promise<string[] | undefined>((resolve, reject) => {
    const socket = new WebSocket(away.server.wsUrl, 'janus-protocol');
    socket.on('upgrade', ({ headers }) => resolve(headers['set-cookie']));
    socket.on('error', reject);
    socket.on('open', () => socket.close());
  });
  assert.match(
    set?.join() ?? '',
    /^janus_sfu=[\w-]{22}; Path=\/; Max-Age=86400; HttpOnly; SameSite=None; Secure; Partitioned$/,
  );
  const bob = new NafLike({
    url: () => away.server.wsUrl,
    room: 'terrace',
    id: 'bob',
    jar: new CookieJar(),
    media: false,
  });
  try {
    bob.start();
    await bob.until(() => bob.joined, 'bob is in');
    assert.deepEqual(bob.closed, [1012], 'sent away once');
  } finally {
    await bob.close();
    await ann.close();
  }
}

/** CLUSTER_RELAYS_MAX: so many clients go through a node, and the next one is told. */
async function full(cluster: TestCluster): Promise<void> {
  const owner = await JanusClient.connect(cluster.node(0).server.wsUrl);
  await owner.join('crowd', 'owner', WANTS);
  const [, away] = await sorted(cluster, 'crowd');
  if (!away) throw new Error('there is one node');
  await until(
    async () => (await families(away))('janus_sfu_cluster_relayed_connections') === 0,
    'those who were here before have gone',
  );
  const before = (await eventsOf(away))('relay_limit');
  const statuses = await Promise.all(
    Array.from({ length: 27 }, async () => {
      const socket = new WebSocket(`${away.server.wsUrl}/?room=crowd`, 'janus-protocol');
      return new Promise<{ socket: WebSocket; status: number }>((resolve, reject) => {
        socket.on('open', () => resolve({ socket, status: 101 }));
        socket.on('unexpected-response', (_request, { statusCode = 0 }) => resolve({ socket, status: statusCode }));
        socket.on('error', reject);
      });
    }),
  );
  assert.equal(statuses.filter(({ status }) => status === 503).length, 3);
  const create = JSON.stringify({ janus: 'create', transaction: 'one too many' });
  const answer = await fetch(`${away.server.httpUrl}/janus?room=crowd`, { method: 'POST', body: create });
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /CLUSTER_RELAYS_MAX/);
  assert.equal((await eventsOf(away))('relay_limit') - before, 4);
  for (const { socket } of statuses) socket.terminate();
  await owner.close();
}

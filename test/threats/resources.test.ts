/** What clients use up, and what is left for the others (threats.md R2 to R6). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { JanusClient, refusalOf } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

/** Users who join at once, and what of their room's and the server's limits they find. */
async function rush(
  server: RunningServer,
  users: number,
  connections: number,
  roomOf: (index: number) => string,
): Promise<{ refusals: (string | null)[]; leave: () => Promise<void> }> {
  const clients = await Promise.all(Array.from({ length: connections }, () => JanusClient.connect(server.wsUrl)));
  const handles = await Promise.all(
    clients.flatMap((client) =>
      Array.from({ length: users / connections }, async () => ({
        client,
        handle: await client.attach(await client.create()),
      })),
    ),
  );
  const replies = await Promise.all(
    handles.map(({ client, handle }, index) => {
      const body = { kind: 'join', room_id: roomOf(index), user_id: `c${index}`, subscribe: { data: true } };
      return client.message(handle, body);
    }),
  );
  const leave = async () => {
    for (const client of clients) await client.close();
  };
  return { refusals: replies.map(refusalOf), leave };
}

describe('rooms and users', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({
      env: { MAX_ROOM_SIZE: '30', MAX_CCU: '40', BLOCKS_PER_USER: '20', HANDLES_PER_CONNECTION: '10' },
    });
  });
  after(async () => assert.equal(await server.stop(), 0, server.output()));

  test('R6: 200 who join one room at once are the 30 that it may hold, and no more', async () => {
    const { refusals, leave } = await rush(server, 200, 20, () => 'crowd');
    await leave();
    assert.equal(refusals.filter((one) => one === null).length, 30);
    assert.ok(refusals.every((one) => one === null || one === 'Room is full.'));
  });

  test('R6: 200 who join many rooms at once are the 40 that the server may hold', async () => {
    const { refusals, leave } = await rush(server, 200, 20, (index) => `room${index % 50}`);
    await leave();
    assert.equal(refusals.filter((one) => one === null).length, 40);
    assert.ok(refusals.every((one) => one === null || one === 'Server is full.'));
  });

  test('R3: rooms are empty again after everybody left, so that as many can come', async () => {
    for (let round = 0; round < 3; round += 1) {
      const client = await JanusClient.connect(server.wsUrl);
      for (let index = 0; index < 10; index += 1) await client.join('turns', `t${round}-${index}`, { data: true });
      await client.close();
    }
    const client = await JanusClient.connect(server.wsUrl);
    const handle = await client.attach(await client.create());
    // Who left is gone when the next one's reply comes: those before it are not in it.
    const reply = await client.message(handle, { kind: 'join', room_id: 'turns', user_id: 'last' });
    assert.deepEqual(reply.plugindata?.data.response, { users: { turns: [] } });
    await client.close();
  });

  test('R2: blocks are bounded for each user, with a clear refusal (hole f)', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const handle = await client.join('spam', 'spammer', { data: true });
    for (let index = 0; index < 20; index += 1) {
      assert.equal(refusalOf(await client.message(handle, { kind: 'block', whom: `victim${index}` })), null);
    }
    const refused = await client.message(handle, { kind: 'block', whom: 'one more' });
    assert.match(refusalOf(refused) ?? '', /You have blocked 20 users, the most allowed/);
    await client.close();
  });

  test('R6: subscribers count toward no room’s limit, but toward their connection’s (hole f)', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const session = await client.create();
    for (let index = 0; index < 10; index += 1) {
      const handle = await client.attach(session);
      await client.message(handle, { kind: 'join', room_id: 'audience', user_id: `listener${index}` });
    }
    const more = await client.request({ janus: 'attach', session_id: session, plugin: 'janus.plugin.sfu' });
    assert.match(more.error?.reason ?? '', /this connection has 10 handles, the most allowed/);
    await client.close();
  });
});

describe('a server that may open 120 files', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({ files: 120 });
  });
  after(async () => assert.equal(await server.stop(), 0, server.output()));

  test('R5: goes on serving who is there when others take all of them, and takes new clients when these have gone', async () => {
    const client = await JanusClient.connect(server.wsUrl);
    const handle = await client.join('files', 'ann', { data: true });
    const greedy: Socket[] = [];
    let cut = 0;
    for (let index = 0; index < 200; index += 1) {
      const socket = connect(Number(new URL(server.wsUrl).port), '127.0.0.1');
      socket.on('error', () => {}).on('close', () => (cut += 1));
      greedy.push(socket.resume());
      await once(socket, 'connect');
    }
    for (let count = 0; count < 20; count += 1) {
      assert.equal(refusalOf(await client.message(handle, { kind: 'data', body: 'x', whom: 'ann' })), null);
    }
    assert.ok(cut > 50, `${cut} connections were turned away`);
    await Promise.all(greedy.map((socket) => (socket.destroyed ? null : once(socket.destroy(), 'close'))));
    let late: JanusClient | null = null;
    for (let attempts = 0; !late && attempts < 50; attempts += 1) {
      late = await JanusClient.connect(server.wsUrl).catch(() => null);
      await client.settled();
    }
    assert.ok(late, 'nobody gets in any more');
    await late.join('files', 'bob', { data: true });
    await late.close();
    await client.close();
  });
});

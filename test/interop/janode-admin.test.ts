/** The Admin API with unmodified janode in admin mode. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Janode, { type Connection } from 'janode';
import { ADMIN_SECRET } from '../support/admin-client.js';
import { JanusClient } from '../support/janus-client.js';
import { type RunningServer, startServer } from '../support/server.js';

Janode.Logger.setLevel('none');

describe('janode 1.8 as an operator', () => {
  let server: RunningServer;
  let operator: Connection;
  let client: JanusClient;
  const connect = (apisecret: string) =>
    Janode.connect({ is_admin: true, address: { url: server.adminWsUrl ?? '', apisecret } });
  before(async () => {
    server = await startServer({ env: { ADMIN_SECRET } });
    operator = await connect(ADMIN_SECRET);
    client = await JanusClient.connect(server.wsUrl);
  });
  after(async () => {
    await operator.close();
    await client.close();
    assert.equal(await server.stop(), 0, server.output());
  });

  test('finds the sessions, their handles, and what these are', async () => {
    const { session, id } = await client.join('lobby', 'ann', { data: true });
    assert.deepEqual((await operator.listSessions()).sessions, [session]);
    assert.deepEqual((await operator.listHandles(session)).handles, [id]);
    const { handle_id, info } = await operator.handleInfo(session, id);
    assert.equal(handle_id, id);
    assert.equal(info.session_transport, 'janus.transport.websockets');
    assert.deepEqual(info.plugin_specific, {
      room_id: 'lobby',
      user_id: 'ann',
      kind: 'publisher',
      subscribers: 0,
      streams: [],
      errors: [],
    });
    assert.equal((await operator.getInfo()).name, 'Janus WebRTC Server');
  });

  test('is told that there are no captures', async () => {
    const { session, id } = await client.attach(await client.create());
    await assert.rejects(operator.startPcap(session, id, 'captures', 'x.pcap'), /^Error: 490 .*no captures/);
    await assert.rejects(operator.stopPcap(session, id), /^Error: 490 .*no captures/);
  });

  test('is told which session and handle there is not', async () => {
    const session = await client.create();
    await assert.rejects(operator.listHandles(5), /458 No such session 5/);
    await assert.rejects(operator.handleInfo(session, 5), /459 No such handle 5/);
  });

  test('gets nothing with another secret', async () => {
    const stranger = await connect('a guess');
    await assert.rejects(stranger.listSessions(), /403 Unauthorized request/);
    await stranger.close();
  });
});

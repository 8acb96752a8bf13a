/** Tokens that one node bans, stores or removes: all nodes know, also those that come later. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import jwt from 'jsonwebtoken';
import { type Node, TestCluster, until } from '../support/cluster.js';
import { JanusClient, refusalOf } from '../support/janus-client.js';
import { natsMissing } from '../support/nats.js';

const BANNED = 'Rejecting join with banned token!';

describe('the tokens of a cluster', { skip: natsMissing() }, () => {
  test('are banned, stored and removed everywhere, and a node that comes later knows it', {
    timeout: 60_000,
  }, async () => {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const sign = (claims: object) =>
      jwt.sign({ exp: Math.floor(Date.now() / 1000) + 600, ...claims }, keys.privateKey, { algorithm: 'RS512' });
    const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-keys-'));
    const file = path.join(folder, 'public.der');
    writeFileSync(file, keys.publicKey.export({ type: 'pkcs1', format: 'der' }));
    try {
      await TestCluster.open(2, { AUTH_KEY: file, BAN_KICKED_TOKENS: 'true', TOKEN_AUTH: 'true' }, async (cluster) => {
        const [one, two] = [cluster.node(0), cluster.node(1)];
        await one.admin({ janus: 'add_token', token: 'the api’s' });
        await join(two, 'plaza', 'ann', sign({ join_hub: true, sub: 'ann' }), 'the api’s');
        await stored(cluster);
        await banned(cluster, sign);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Who joins: a client that stays, or why it may not. */
async function join(
  { server }: Node,
  room: string,
  user: string,
  token: string,
  api: string,
): Promise<{ client: JanusClient; refusal: string | null }> {
  // Without the room in the address a new room is the node's that is asked.
  const client = await JanusClient.connect(room === 'plaza' ? `${server.wsUrl}/?room=plaza` : server.wsUrl);
  const created = await client.request({ janus: 'create', token: api });
  if (!created.data) return { client, refusal: String(created.error?.code) };
  const session = created.data.id;
  const attached = await client.request({
    janus: 'attach',
    token: api,
    session_id: session,
    plugin: 'janus.plugin.sfu',
  });
  if (!attached.data) return { client, refusal: String(attached.error?.code) };
  const transaction = `join ${user}`;
  const body = { kind: 'join', room_id: room, user_id: user, token, subscribe: { data: true } };
  client.send({ janus: 'message', transaction, token: api, session_id: session, handle_id: attached.data.id, body });
  const event = await client.until(
    (message) => message.janus === 'event' && message.transaction === transaction,
    'join',
  );
  return { client, refusal: refusalOf(event) };
}

async function listed({ admin }: Node): Promise<string[]> {
  const { data } = await admin({ janus: 'list_tokens' });
  return ((data as { tokens: { token: string }[] }).tokens ?? []).map(({ token }) => token).sort();
}

/** Tokens that the Admin API adds. */
async function stored(cluster: TestCluster): Promise<void> {
  const [one, two] = [cluster.node(0), cluster.node(1)];
  for (const token of ['first', 'second', 'third']) await one.admin({ janus: 'add_token', token });
  await until(async () => (await listed(two)).length === 4, 'the other node has them');
  assert.equal((await two.admin({ janus: 'remove_token', token: 'first' })).janus, 'success');
  const plugins = ['janus.plugin.sfu'];
  await two.admin({ janus: 'disallow_token', token: 'second', plugins });
  await until(async () => (await listed(one)).join() === 'the api’s,third', 'what one changes the other knows');
  assert.equal((await one.admin({ janus: 'remove_token', token: 'first' })).janus, 'error', 'it is gone');

  await cluster.nats.stop();
  await one.admin({ janus: 'add_token', token: 'meanwhile' });
  await two.admin({ janus: 'remove_token', token: 'third' });
  assert.deepEqual(await listed(one), ['meanwhile', 'the api’s', 'third'], 'without NATS it works here');
  await cluster.nats.run();
  for (const node of [one, two]) {
    await until(async () => (await listed(node)).join() === 'meanwhile,the api’s', `${node.name} has heard of it`);
  }
}

/** Tokens of users who are kicked. */
async function banned(cluster: TestCluster, sign: (claims: object) => string): Promise<void> {
  const bob = sign({ join_hub: true, sub: 'bob' });
  const inside = await join(cluster.node(0), 'plaza', 'bob', bob, 'the api’s');
  assert.equal(inside.refusal, null);
  const [owner] = await cluster.owners('plaza');
  const other = cluster.nodes.find(({ name }) => name !== owner);
  const kicked = await other?.admin({ janus: 'kick', room_id: 'plaza', user_id: 'bob' });
  assert.equal(kicked?.janus, 'success');
  await inside.client.until((one) => one.janus === 'detached', 'bob is put out');
  // Rooms that are made for this: each is of the node that is asked.
  for (const node of cluster.nodes) {
    await until(async () => {
      const { client, refusal } = await join(node, `room of ${node.name}`, 'bob', bob, 'the api’s');
      await client.close();
      return refusal === BANNED;
    }, `${node.name} refuses his token`);
  }
  const late = await cluster.add();
  await until(async () => (await listed(late)).join() === 'meanwhile,the api’s', 'a new node knows the tokens');
  const { client, refusal } = await join(late, 'late', 'bob', bob, 'the api’s');
  assert.equal(refusal, BANNED, 'and the bans');
  await Promise.all([client.close(), inside.client.close()]);
}

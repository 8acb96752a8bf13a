/** Who does not know the cluster's secret, or has not its certificates, gets nothing and does no harm. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { keyOf } from '../../src/cluster/directory.js';
import { provenOf } from '../../src/cluster/membership.js';
import { NatsLink } from '../../src/cluster/nats.js';
import type { NodeRecord } from '../../src/cluster/node-choice.js';
import { RELAY_HEADER } from '../../src/cluster/relay.js';
import { Seals } from '../../src/cluster/seal.js';
import { logged } from '../support/admin-client.js';
import { issue, makeAuthority, type TestCertificate } from '../support/certificates.js';
import { CLUSTER_SECRET, type Node, TestCluster, until } from '../support/cluster.js';
import { readExposition, sampleOf } from '../support/exposition.js';
import { JanusClient } from '../support/janus-client.js';
import { natsMissing } from '../support/nats.js';
import { startServer } from '../support/server.js';

const OTHER_SECRET = 'the secret of a cluster that is another one';
const NO_TRUST = /nodes of this cluster do not trust each other.*CLUSTER_SECRET, certificates or clocks/;

const urlOf = ({ server }: Node, room: string) => `${server.wsUrl}/?room=${encodeURIComponent(room)}`;

/** Opens a WebSocket. @returns null for one that is taken, else the answer to its handshake */
function refusal(node: Node, room: string): Promise<{ status: number; text: string } | null> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(urlOf(node, room), 'janus-protocol');
    socket.on('open', () => {
      socket.terminate();
      resolve(null);
    });
    socket.on('unexpected-response', async (_request, response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode ?? 0, text });
    });
    socket.on('error', reject);
  });
}

async function refused(node: Node, room: string, what: string): Promise<void> {
  const answer = await refusal(node, room);
  assert.equal(answer?.status, 503, what);
  assert.match(answer?.text ?? '', NO_TRUST, what);
}

async function events({ server }: Node): Promise<(event: string) => number> {
  const families = readExposition(await (await fetch(`${server.httpUrl}/metrics`)).text());
  return (event) => sampleOf(families, 'janus_sfu_cluster_events_total', { event });
}

/** A room of the node that the client comes to, as it says no room; whoever is in it stays until the client is closed. */
async function settle(node: Node, room: string): Promise<JanusClient> {
  const client = await JanusClient.connect(node.server.wsUrl);
  await client.join(room, 'ann', { data: true });
  return client;
}

async function addressOf(node: Node): Promise<{ id: string; address: string }> {
  const nodes = (await node.admin({ janus: 'list_nodes' })).nodes as { id: string; self: boolean; address: string }[];
  const self = nodes.find((one) => one.self);
  if (!self) throw new Error('the node does not list itself');
  return self;
}

/** Asks a node's private port as another node would. */
function ask(address: string, seal: string | null): Promise<number> {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'janus-protocol',
    ...(seal === null ? {} : { [RELAY_HEADER]: seal }),
  };
  return new Promise((resolve, reject) => {
    const asking = request(`http://${address}/?room=plaza`, { headers }, (answer) => resolve(answer.statusCode ?? 0));
    asking.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve(answer.statusCode ?? 0);
    });
    asking.on('error', reject);
    asking.end();
  });
}

describe('the secret of a cluster', { skip: natsMissing() }, () => {
  test('is proved by each request, once, in time, for one node and one address', { timeout: 60_000 }, async () => {
    await TestCluster.open(1, {}, async (cluster) => {
      const node = cluster.node(0);
      const { id, address } = await addressOf(node);
      const client = { from: 'stranger', to: id, address: '203.0.113.9', method: 'GET', url: '/?room=plaza' };
      const seal = (facts: object = {}, secret = CLUSTER_SECRET, shift = 0) =>
        new Seals(secret, () => Date.now() + shift).seal('relay', JSON.stringify({ ...client, ...facts }));
      const good = seal();
      assert.equal(await ask(address, good), 101, 'what a node would send');
      const before = (await events(node))('refused');
      const refusals: [string | null, string][] = [
        [good, 'seen before'],
        [seal({}, OTHER_SECRET), 'another CLUSTER_SECRET'],
        [seal({}, CLUSTER_SECRET, -31_000), 'old, or the clocks differ'],
        [seal({}, CLUSTER_SECRET, 31_000), 'old, or the clocks differ'],
        [seal({ url: '/?room=other' }), 'of another request'],
        [new Seals(CLUSTER_SECRET).seal('command', JSON.stringify(client)), 'another CLUSTER_SECRET'],
        [null, 'no seal'],
      ];
      for (const [index, [given, fault]] of refusals.entries()) {
        assert.equal(await ask(address, given), 403, `${index} ${fault}`);
        await logged(node.server, new RegExp(`refused on the cluster port: no proof of CLUSTER_SECRET.*"${fault}"`));
      }
      assert.equal((await events(node))('refused') - before, refusals.length);
      assert.equal(await ask(address, seal({ to: '0123456789ab' })), 421, 'for another node');
      assert.ok(!node.server.output().includes(CLUSTER_SECRET));
    });
  });

  test('keeps a node with another one apart: it gets no rooms, no clients, and both sides say why', {
    timeout: 60_000,
  }, async () => {
    await TestCluster.open(2, {}, async (cluster) => {
      const here = cluster.node(0);
      const there = await cluster.add({ CLUSTER_SECRET: OTHER_SECRET });
      await cluster.complete();
      for (const [node, other] of [
        [here, there.name],
        [there, here.name],
      ] as const) {
        await logged(node.server, new RegExp(`another CLUSTER_SECRET: nobody is sent there.*node="${other}"`));
      }
      const { nodes } = await here.admin({ janus: 'list_nodes' });
      const trusted = (nodes as { name: string; trusted: boolean }[]).filter((one) => one.trusted);
      assert.deepEqual(
        trusted.map(({ name }) => name),
        ['node1', 'node2'],
      );
      // One room of three would be the stranger's if it were one of them.
      for (let room = 0; room < 12; room += 1) assert.equal(await refusal(here, `room ${room}`), null, `room ${room}`);
      const [ours, theirs] = await Promise.all([settle(here, 'ours'), settle(there, 'theirs')]);
      const known = async (node: Node, room: string) => {
        await until(async () => (await refusal(node, room)) !== null, `${node.name} knows whose ${room} is`);
        await refused(node, room, `${room} at ${node.name}`);
      };
      await Promise.all([known(here, 'theirs'), known(there, 'ours')]);
      assert.ok((await events(here))('relay_untrusted') > 0);
      const families = readExposition(await (await fetch(`${here.server.httpUrl}/metrics`)).text());
      assert.equal(sampleOf(families, 'janus_sfu_cluster_nodes_untrusted'), 1);
      const sessions = (await here.admin({ janus: 'list_sessions' })).sessions as number[];
      assert.equal(sessions.length, 1, 'who does not know the secret is not asked, and not waited for');
      await Promise.all([ours.close(), theirs.close()]);
    });
  });

  test('is what a node must know before it is shown a client, whatever NATS says of it', {
    timeout: 60_000,
  }, async () => {
    const seen: (string | undefined)[] = [];
    const impostor = createServer().on('upgrade', ({ url }, socket) => {
      seen.push(url);
      const forged = new Seals(OTHER_SECRET).seal('relay-answer', 'anybody copied000000');
      const lines = ['Connection: Upgrade', 'Upgrade: websocket', `${RELAY_HEADER}: ${forged}`];
      socket.end(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
    });
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(impostor.address() as AddressInfo).port}`;
    try {
      await TestCluster.open(1, {}, async (cluster) => {
        const tls = { ca: undefined, cert: undefined, key: undefined };
        const settings = { urls: [cluster.nats.url], name: 'impostor', credentials: undefined, tls, replicas: 1 };
        const link = new NatsLink(settings, () => {});
        const nodes = link.bucket({ name: 'janus-sfu_nodes', ttl: 6_000 });
        const rooms = link.bucket({ name: 'janus-sfu_rooms', ttl: 86_400_000 });
        const here = new Promise<void>((resolve) => link.onChange(() => resolve()));
        link.start();
        await here;
        const pretend = async (id: string, proof: string, room: string) => {
          const facts = { load: 0, rooms: 1, clients: 1, draining: false, started: 1, version: '0', unconfirmed: 0 };
          const record: NodeRecord = { ...facts, id, name: id, address, conflicts: 0, proof };
          await nodes.put(id, JSON.stringify(record));
          await rooms.put(keyOf(room), JSON.stringify({ room, node: id, epoch: 1 }));
          await until(async () => (await refusal(cluster.node(0), room)) !== null, `${room} is the impostor’s`);
          await refused(cluster.node(0), room, room);
        };
        try {
          await pretend('unproven0000', 'no proof', 'his');
          assert.deepEqual(seen, [], 'nobody is sent to a node that did not sign its address');
          const id = 'copied000000';
          await pretend(id, new Seals(CLUSTER_SECRET).sign('node', provenOf({ id, address })), 'hers');
          assert.ok(seen.length > 0 && seen.every((url) => url === '/?room=hers'), 'it must prove it once more');
          assert.ok((await events(cluster.node(0)))('relay_unproven') > 0);
          await logged(cluster.node(0).server, /what answers on a node’s cluster port does not know CLUSTER_SECRET/);
        } finally {
          await link.close();
        }
      });
    } finally {
      impostor.closeAllConnections();
      impostor.close();
    }
  });
});

describe('certificates between nodes', { skip: natsMissing() }, () => {
  test('let those of one authority talk, and nobody with another one, an expired one or none', {
    timeout: 90_000,
  }, async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-nodes-'));
    const files = (name: string, { cert, key }: TestCertificate, ca: TestCertificate) => {
      const write = (what: string, text: string) => {
        const file = path.join(folder, `${name}.${what}.pem`);
        writeFileSync(file, text, { mode: 0o600 });
        return file;
      };
      return {
        CLUSTER_TLS_CA: write('ca', ca.cert),
        CLUSTER_TLS_CERT: write('cert', cert),
        CLUSTER_TLS_KEY: write('key', key),
      };
    };
    const unusable = async (env: Record<string, string>, words: RegExp) => {
      const settings = { NATS_URL: 'nats://127.0.0.1:1', CLUSTER_SECRET, CLUSTER_BIND: '127.0.0.1', CLUSTER_PORT: '0' };
      await assert.rejects(startServer({ env: { ...settings, ...env } }), words);
    };
    try {
      const [ours, another] = await Promise.all([makeAuthority('ours'), makeAuthority('another')]);
      const right = files('right', await issue(ours, 'node'), ours);
      const { key } = await issue(ours, 'node');
      await Promise.all([
        unusable({ NATS_CREDENTIALS: '/nowhere' }, /NATS_CREDENTIALS="\/nowhere": the file can not be read \(ENOENT\)/),
        unusable(
          files('unfit', { ...(await issue(ours, 'node')), key }, ours),
          /CLUSTER_TLS_CERT, CLUSTER_TLS_KEY.*can not be used together \(key values mismatch\)/,
        ),
      ]);
      await TestCluster.open(2, right, async (cluster) => {
        const bad = {
          foreign: await cluster.add(files('foreign', await issue(another, 'node'), ours)),
          expired: await cluster.add(files('expired', await issue(ours, 'node', -1), ours)),
          plain: await cluster.add({ CLUSTER_TLS_CA: '', CLUSTER_TLS_CERT: '', CLUSTER_TLS_KEY: '' }),
        };
        await cluster.complete();
        const [one, two] = [cluster.node(0), cluster.node(1)];
        const clients = [await settle(one, 'one’s'), await settle(two, 'two’s')];
        assert.equal(await refusal(one, 'two’s'), null);
        assert.equal(await refusal(two, 'one’s'), null);
        assert.ok((await events(one))('relayed') > 0 && (await events(two))('relayed') > 0, 'they were relayed');
        for (const [what, node] of Object.entries(bad)) clients.push(await settle(node, `${what}’s`));
        const before = (await events(one))('refused');
        const { foreign, expired } = bad;
        await Promise.all([
          refused(one, 'foreign’s', 'a node is not sent clients with a certificate of another authority'),
          refused(one, 'expired’s', 'nor with one that has expired'),
          refused(one, 'plain’s', 'nor without one'),
          refused(foreign, 'one’s', 'a node with a certificate of another authority is refused'),
          refused(expired, 'one’s', 'and one with an expired one'),
          assert.rejects(ask((await addressOf(one)).address, null), /ECONNRESET|hang up/, 'and one without'),
        ]);
        assert.ok((await events(one))('refused') - before >= 3, 'and each is counted');
        for (const fault of ['UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED']) {
          await logged(one.server, new RegExp(`refused on the cluster port: no certificate.*fault="(${fault})"`));
          await logged(one.server, new RegExp(`what answers on a node’s cluster port is not trusted.*"(${fault})"`));
        }
        await logged(one.server, /refused on the cluster port: no certificate.*HTTP_REQUEST/);
        for (const node of [foreign, expired])
          await logged(node.server, /a node ended the connection: it does not take this node’s certificate.*"node1"/);
        await Promise.all(clients.map((client) => client.close()));
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** One node brings a client to another, over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { Complaints } from '../../src/cluster/complaints.js';
import type { NodeRecord } from '../../src/cluster/node-choice.js';
import { Relay } from '../../src/cluster/relay.js';
import { RelayServer } from '../../src/cluster/relay-server.js';
import { Seals } from '../../src/cluster/seal.js';

const SECRET = 'thirty-two characters of a secret';

test('a client that is brought to a node which ends gets no answer from it, and can be brought elsewhere', async () => {
  const log = () => {};
  const complaints = new Complaints(log);
  const there = new RelayServer({
    host: '127.0.0.1',
    port: 0,
    connectionsMax: 10,
    self: 'there',
    seals: new Seals(SECRET),
    tls: null,
    log,
    complaints,
  });
  // As a server that takes no more clients answers.
  there.target = {
    webSocket: (request, socket) => {
      socket.end(`HTTP/1.1 503 Service Unavailable\r\n${there.proofOf(request)}\r\nContent-Length: 0\r\n\r\n`);
    },
    http: () => {},
  };
  const record = { id: 'there', name: 'there', address: `127.0.0.1:${await there.listen()}`, load: 0, rooms: 0 };
  const facts = { clients: 0, unconfirmed: 0, conflicts: 0, draining: false, started: 0, version: '1', proof: '' };
  const node: NodeRecord = { ...record, ...facts };
  const relay = new Relay({ self: 'here', seals: new Seals(SECRET), tls: null, complaints });
  const here = createServer();
  here.listen(0, '127.0.0.1');
  await once(here, 'listening');
  const { port } = here.address() as AddressInfo;
  const bring = async () => {
    const client = connect(port, '127.0.0.1');
    client.write('GET /?room=r HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const [request, socket, head] = await once(here, 'upgrade');
    const outcome = await relay.webSocket(node, request, socket, head, '192.0.2.1');
    const { bytesWritten } = socket;
    socket.destroy();
    client.destroy();
    return { outcome, answered: bytesWritten > 0 };
  };
  try {
    assert.deepEqual(await bring(), { outcome: 'refused', answered: true });
    there.ending = true;
    assert.deepEqual(await bring(), { outcome: 'unreachable', answered: false });
  } finally {
    relay.close();
    there.close();
    here.close();
  }
});

/** A proxy in front: limits hold for its clients one by one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { JanusClient } from '../support/janus-client.js';
import { startServer } from '../support/server.js';

const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });

async function refusal(url: string, address: string): Promise<number> {
  const socket = new WebSocket(url, 'janus-protocol', from(address));
  socket.on('error', () => {});
  const [, response] = await once(socket, 'unexpected-response');
  return response.statusCode;
}

test('clients behind a trusted proxy are counted by their own addresses, over both transports', async () => {
  const server = await startServer({
    env: {
      TRUSTED_PROXIES: '127.0.0.1',
      WS_CONNECTIONS_PER_ADDRESS: '1',
      HTTP_REQUEST_RATE: '1',
      HTTP_REQUEST_BURST: '1',
    },
  });
  const connect = (address: string) => JanusClient.connect(server.wsUrl, 'janus-protocol', from(address));
  const ann = await connect('203.0.113.1');
  const bob = await connect('203.0.113.2');
  assert.equal(await refusal(server.wsUrl, '203.0.113.2'), 503);
  await Promise.all([ann.close(), bob.close()]);
  for (const path of ['/janus/info', '/ice-servers']) {
    const statuses = async (address: (index: number) => string) =>
      (
        await Promise.all(Array.from({ length: 6 }, (_, index) => fetch(server.httpUrl + path, from(address(index)))))
      ).map(({ status }) => status);
    assert.ok((await statuses(() => '203.0.113.3')).includes(429), path);
    assert.deepEqual(await statuses((index) => `198.51.100.${index}`), Array(6).fill(200), path);
  }
  assert.equal(await server.stop(), 0);
});

test('nobody is believed without TRUSTED_PROXIES', async () => {
  const server = await startServer({ env: { WS_CONNECTIONS_PER_ADDRESS: '1' } });
  const ann = await JanusClient.connect(server.wsUrl, 'janus-protocol', from('203.0.113.1'));
  assert.equal(await refusal(server.wsUrl, '203.0.113.2'), 503);
  await ann.close();
  assert.equal(await server.stop(), 0);
});

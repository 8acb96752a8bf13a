/** The Admin API of one server over both of its transports, for the tests of a file. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { ADMIN_SECRET, type Ask, adminOverHttp, adminOverWebSocket, type Reply } from './admin-client.js';
import { JanusClient } from './janus-client.js';
import { usingServer } from './suite.js';

/** The plugin's package, as the Admin API names it. */
export const PLUGIN = 'janus.plugin.sfu';

interface Connected {
  asks: { name: string; ask: Ask }[];
  /** The Admin API's WebSocket. */
  admin: JanusClient;
  /** A client of the Janus API. */
  client: JanusClient;
}

/** Starts a server with two workers that logs all, and connects to it. To be called once, where a file's tests begin. */
export function usingAdmin() {
  let connected: Connected | null = null;
  const here = (): Connected => {
    assert.ok(connected, 'connected from the first test on');
    return connected;
  };
  after(async () => {
    await here().client.close();
    await here().admin.close();
  });
  const suite = usingServer({ env: { ADMIN_SECRET, LOG_LEVEL: 'debug' }, workers: 2 }, async (server) => {
    const { client: admin, ask } = await adminOverWebSocket(server);
    const asks = [
      { name: 'HTTP', ask: adminOverHttp(server) },
      { name: 'WebSocket', ask },
    ];
    connected = { asks, admin, client: await JanusClient.connect(server.wsUrl) };
  });

  /** Asks over each transport; the answers must be the same but for the transaction. */
  async function both(fields: Record<string, unknown>): Promise<Reply> {
    const replies: Reply[] = [];
    for (const { ask } of here().asks) {
      const { transaction, ...reply } = await ask(fields);
      assert.ok(typeof transaction === 'string', JSON.stringify(reply));
      replies.push(reply as Reply);
    }
    assert.deepEqual(replies[0], replies[1]);
    return replies[0] as Reply;
  }

  /** The fields of a success, but `janus`. */
  async function fieldsOf(fields: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { janus, ...rest } = await both(fields);
    assert.equal(janus, 'success', JSON.stringify(rest));
    return rest;
  }

  async function errorOf(fields: Record<string, unknown>): Promise<{ code: number; reason: string }> {
    const { janus, error } = await both(fields);
    assert.equal(janus, 'error');
    assert.ok(error);
    return error;
  }

  return {
    get server() {
      return suite.server;
    },
    get asks() {
      return here().asks;
    },
    get admin() {
      return here().admin;
    },
    get client() {
      return here().client;
    },
    both,
    fieldsOf,
    errorOf,
  };
}

/** What a client may say at its attach: `opaque_id` and `loop_index` (janus-api.md 1.3 and 2). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ClientHandle, JanusClient } from '../support/janus-client.js';
import { chromeOffer } from '../support/sdp-corpus.js';
import { type RunningServer, startServer } from '../support/server.js';

const OFFER = { type: 'offer', sdp: chromeOffer({ lines: ['data', 'audio'], direction: 'sendonly' }) };

async function attach(client: JanusClient, fields: Record<string, unknown>): Promise<ClientHandle> {
  const session = await client.create();
  const reply = await client.request({ janus: 'attach', plugin: 'janus.plugin.sfu', session_id: session, ...fields });
  assert.ok(reply.data, JSON.stringify(reply));
  return { session, id: reply.data.id };
}

describe('an opaque_id', () => {
  for (const [setting, named] of [
    ['true', true],
    ['false', false],
  ] as const) {
    test(`is ${named ? '' : 'not '}in the handle’s events with OPAQUEID_IN_API=${setting}`, async (t) => {
      const server = await startServer({ env: { OPAQUEID_IN_API: setting } });
      t.after(() => server.stop());
      const client = await JanusClient.connect(server.wsUrl);
      const body = (user: string) => ({
        kind: 'join',
        room_id: 'r',
        user_id: user,
        subscribe: { data: true, notifications: true },
      });
      const alice = await attach(client, { opaque_id: 'for the log' });
      const nameless = await attach(client, {});
      await client.message(alice, body('alice'), OFFER);
      await client.message(nameless, body('bob'));
      await client.message(nameless, { kind: 'data', body: 'x' });
      await client.toHandle(alice, { janus: 'hangup' });
      await client.toHandle(alice, { janus: 'detach' });
      await client.until((one) => one.janus === 'detached', 'detached');
      const kinds = new Set<string>();
      for (const message of client.received) {
        const { janus = '', sender } = message;
        const expected = named && sender === alice.id ? 'for the log' : undefined;
        assert.equal(message.opaque_id, expected, JSON.stringify(message));
        if (sender === alice.id) kinds.add(janus);
        const keys = Object.keys(message);
        if (expected) assert.equal(keys.indexOf('opaque_id'), keys.indexOf('sender') + 1, 'it follows the sender');
      }
      assert.deepEqual([...kinds].sort(), ['detached', 'event', 'hangup']);
      await client.close();
    });
  }
});

describe('a loop_index', () => {
  let server: RunningServer;
  let client: JanusClient;
  before(async () => {
    server = await startServer({ workers: 2 });
    client = await JanusClient.connect(server.wsUrl);
  });
  after(async () => {
    await client.close();
    assert.equal(await server.stop(), 0, server.output());
  });

  /** The media port that a new publisher is given: each worker has one. */
  const portFor = async (fields: Record<string, unknown>) => {
    const handle = await attach(client, fields);
    const { jsep } = await client.message(handle, {}, OFFER);
    const port = /^a=candidate:\S+ 1 \S+ \d+ \S+ (\d+) /m.exec(jsep?.sdp ?? '')?.[1];
    await client.request({ janus: 'destroy', session_id: handle.session });
    return Number(port);
  };

  test('brings clients that say the same to the same worker', async () => {
    const ports = new Map<number, Set<number>>();
    for (const index of [0, 1, 2, 3, 1, 0, 0, 0, 1, 1]) {
      const port = await portFor({ loop_index: index });
      ports.set(index % 2, (ports.get(index % 2) ?? new Set()).add(port));
    }
    const [even, odd] = [[...(ports.get(0) ?? [])], [...(ports.get(1) ?? [])]];
    assert.equal(even.length, 1, `${even} for even ones`);
    assert.equal(odd.length, 1, `${odd} for odd ones`);
    assert.notEqual(even[0], odd[0]);
  });

  test('of null or none, or beyond all workers, is no reason to refuse', async () => {
    for (const loop_index of [null, undefined, 12_345]) assert.ok((await portFor({ loop_index })) > 0);
  });
});

/** Messages to the plugin: four users in two rooms say whatever they like; then all of them go. */
import assert from 'node:assert/strict';
import { type ApiClient, newApiClient, newApiServer, turn } from '../../support/api-server.js';
import type { Received } from '../../support/janus-client.js';
import type { Json } from '../../support/janus-model.js';
import type { Random } from '../../support/random.js';
import { chromeOffer } from '../../support/sdp-corpus.js';
import { defineTarget, jsonLines } from './target.js';

const USERS = ['ann', 'bob', 'cleo', '__proto__'];
const ID_BYTES_MAX = 256;
/** Messages of one input. */
const MESSAGES = 60;
const OFFER = chromeOffer({ lines: ['audio', 'video', 'data'] });

/** Neither a secret nor tokens. */
const OPEN = { apiSecret: undefined, tokenAuth: false, tokenSecret: undefined, tokensMax: 10 };

interface Part {
  user: number;
  /** Each user has two handles. */
  handle: number;
  body: Json;
  /** Beside an offer. */
  offers?: true;
}

const ODD: Json[] = [
  ...[null, true, false, 0, -1, 0.5, 2 ** 60, '', '7', [], {}, ['ann'], { ann: 1 }, '__proto__', 'constructor'],
  ...['toString', '\ud800', '\0', 'x'.repeat(257), 'é'.repeat(129), '%s%n', 'a\r\nb', { __proto__: null }],
];
const KINDS = ['join', 'subscribe', 'kick', 'block', 'unblock', 'data'];

function body(random: Random): Json {
  const odd = (value: Json): Json => (random.once(12) ? random.pick(ODD) : value);
  const user = () => odd(random.pick([...USERS, 'nobody']));
  const room = () => odd(random.pick(['lobby', 'hasOwnProperty']));
  const flags = () => odd(random.pick<Json>([true, false, null]));
  const wants = () =>
    odd({ notifications: flags(), data: flags(), talking: flags(), ...(random.once(2) ? { media: user() } : {}) });
  const fields: Record<string, () => { [key: string]: Json }> = {
    join: () => ({ room_id: room(), user_id: user(), ...(random.once(4) ? {} : { subscribe: wants() }) }),
    subscribe: () => ({ what: wants() }),
    kick: () => ({ room_id: room(), user_id: user(), token: odd('a.b.c') }),
    block: () => ({ whom: user() }),
    unblock: () => ({ whom: user() }),
    data: () => ({ body: odd('hello'), ...(random.once(2) ? { whom: user() } : {}) }),
  };
  if (random.once(25)) return random.pick(ODD);
  const kind = random.pick(KINDS);
  const message: { [key: string]: Json } = { kind: odd(kind), ...fields[kind]?.() };
  if (random.once(15)) delete message[random.pick(Object.keys(message))];
  if (random.once(15)) message[random.pick(['extra', 'constructor', 'jsep', ''])] = random.pick(ODD);
  return message;
}

const isId = (value: unknown): boolean => typeof value === 'string' && Buffer.byteLength(value) <= ID_BYTES_MAX;
const isFlag = (value: unknown): boolean => value === undefined || value === null || typeof value === 'boolean';
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => value === undefined || value === null || typeof value === 'string';
const isWish = (value: unknown): boolean =>
  isObject(value) &&
  [value.notifications, value.data, value.talking].every(isFlag) &&
  (value.media === undefined || value.media === null || isId(value.media));

/** Whether signalling-api.md knows the message: a second reading of it, which the plugin's is held against. */
function isMessage(body: unknown): boolean {
  if (!isObject(body)) return false;
  if (Object.keys(body).length === 0) return true;
  switch (body.kind) {
    case 'join': {
      const wish = body.subscribe;
      return isId(body.room_id) && isId(body.user_id) && isText(body.token) && (wish == null || isWish(wish));
    }
    case 'subscribe':
      return isWish(body.what) && isText(body.token);
    case 'kick':
      return isId(body.room_id) && isId(body.user_id) && isText(body.token);
    case 'block':
    case 'unblock':
      return isId(body.whom);
    case 'data':
      return typeof body.body === 'string' && (body.whom == null || isId(body.whom));
    default:
      return false;
  }
}

async function run(parts: Part[]): Promise<number> {
  const { api, switchboard, attendance, presence } = newApiServer(OPEN);
  let transactions = 0;
  const ask = async (client: ApiClient, fields: { [key: string]: Json }): Promise<Received> => {
    const replies: Received[] = [];
    transactions += 1;
    api.request(client, { transaction: `t${transactions}`, ...fields }, (reply) => {
      replies.push(JSON.parse(JSON.stringify(reply)));
    });
    for (let turns = 0; turns < 3 || (replies.length === 0 && turns < 1000); turns += 1) await turn();
    assert.equal(replies.length, 1, `${replies.length} replies to ${JSON.stringify(fields)}`);
    return replies[0] ?? {};
  };
  const users = await Promise.all(
    USERS.map(async (name, index) => {
      const client = newApiClient(name, index);
      const { data } = await ask(client, { janus: 'create' });
      const session_id = data?.id ?? 0;
      const handles: number[] = [];
      for (let i = 0; i < 2; i++) {
        const attached = await ask(client, { janus: 'attach', plugin: 'janus.plugin.sfu', session_id });
        handles.push(attached.data?.id ?? 0);
      }
      return { client, session_id, handles };
    }),
  );
  for (const { user, handle, body, offers } of parts) {
    const { client, session_id, handles } = users[user % users.length] ?? assert.fail();
    const before = client.events.length;
    const address = { session_id, handle_id: handles[handle % handles.length] ?? 0 };
    const jsep = offers && { jsep: { type: 'offer', sdp: OFFER } };
    const reply = await ask(client, { janus: 'message', ...address, body, ...jsep });
    if (!isObject(body)) {
      assert.equal(reply.error?.code, 467, JSON.stringify(body));
      continue;
    }
    assert.equal(reply.janus, 'ack', JSON.stringify(reply));
    const mine = () => client.events.slice(before).filter(({ transaction }) => transaction === reply.transaction);
    for (let turns = 0; turns < 5 || (mine().length === 0 && turns < 1000); turns += 1) await turn();
    assert.equal(mine().length, 1, `${mine().length} events answer ${JSON.stringify(body)}`);
    const data = mine()[0]?.plugindata?.data ?? {};
    const text = JSON.stringify(data);
    assert.ok(data.success === true || data.success === false, text);
    assert.ok(isMessage(body) || data.success === false, `${text} answers ${JSON.stringify(body)}`);
    assert.ok(data.success === true || text.length < 600, text);
  }
  for (const { client, session_id } of users) await ask(client, { janus: 'destroy', session_id });
  for (let turns = 0; turns < 5; turns += 1) await turn();
  assert.deepEqual(switchboard.size, { members: 0, rooms: 0, users: 0 });
  assert.deepEqual(presence.size, { users: 0, rooms: 0 });
  assert.equal(attendance.size, 0);
  assert.equal(Object.getOwnPropertyNames(Object.prototype).length, PROTOTYPE);
  return parts.length;
}

const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype).length;

export const messageTarget = defineTarget<Part>({
  ...jsonLines<Part>(),
  name: 'message',
  unit: 'messages',
  promise:
    'Every message gets one ack and one event that says success or why not, success only where the API knows the message; when all have gone, no room and no user is left.',
  make: (random) =>
    Array.from({ length: MESSAGES }, () => ({
      user: random.below(USERS.length),
      handle: random.below(2),
      body: body(random),
      ...(random.once(8) && { offers: true as const }),
    })),
  run,
});

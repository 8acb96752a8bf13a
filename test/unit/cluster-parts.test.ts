/** What nodes of a cluster know and prove, without NATS. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import type { Entry } from '../../src/cluster/bucket.js';
import { keyOf } from '../../src/cluster/directory.js';
import { LIFTED_MAX, REMOVALS_MAX } from '../../src/cluster/lifted-blocks.js';
import { HEARTBEAT, Membership, NODE_TTL, readNodeRecord } from '../../src/cluster/membership.js';
import type { NodeRecord } from '../../src/cluster/node-choice.js';
import { Seals } from '../../src/cluster/seal.js';
import { SharedBans } from '../../src/cluster/shared-bans.js';
import { type SharedBlock, SharedBlocks } from '../../src/cluster/shared-blocks.js';
import { SharedTokens } from '../../src/cluster/shared-tokens.js';
import { Visitors } from '../../src/cluster/visitors.js';
import { MemoryBanStore } from '../../src/sfu/ban-store.js';
import { Bans, tokenDigest } from '../../src/sfu/bans.js';
import { MemoryBlockStore } from '../../src/sfu/block-store.js';

const SECRET = 'thirty-two characters of a secret';

describe('a seal between nodes', () => {
  test('opens once, for its purpose, within half a minute, with the same secret, as it was made', () => {
    let now = 1_000_000;
    const make = (secret = SECRET) => new Seals(secret, () => now);
    const here = make();
    const there = make();
    const sealed = here.seal('relay', 'a text: ü.');
    assert.equal(there.open('command', sealed), null);
    assert.equal(make('another secret of the same length').open('relay', sealed), null);
    const [time, nonce, mac, body] = sealed.split('.');
    for (const forged of [
      '',
      'no seal',
      `${sealed}.more`,
      `${Number(time) + 1}.${nonce}.${mac}.${body}`,
      `${time}.${nonce}.${mac}.${body}AA`,
      `${time}.${nonce}..${body}`,
    ]) {
      assert.equal(there.open('relay', forged), null, forged);
    }
    assert.equal(there.open('relay', sealed), 'a text: ü.');
    assert.equal(there.open('relay', sealed), null, 'twice');
    const old = here.seal('relay', 'old');
    now += 30_001;
    assert.equal(there.open('relay', old), null);
  });
});

function node(id: string, facts: Partial<NodeRecord> = {}): NodeRecord {
  const record = { id: id.padEnd(12, '0'), name: id, address: `${id}:1`, load: 0, rooms: 0, clients: 0 };
  const rest = { draining: false, started: 0, version: '1', unconfirmed: 0, conflicts: 0, proof: '' };
  return { ...record, ...rest, ...facts };
}

describe('the nodes of a cluster', () => {
  const [self, other] = [node('self'), node('other')];
  /** This node's own record comes back every two seconds, as long as NATS is there. */
  function listen(nodes: Membership, from: number, until: number): void {
    for (let now = from; now <= until; now += HEARTBEAT) nodes.hear(self, now, now);
  }

  test('count as dead after their silence, but not while NATS is away or has just come back', () => {
    const nodes = new Membership(self.id);
    nodes.back(0);
    nodes.hear(other, 1, 0);
    listen(nodes, 0, NODE_TTL - 1);
    assert.ok(nodes.alive(other.id, NODE_TTL - 1) && !nodes.alive(other.id, NODE_TTL));
    nodes.hear(other, 2, 10_000);
    nodes.lost(11_000);
    assert.ok(nodes.alive(other.id, 1e9), 'nobody is heard of without NATS');
    nodes.back(2e9);
    nodes.hear(other, 2, 2e9);
    listen(nodes, 2e9, 2e9 + NODE_TTL - 1);
    assert.ok(nodes.alive(other.id, 2e9 + NODE_TTL - 1), 'has as long as ever after NATS is back');
    assert.ok(!nodes.alive(other.id, 2e9 + NODE_TTL), 'what NATS had of before is no sign of life');
    assert.ok(nodes.alive(self.id, 3e9));
  });

  test('live on while NATS is silent, and once it is away until they can not be reached', () => {
    const nodes = new Membership(self.id);
    nodes.back(0);
    listen(nodes, 0, 10_000);
    nodes.hear(other, 1, 10_000);
    assert.ok(nodes.alive(other.id, 1e9), 'a link that swallows everything, or a process that stood still');
    nodes.hear(self, 1e9, 1e9);
    assert.ok(nodes.alive(other.id, 1e9), 'the first that is heard after that is of this node');
    nodes.unreachable(other.id);
    assert.ok(nodes.alive(other.id, 1e9), 'NATS knows better');
    nodes.lost(1e9);
    nodes.unreachable(other.id);
    assert.ok(!nodes.alive(other.id, 1e9), 'then nothing else can be known');
    nodes.back(2e9);
    nodes.hear(other, 1, 2e9);
    assert.ok(!nodes.alive(other.id, 2e9), 'told again');
    nodes.hear(other, 3, 2e9);
    assert.ok(nodes.alive(other.id, 2e9));
  });

  test('are replaced by a newer process at the same address, and are read with care', () => {
    const [old, fresh] = [node('old', { address: 'a:1', started: 1 }), node('new', { address: 'a:1', started: 2 })];
    const nodes = new Membership('self');
    nodes.back(0);
    for (const [revision, record] of [old, fresh, old].entries()) nodes.hear(record, revision, 0);
    assert.deepEqual(
      nodes.living(0).map(({ name }) => name),
      ['new'],
    );
    assert.deepEqual(readNodeRecord(JSON.stringify(fresh)), fresh);
    for (const text of ['', '{}', '[]', JSON.stringify({ ...fresh, id: '../..' })]) {
      assert.equal(readNodeRecord(text), null, text);
    }
  });
});

describe('a client that comes back', () => {
  const handshake = (cookie?: string) => ({ headers: cookie === undefined ? {} : { cookie } }) as IncomingMessage;

  test('is recognized by its cookie, and one without cookies is not sent away twice', async () => {
    const kept = new Map<string, string>();
    const bucket = {
      get: async (key: string): Promise<Entry | null> => {
        const text = kept.get(key);
        return text === undefined ? null : { key, text, revision: 1, deleted: false };
      },
      put: async (key: string, text: string) => kept.set(key, text).size,
    };
    const visitors = new Visitors('lax', bucket);
    const first = handshake();
    const visitor = visitors.visitor(first);
    assert.ok(visitor && !visitor.known);
    const [, cookie = ''] =
      /^Set-Cookie: (janus_sfu=[\w-]{22});.*HttpOnly; SameSite=Lax$/.exec(visitors.cookie(first) ?? '') ?? [];
    assert.ok(await visitors.remember(visitor, 'the room', 'ann'));
    const again = handshake(`other=1; ${cookie}`);
    assert.equal(await visitors.roomOf(again), 'the room');
    assert.equal(visitors.cookie(again), null);
    const forgetful = visitors.visitor(handshake());
    assert.equal(forgetful && (await visitors.remember(forgetful, 'the room', 'ann')), false);
    for (const bad of ['janus_sfu=short', 'janus_sfu=', `janus_sfu=${'x'.repeat(9_000)}`]) {
      assert.equal(visitors.visitor(handshake(bad))?.known, false);
    }
  });
});

/** The shared blocks of a node, and a bucket of NATS that does what the test wants of it. */
function sharedBlocks() {
  const nats = {
    fails: false,
    answers: true,
    entries: {} as Record<string, string>,
    removed: [] as [string, number][],
  };
  const told: SharedBlock[] = [];
  let listener: { entry(entry: Entry): void; complete(): void } | null = null;
  const parts = {
    self: 'here',
    local: new MemoryBlockStore(),
    log: () => {},
    changed: (block: SharedBlock) => void told.push(block),
  };
  const blocks = new SharedBlocks(parts, (given) => {
    listener = given;
    const put = async (key: string, text: string) => {
      if (nats.fails) throw new Error('NATS is away');
      nats.entries[key] = text;
      if (!nats.answers) throw new Error('NATS did not answer');
      return 1;
    };
    const remove = async (key: string, revision: number) => {
      if (nats.fails) throw new Error('NATS is away');
      nats.removed.push([key, revision]);
      return true;
    };
    return { put, create: put, remove };
  });
  const tell = () => {
    for (const [key, text] of Object.entries(nats.entries)) listener?.entry({ key, text, revision: 1, deleted: false });
    listener?.complete();
  };
  let revision = 0;
  /** Another node's change of a pair. @returns its key */
  const hear = (blocked: string, active: boolean): string => {
    revision += 1;
    const key = keyOf('eve', blocked);
    const text = JSON.stringify({ blocker: 'eve', blocked, active, node: 'there', serial: revision });
    listener?.entry({ key, text, revision, deleted: false });
    return key;
  };
  return { blocks, nats, told, tell, hear };
}

describe('the blocks of all nodes', () => {
  test('are taken over when NATS is back, told of once, and passed on if they were made meanwhile', async () => {
    const { blocks, nats, told, tell } = sharedBlocks();
    nats.fails = true;
    await blocks.put('ann', 'bob');
    assert.equal(blocks.waiting, 1);
    assert.deepEqual(blocks.blockedBy('ann'), ['bob']);
    nats.fails = false;
    tell();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(blocks.waiting, 0);
    const [key = '', text = ''] = Object.entries(nats.entries)[0] ?? [];
    nats.entries[key] = JSON.stringify({ ...JSON.parse(text), active: false, node: 'there' });
    blocks.lost();
    for (let times = 0; times < 2; times += 1) tell();
    assert.deepEqual(told, [{ blocker: 'ann', blocked: 'bob', active: false, node: 'there', serial: 1 }]);
    assert.deepEqual(blocks.blockedBy('ann'), []);
  });

  test('are offered again where NATS did not take them in time, and hinder no later change where it did', async () => {
    const { blocks, nats, told, tell } = sharedBlocks();
    tell();
    nats.fails = true;
    await blocks.put('ann', 'bob');
    assert.deepEqual([blocks.waiting, nats.entries], [1, {}]);
    nats.fails = false;
    blocks.sweep();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([blocks.waiting, Object.keys(nats.entries).length], [0, 1]);

    nats.answers = false;
    await blocks.put('ann', 'cyd');
    assert.equal(blocks.waiting, 1, 'NATS has it, but did not say so');
    tell();
    assert.equal(blocks.waiting, 0, 'the watch shows it');
    const [key = '', text = ''] = Object.entries(nats.entries)[1] ?? [];
    nats.entries[key] = JSON.stringify({ ...JSON.parse(text), active: false, node: 'there', serial: 9 });
    tell();
    assert.deepEqual(
      told.map(({ blocked, active }) => [blocked, active]),
      [['cyd', false]],
    );
  });
});

describe('lifted blocks in NATS', () => {
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test('are removed from the oldest on when they are too many, some at a time, but never what is blocked again', async () => {
    const { blocks, nats, tell, hear } = sharedBlocks();
    const keys = Array.from({ length: LIFTED_MAX }, (_, index) => hear(`user ${index}`, false));
    tell();
    blocks.sweep();
    await settled();
    assert.equal(nats.removed.length, 0, 'as many as may be');

    hear('user 0', true);
    hear('user 1', true);
    const again = LIFTED_MAX + 3;
    hear('user 1', false);
    for (let more = 0; more <= REMOVALS_MAX + 1; more += 1) hear(`another ${more}`, false);
    const expected = keys.slice(2, REMOVALS_MAX + 3).map((key, index) => [key, index + 3]);
    assert.equal(blocks.lifted.size, LIFTED_MAX + REMOVALS_MAX + 1);
    blocks.sweep();
    blocks.sweep();
    await settled();
    assert.deepEqual(nats.removed, expected.slice(0, REMOVALS_MAX));
    blocks.sweep();
    await settled();
    assert.deepEqual(nats.removed, expected);
    blocks.sweep();
    await settled();
    assert.equal(nats.removed.length, REMOVALS_MAX + 1);
    assert.deepEqual(blocks.lifted.counters, { removed: REMOVALS_MAX + 1, failed: 0 });
    assert.ok(!nats.removed.some(([, revision]) => revision === 1 || revision === 2 || revision >= again));
  });

  test('are tried again where NATS did not remove them, and told of anew by a NATS that was away', async () => {
    const { blocks, nats, tell, hear } = sharedBlocks();
    const [oldest = ''] = Array.from({ length: LIFTED_MAX + 1 }, (_, index) => hear(`user ${index}`, false));
    tell();
    nats.fails = true;
    blocks.sweep();
    await settled();
    assert.deepEqual([nats.removed, blocks.lifted.counters], [[], { removed: 0, failed: 1 }]);
    nats.fails = false;
    blocks.sweep();
    await settled();
    assert.deepEqual([nats.removed, blocks.lifted.counters], [[[oldest, 1]], { removed: 1, failed: 1 }]);
    blocks.lost();
    assert.equal(blocks.lifted.size, 0);
  });
});

describe('the bans of all nodes', () => {
  test('are offered anew to a NATS that has lost them, and leave it when their tokens expire', async () => {
    const kept = { token: tokenDigest('kept'), expires: 2_000 };
    const known = { token: tokenDigest('known'), expires: 2_000 };
    const over = { token: tokenDigest('over'), expires: 900 };
    const bans = new Bans(new MemoryBanStore(), 10, () => 1_000);
    for (const ban of [kept, known]) await bans.learn(ban);
    const said: string[] = [];
    let listener: { entry(entry: Entry): void; complete(keys: ReadonlySet<string>): void } | null = null;
    new SharedBans(bans, (given) => {
      listener = given;
      return {
        put: async (key: string) => said.push(`put ${key}`),
        delete: async (key: string) => said.push(`delete ${key}`) > 0,
      };
    });
    const told = listener as { entry(entry: Entry): void; complete(keys: ReadonlySet<string>): void } | null;
    for (const ban of [known, over]) {
      told?.entry({ key: ban.token, text: JSON.stringify(ban), revision: 1, deleted: false });
    }
    told?.complete(new Set([known.token, over.token]));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(said, [`delete ${over.token}`, `put ${kept.token}`]);
    assert.deepEqual([bans.has(known.token), bans.has(over.token)], [true, false]);
  });
});

describe('the stored tokens of all nodes', () => {
  test('are hidden from NATS, believed of nobody else, and offered anew to a NATS that has lost them', async () => {
    interface Node {
      change(token: string, plugins: string[] | null): Promise<void>;
      listener: { entry(entry: Entry): void; complete(keys: ReadonlySet<string>): void };
      tokens: Map<string, string[]>;
    }
    const entries = new Map<string, string | null>();
    const node = (secret = SECRET): Node => {
      const tokens = new Map<string, string[]>();
      const made: Partial<Node> = { tokens };
      const store = {
        onChange: (listener: Node['change']) => {
          made.change = listener;
        },
        learn: (token: string, plugins: string[] | null) =>
          void (plugins ? tokens.set(token, plugins) : tokens.delete(token)),
      };
      new SharedTokens(secret, store, (listener) => {
        made.listener = listener;
        return {
          put: async (key: string, text: string) => entries.set(key, text).size,
          delete: async (key: string) => entries.set(key, null).size > 0,
        };
      });
      return made as Node;
    };
    const tell = ({ listener }: Node) => {
      for (const [key, text] of entries) listener.entry({ key, text: text ?? '', revision: 1, deleted: text === null });
      listener.complete(new Set([...entries].filter(([, text]) => text !== null).map(([key]) => key)));
    };
    const [one, two, stranger] = [node(), node(), node('another secret, of another cluster')];
    await one.change('guest', ['sfu']);
    await one.change('gone', ['sfu']);
    for (const each of [one, two, stranger]) tell(each);
    assert.deepEqual(
      [...two.tokens],
      [
        ['guest', ['sfu']],
        ['gone', ['sfu']],
      ],
    );
    assert.deepEqual([...stranger.tokens], []);
    assert.doesNotMatch(JSON.stringify([...entries]), /guest|gone|sfu/);
    await one.change('gone', null);
    tell(two);
    assert.deepEqual([...two.tokens.keys()], ['guest'], 'what was removed is gone');
    const [[first = '', text = ''] = []] = [...entries].filter(([, sealed]) => sealed !== null);
    two.listener.entry({ key: 'moved', text: text ?? '', revision: 2, deleted: false });
    assert.equal(two.tokens.size, 1);
    entries.clear();
    tell(two);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([...entries.keys()], [first], 'what was lost is there again');
    assert.deepEqual([...two.tokens.keys()], ['guest']);
  });
});

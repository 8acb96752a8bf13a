import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { claimStep, type HeldRoom, holdStep, type LeaseView, type RoomLease } from '../../src/cluster/lease.js';
import { LeaseCluster, type SimulatedNode } from '../support/lease-cluster.js';

const ROOMS = ['a', 'b'];
/** Writes that one claim may need: each failure means that somebody else was quicker. */
const ATTEMPTS_MAX = 8;

const lease = (node: string, revision = 7, epoch = 3): RoomLease => ({ room: 'r', node, epoch, revision });
const held = (revision: number | null = 7, epoch = 3): HeldRoom => ({ room: 'r', epoch, revision });

function view(fields: Partial<LeaseView> = {}): LeaseView {
  return {
    self: 'me',
    linked: true,
    draining: false,
    alive: (node) => node !== 'dead',
    lease: null,
    held: null,
    ...fields,
  };
}

describe('who serves a room that a client asks for', () => {
  const cases: [string, Partial<LeaseView>, ReturnType<typeof claimStep>][] = [
    ['creates a record where there is none', {}, { do: 'create', record: { room: 'r', node: 'me', epoch: 1 } }],
    ['sends to a living owner', { lease: lease('other') }, { do: 'send', node: 'other' }],
    [
      'takes over from a dead owner, one epoch on',
      { lease: lease('dead') },
      { do: 'take', record: { room: 'r', node: 'me', epoch: 4 }, revision: 7 },
    ],
    ['serves what it holds', { lease: lease('me'), held: held() }, { do: 'serve' }],
    [
      'serves what it holds while the directory is away',
      { linked: false, lease: lease('me'), held: held() },
      { do: 'serve' },
    ],
    [
      'writes its own record again, which a release on its way would take',
      { lease: lease('me') },
      { do: 'take', record: { room: 'r', node: 'me', epoch: 3 }, revision: 7 },
    ],
    ['marks what it serves without a directory', { linked: false }, { do: 'serve-unconfirmed', epoch: 1 }],
    [
      'sends to an owner that it knows, also without a directory',
      { linked: false, lease: lease('other') },
      { do: 'send', node: 'other' },
    ],
    [
      'serves for a dead owner without a directory, marked',
      { linked: false, lease: lease('dead') },
      { do: 'serve-unconfirmed', epoch: 4 },
    ],
    ['sends elsewhere while it drains', { draining: true }, { do: 'place-elsewhere' }],
    ['takes over nothing while it drains', { draining: true, lease: lease('dead') }, { do: 'place-elsewhere' }],
    [
      'goes on with what it holds while it drains',
      { draining: true, lease: lease('me'), held: held() },
      { do: 'serve' },
    ],
    [
      'trusts its own write more than news that are older',
      { lease: lease('other', 5), held: held(7) },
      { do: 'serve' },
    ],
    [
      'confirms what was served without a directory',
      { held: held(null) },
      { do: 'create', record: { room: 'r', node: 'me', epoch: 3 } },
    ],
  ];
  for (const [name, fields, expected] of cases)
    test(name, () => assert.deepEqual(claimStep('r', view(fields)), expected));
});

describe('a room that is served here', () => {
  const cases: [string, Partial<LeaseView> & { held: HeldRoom }, ReturnType<typeof holdStep>][] = [
    ['is kept while the record is ours', { lease: lease('me'), held: held() }, { do: 'keep' }],
    ['is kept while the directory is away', { linked: false, lease: lease('other', 9), held: held() }, { do: 'keep' }],
    ['is kept where the news are older than our write', { lease: lease('other', 5), held: held() }, { do: 'keep' }],
    [
      'is held by the record’s revision',
      { lease: lease('me', 9), held: held() },
      { do: 'adopt', revision: 9, epoch: 3 },
    ],
    ['is yielded to a living owner', { lease: lease('other', 9), held: held() }, { do: 'yield', node: 'other' }],
    [
      'is yielded if it was never confirmed',
      { lease: lease('other', 9), held: held(null) },
      { do: 'yield', node: 'other' },
    ],
    [
      'is taken back from an owner that died',
      { lease: lease('dead', 9, 4), held: held() },
      { do: 'take', record: { room: 'r', node: 'me', epoch: 5 }, revision: 9 },
    ],
    [
      'is written where there is no record',
      { held: held(null) },
      { do: 'create', record: { room: 'r', node: 'me', epoch: 3 } },
    ],
  ];
  for (const [name, fields, expected] of cases)
    test(name, () => assert.deepEqual(holdStep({ ...view(fields), held: fields.held }), expected));
});

/** One thing that happens, to be chosen at random. */
type Happening = (cluster: LeaseCluster) => void;

const living = (cluster: LeaseCluster, choice: number): SimulatedNode | undefined =>
  cluster.living[choice % Math.max(1, cluster.living.length)];

const happenings: fc.Arbitrary<{ name: string; run: Happening }> = (() => {
  const choice = fc.nat({ max: 1_000 });
  const room = fc.constantFrom(...ROOMS);
  const at = (name: string, act: (cluster: LeaseCluster, node: SimulatedNode, room: string, other: number) => void) =>
    fc.tuple(choice, room, choice).map(([node, name_, other]) => ({
      name: `${name} ${node} ${name_} ${other}`,
      run: (cluster: LeaseCluster) => {
        const chosen = living(cluster, node);
        if (chosen) act(cluster, chosen, name_, other);
      },
    }));
  return fc.oneof(
    {
      weight: 6,
      arbitrary: at('claim', (cluster, node, name) => {
        if (node.claims.get(name)?.answer) node.claims.delete(name);
        cluster.claim(node, name);
      }),
    },
    { weight: 12, arbitrary: at('deliver', (cluster, _node, _room, other) => cluster.deliver(other)) },
    { weight: 10, arbitrary: at('hear', (cluster, node) => cluster.hear(node)) },
    { weight: 6, arbitrary: at('settle', (cluster, node, name) => cluster.settle(node, name)) },
    { weight: 2, arbitrary: at('release', (cluster, node, name) => cluster.release(node, name)) },
    {
      weight: 1,
      arbitrary: at('crash', (cluster, node) => {
        cluster.crash(node);
        cluster.start();
      }),
    },
    { weight: 1, arbitrary: at('cut', (cluster, node) => cluster.cut(node)) },
    {
      weight: 1,
      arbitrary: at('notice', (_cluster, node) => {
        node.linked = node.connected;
      }),
    },
    { weight: 2, arbitrary: at('heal', (cluster, node) => cluster.heal(node)) },
    {
      weight: 3,
      arbitrary: at('doubt', (cluster, node, _room, other) => {
        const doubted = cluster.nodes[other % cluster.nodes.length];
        if (!doubted) return;
        if (!node.believedDead.delete(doubted.id)) node.believedDead.add(doubted.id);
      }),
    },
    {
      weight: 1,
      arbitrary: at('drain', (_cluster, node) => {
        node.draining = !node.draining;
      }),
    },
  );
})();

function assertOneOwner(cluster: LeaseCluster): void {
  for (const room of ROOMS) {
    const owners = cluster.owners(room);
    assert.ok(
      owners.length <= 1,
      `${owners.map(({ id }) => id).join(', ')} own ${room} by revision ${cluster.directory.get(room)?.revision}`,
    );
    const [owner] = owners;
    if (owner) assert.equal(cluster.directory.get(room)?.node, owner.id);
  }
}

/** All links are up, everybody knows who lives, and all messages come through. */
function calm(cluster: LeaseCluster): void {
  const dead = cluster.nodes.filter(({ alive }) => !alive).map(({ id }) => id);
  for (const node of cluster.living) {
    cluster.heal(node);
    node.draining = false;
    node.believedDead.clear();
    for (const id of dead) node.believedDead.add(id);
  }
  for (let round = 0; round < 20; round++) {
    while (cluster.operations.length > 0) {
      cluster.deliver(0);
      assertOneOwner(cluster);
    }
    for (const node of cluster.living) {
      while (node.news.length > 0) cluster.hear(node);
      for (const room of ROOMS) cluster.settle(node, room);
    }
  }
}

describe('leases in any order of events', () => {
  test('have never two owners, and when it is calm every room that is served has exactly one', () => {
    fc.assert(
      fc.property(fc.array(happenings, { minLength: 20, maxLength: 120 }), (events) => {
        const cluster = new LeaseCluster();
        for (let count = 0; count < 3; count++) cluster.start();
        for (const { run } of events) {
          run(cluster);
          assertOneOwner(cluster);
        }
        calm(cluster);
        for (const room of ROOMS) {
          const serving = cluster.living.filter((node) => node.held.has(room));
          assert.deepEqual(serving, cluster.owners(room), `those who serve ${room} own it`);
        }
      }),
      { numRuns: 3_000, seed: 20_261_122 },
    );
  });

  test('let every client in within a few writes, once it is calm', () => {
    fc.assert(
      fc.property(
        fc.array(happenings, { maxLength: 80 }),
        fc.infiniteStream(fc.nat({ max: 1_000 })),
        (events, order) => {
          const cluster = new LeaseCluster();
          for (let count = 0; count < 3; count++) cluster.start();
          for (const { run } of events) run(cluster);
          calm(cluster);
          for (const node of cluster.living) {
            node.claims.clear();
            cluster.claim(node, 'a');
          }
          // Whatever order the answers come in.
          while (cluster.operations.length > 0) {
            cluster.deliver(order.next().value);
            assertOneOwner(cluster);
          }
          const answers = cluster.living.map((node) => node.claims.get('a'));
          for (const answer of answers)
            assert.ok(answer?.answer && answer.attempts <= ATTEMPTS_MAX, JSON.stringify(answer));
          assert.equal(answers.filter((answer) => answer?.answer === 'serve').length, 1);
          assert.equal(cluster.owners('a').length, 1);
        },
      ),
      { numRuns: 2_000, seed: 20_261_122 },
    );
  });
});

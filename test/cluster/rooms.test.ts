/** Rooms over three nodes: whoever comes by whatever node meets those of its room. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { type Node, TestCluster } from '../support/cluster.js';
import { JanusClient, refusalOf } from '../support/janus-client.js';
import { allSee, CookieJar, NafLike } from '../support/naf-like.js';
import { natsMissing } from '../support/nats.js';

after(releaseNative);

const skip = natsMissing();

function six(
  cluster: TestCluster,
  label: string,
  how: (at: Node) => Partial<ConstructorParameters<typeof NafLike>[0]>,
) {
  return Array.from({ length: 6 }, (_, index) => {
    const node = cluster.node(index);
    return new NafLike({
      url: () => node.server.wsUrl,
      room: `${label} ${index % 2}`,
      id: `${label}-${index}`,
      ...how(node),
    });
  });
}

async function meet(cluster: TestCluster, users: NafLike[]): Promise<void> {
  try {
    for (const user of users) user.start();
    await allSee(users);
    for (const room of new Set(users.map((user) => user.room))) {
      assert.equal((await cluster.owners(room)).length, 1, `${room} is on one node`);
    }
  } finally {
    await Promise.all(users.map((user) => user.close()));
  }
}

describe('rooms over three nodes', { skip }, () => {
  test('bring six clients together in two rooms, by what their addresses say or by what is remembered', {
    timeout: 90_000,
  }, async () => {
    await TestCluster.open(3, {}, async (cluster) => {
      const hinted = six(cluster, 'hinted', () => ({ hint: true }));
      await meet(cluster, hinted);
      assert.deepEqual(
        hinted.flatMap(({ joins }) => joins),
        hinted.map(() => 1),
        'nobody had to come twice',
      );
      const remembered = six(cluster, 'remembered', () => ({ jar: new CookieJar() }));
      await meet(cluster, remembered);
      const sentAway = remembered.filter(({ closed }) => closed.includes(1012));
      assert.ok(sentAway.length > 0, 'some came to the wrong node first');
      assert.ok(
        remembered.every(({ closed }) => closed.filter((code) => code === 1012).length <= 2),
        'the second time they came right',
      );
      await forgetful(cluster);
    });
  });
});

/** Who says no room and keeps no cookies is told what to do, and not sent in circles. */
async function forgetful(cluster: TestCluster): Promise<void> {
  const owner = await JanusClient.connect(cluster.node(0).server.wsUrl);
  await owner.join('taken', 'owner', { data: true });
  const answers: (string | null)[] = [];
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const client = await JanusClient.connect(cluster.node(1).server.wsUrl);
    const handle = await client.attach(await client.create());
    const join = { kind: 'join', room_id: 'taken', user_id: 'guest', subscribe: { data: true } };
    answers.push(await client.message(handle, join).then(refusalOf, () => null));
    await client.close();
  }
  assert.equal(answers[0], null, 'the first time its connection is closed');
  assert.match(answers[1] ?? '', /on another node.*\?room=/);
  await owner.close();
}

/** All nodes of a cluster are restarted, one after the other, while people use it. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { Absences } from '../support/absences.js';
import { limit, shownOnce } from '../support/attempts.js';
import { TestCluster } from '../support/cluster.js';
import { usersOf } from '../support/naf-like.js';
import { natsMissing } from '../support/nats.js';

after(releaseNative);

/** Milliseconds: the goal is 3 s (docs/scaling.md), and this machine does other things too. */
const WAIT_LIMIT = 6_000;

describe('a cluster of three', { skip: natsMissing() }, () => {
  test(
    'is restarted node by node while people talk: all of them come back at once each time, and nobody is lost',
    {
      timeout: 240_000,
    },
    (t) =>
      shownOnce(t, async () => {
        let worst = 0;
        await TestCluster.open(3, { DRAIN_TIMEOUT: '0.5' }, async (cluster) => {
          const all = ['one', 'two', 'three'].flatMap((room) => usersOf(room, 2, () => cluster.nodes));
          try {
            const absences = await Absences.during(all, (whole) => cluster.restartAll(whole));
            worst = absences.worst;
            t.diagnostic(`${absences.ended.length} waits, the longest took ${Math.round(worst)} ms`);
            assert.ok(absences.ended.length >= all.length, 'each room has moved, and all its people with it');
            for (const user of all) assert.deepEqual(user.refused, [], user.id);
            for (const room of ['one', 'two', 'three']) assert.equal((await cluster.owners(room)).length, 1, room);
          } finally {
            await Promise.all(all.map((user) => user.close()));
          }
        });
        limit(worst <= WAIT_LIMIT, `somebody was without media for ${Math.round(worst)} ms`);
      }),
  );
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClusterSimulation } from '../../bench/cluster/simulation.js';

const settings = { seed: 3, nodes: 40, coresPerNode: 2, rooms: 4_000, usersMean: 4, usersMax: 60, stay: 1_200 };
/** Seconds until there are about as many rooms as there will be. */
const FILLED = 3_000;

function filled(): ClusterSimulation {
  const simulation = new ClusterSimulation(settings);
  simulation.queue.runUntil(FILLED);
  return simulation;
}

describe('a cluster in virtual time', () => {
  test('has no node with more than about twice the load of the others, and moves nobody while nothing fails', () => {
    const { mean, max, rooms } = filled().balance();
    assert.ok(rooms > 2_500, `${rooms} rooms`);
    assert.ok(mean > 0.15, `a load of ${mean}`);
    assert.ok(max < 2.2 * mean, `${max} where ${mean} is the mean`);
  });

  test('moves no room but those of nodes that died, and has all of them back within 20 s', () => {
    const simulation = filled();
    assert.equal(simulation.tally.moves, 0);
    for (const node of simulation.aliveNodes.slice(0, 4)) simulation.kill(node, 30);
    const lost = simulation.homeless;
    assert.ok(lost > 200, `${lost} rooms lost their node`);
    simulation.queue.runUntil(FILLED + 20);
    assert.equal(simulation.homeless, 0);
    assert.ok(simulation.tally.moves > 0.9 * lost && simulation.tally.moves <= lost, `${simulation.tally.moves} moves`);
  });

  test('gives a node that drains nothing new, and its rooms to others at the end', () => {
    const simulation = filled();
    const [node = ''] = simulation.aliveNodes;
    simulation.drain(node, 300);
    // The others know of it after its next record.
    simulation.queue.runUntil(FILLED + 3);
    const before = simulation.roomsOf(node);
    simulation.queue.runUntil(FILLED + 299);
    const after = simulation.roomsOf(node);
    assert.ok(after.size < before.size);
    for (const room of after) assert.ok(before.has(room), `${room} is new`);
    simulation.queue.runUntil(FILLED + 303);
    assert.equal(simulation.homeless, 0);
    assert.ok(!simulation.aliveNodes.includes(node));
  });
});

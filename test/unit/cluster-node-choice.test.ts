import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseNode, LOAD_TIE, type NodeCandidate } from '../../src/cluster/node-choice.js';

const nodes = (count: number, load = 0): NodeCandidate[] =>
  Array.from({ length: count }, (_, index) => ({ id: `node-${index}`, load, draining: false }));
const rooms = Array.from({ length: 3_000 }, (_, index) => `room ${index}`);

function counts(chosen: (string | null)[]): Map<string | null, number> {
  const found = new Map<string | null, number>();
  for (const id of chosen) found.set(id, (found.get(id) ?? 0) + 1);
  return found;
}

describe('the choice of a node for a room', () => {
  test('is the same whatever the order in which the nodes are known', () => {
    const known = nodes(7).map((node, index) => ({ ...node, load: index / 7 }));
    for (const room of rooms.slice(0, 200)) {
      assert.equal(chooseNode(room, known), chooseNode(room, [...known].reverse()));
    }
  });

  test('spreads rooms over nodes that have as much to do', () => {
    const found = counts(rooms.map((room) => chooseNode(room, nodes(10))));
    assert.equal(found.size, 10);
    for (const [id, count] of found) assert.ok(count > 220 && count < 380, `${id}: ${count} of 300 expected`);
  });

  test('spreads them also where ids are alike, as are those of one maker', () => {
    const alike = Array.from({ length: 4 }, (_, index) => ({ id: `aaaaaaaaaaa${index}`, load: 0, draining: false }));
    for (const [id, count] of counts(rooms.map((room) => chooseNode(room, alike)))) {
      assert.ok(count > 600 && count < 900, `${id}: ${count} of 750 expected`);
    }
  });

  test('gives the busiest node nothing that another candidate can take', () => {
    const [busy, ...others] = nodes(5);
    assert.ok(busy);
    const chosen = counts(rooms.map((room) => chooseNode(room, [{ ...busy, load: 0.9 }, ...others])));
    assert.equal(chosen.get(busy.id) ?? 0, 0);
  });

  test('does not change with a load that hardly differs', () => {
    const before = nodes(6, 0.5);
    const after = before.map((node, index) => ({ ...node, load: 0.5 + (index * LOAD_TIE) / 6 }));
    for (const room of rooms.slice(0, 500)) assert.equal(chooseNode(room, after), chooseNode(room, before));
  });

  test('changes for the rooms of a node that goes, and for no others', () => {
    const before = nodes(10);
    const after = before.slice(1);
    for (const room of rooms) {
      const was = chooseNode(room, before);
      if (was !== 'node-0') assert.equal(chooseNode(room, after), was);
    }
  });

  test('leaves nodes out that drain, unless all of them do', () => {
    const [first, ...others] = nodes(3);
    assert.ok(first);
    const drained = others.map((node) => ({ ...node, draining: true }));
    assert.deepEqual([...counts(rooms.map((room) => chooseNode(room, [first, ...drained]))).keys()], [first.id]);
    assert.equal(counts(rooms.map((room) => chooseNode(room, drained))).size, 2);
  });

  test('is nobody where there is nobody, and the only one where there is one', () => {
    assert.equal(chooseNode('room', []), null);
    assert.equal(chooseNode('room', nodes(1, 5)), 'node-0');
  });
});

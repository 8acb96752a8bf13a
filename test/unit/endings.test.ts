import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EndingConnection, Endings } from '../../workers/endings.js';

/** A connection whose SCTP is being set up until the test says otherwise. */
function connecting() {
  const connection = {
    rttNow: -1,
    stateNow: 'connecting',
    closed: 0,
    state: () => connection.stateNow,
    rtt: () => connection.rttNow,
    close: () => {
      connection.closed += 1;
    },
  };
  return connection satisfies EndingConnection;
}

function endingsThatTell() {
  const told: number[] = [];
  let changed = () => {};
  const endings = new Endings((waiting) => {
    told.push(waiting);
    changed();
  });
  const until = async (waiting: number) => {
    while (told.at(-1) !== waiting) {
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
  return { endings, told, until };
}

test('a connection is closed once, when its SCTP stands', async () => {
  const { endings, told, until } = endingsThatTell();
  const connection = connecting();
  endings.close(connection, true);
  assert.equal(connection.closed, 0);
  connection.rttNow = 0;
  await until(0);
  assert.equal(connection.closed, 1);
  assert.deepEqual(told, [1, 0]);
});

test('a connection whose SCTP failed is closed, too', async () => {
  const { endings, until } = endingsThatTell();
  const connection = connecting();
  endings.close(connection, true);
  connection.stateNow = 'failed';
  await until(0);
  assert.equal(connection.closed, 1);
});

test('a connection whose SCTP stands, or that has none, is closed at once', () => {
  const { endings, told } = endingsThatTell();
  const [standing, without] = [connecting(), connecting()];
  standing.rttNow = 0;
  endings.close(standing, true);
  endings.close(without, false);
  assert.deepEqual([standing.closed, without.closed, told], [1, 1, []]);
});

test('before native code is cleaned up all are closed at once', () => {
  const { endings, told } = endingsThatTell();
  const connections = [connecting(), connecting()];
  for (const connection of connections) endings.close(connection, true);
  endings.endAll();
  assert.deepEqual(
    connections.map(({ closed }) => closed),
    [1, 1],
  );
  assert.equal(told.at(-1), 0);
});

test('those who never finish can’t fill the memory: the oldest is closed for the newest', () => {
  const { endings, told } = endingsThatTell();
  const connections = Array.from({ length: 300 }, connecting);
  for (const connection of connections) endings.close(connection, true);
  assert.equal(Math.max(...told), 256);
  assert.equal(told.at(-1), 256);
  assert.equal(connections.filter(({ closed }) => closed === 1).length, 44);
  assert.equal(connections[43]?.closed, 1);
  assert.equal(connections[44]?.closed, 0);
  endings.endAll();
});

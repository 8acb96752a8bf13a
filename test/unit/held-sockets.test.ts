import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldSockets } from '../../src/http/held-sockets.js';

test('sockets that are held for the server are taken in their order, and only if they are for this process', () => {
  assert.deepEqual(heldSockets({ LISTEN_FDS: '2', LISTEN_PID: '7' }, 7), { ws: 3, http: 4 });
  assert.deepEqual(heldSockets({ LISTEN_FDS: '1', LISTEN_PID: '7' }, 7), { ws: 3, http: null });
  for (const env of [
    {},
    { LISTEN_FDS: '2' },
    { LISTEN_FDS: '2', LISTEN_PID: '8' },
    { LISTEN_FDS: 'x', LISTEN_PID: '7' },
  ]) {
    assert.deepEqual(heldSockets(env, 7), { ws: null, http: null });
  }
});

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Outbox } from '../../src/janus/transports/outbox.js';

test('what is written to a connection in one turn goes out at once at its end, in order, and each time anew', async () => {
  const calls: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      calls.push(String(chunk));
      done();
    },
    writev: (chunks, done) => {
      calls.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  const outbox = new Outbox();
  for (const expected of ['abc', 'def']) {
    for (const part of expected) {
      outbox.hold(stream);
      stream.write(part);
    }
    assert.ok(!calls.includes(expected), 'not yet');
    await turn();
    assert.equal(calls.at(-1), expected);
  }
  assert.deepEqual(calls, ['abc', 'def']);
});

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Outbox } from '../../src/janus/transports/outbox.js';

/** A connection, and what reached the system of it, call by call. */
function connection() {
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
  return { stream, calls };
}

test('what can wait goes out with what can not, in order, or by itself a moment later', async (t) => {
  // The moment is over when the test says so: turns of a busy machine can take longer.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const outbox = new Outbox();
  const { stream, calls } = connection();
  const say = (text: string, canWait: boolean) => {
    outbox.hold(stream, canWait);
    stream.write(text);
  };
  say('a', true);
  say('b', true);
  await turn();
  say('c', false);
  say('d', true);
  await turn();
  assert.deepEqual(calls, ['abcd']);
  t.mock.timers.tick(2);
  say('e', true);
  say('f', true);
  await turn();
  assert.deepEqual(calls, ['abcd']);
  t.mock.timers.tick(2);
  assert.deepEqual(calls, ['abcd', 'ef']);
  say('g', false);
  await turn();
  assert.deepEqual(calls, ['abcd', 'ef', 'g']);
});

test('what is written to a connection in one turn goes out at once at its end, in order, and each time anew', async () => {
  const { stream, calls } = connection();
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

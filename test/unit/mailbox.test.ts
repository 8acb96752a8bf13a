import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Mailbox } from '../../src/janus/mailbox.js';

describe('a mailbox', () => {
  test('gives out the oldest events first, as many as are wanted', () => {
    const mailbox = new Mailbox(10, 1000);
    for (const n of [1, 2, 3]) assert.equal(mailbox.push({ n }), true);
    assert.deepEqual(mailbox.take(2), [{ n: 1 }, { n: 2 }]);
    assert.equal(mailbox.size, 1);
    assert.deepEqual(mailbox.take(5), [{ n: 3 }]);
    assert.deepEqual(mailbox.take(5), []);
  });

  test('refuses what is over its count, and takes again after some were taken out', () => {
    const mailbox = new Mailbox(2, 1000);
    assert.deepEqual(
      [1, 2, 3].map((n) => mailbox.push({ n })),
      [true, true, false],
    );
    mailbox.take(1);
    assert.equal(mailbox.push({ n: 4 }), true);
    assert.deepEqual(mailbox.take(9), [{ n: 2 }, { n: 4 }]);
  });

  test('counts bytes, and forgets them with the events', () => {
    const mailbox = new Mailbox(100, 30);
    const event = { text: '0123456789' };
    assert.deepEqual([mailbox.push(event), mailbox.push(event)], [true, false]);
    mailbox.take(1);
    assert.equal(mailbox.push(event), true);
  });
});

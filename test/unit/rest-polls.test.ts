import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { Mailbox } from '../../src/janus/mailbox.js';
import { PollQueue } from '../../src/janus/transports/rest-polls.js';

const KEEPALIVE = { janus: 'keepalive' };
const event = (n: number) => ({ janus: 'event', n });

/** A queue on a clock that only moves when told, and what each poll is answered with, by its name. */
function queueOn(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const queue = new PollQueue(new Mailbox(3, 1000), 30_000);
  const answers: [string, object][] = [];
  const poll = (name: string, eventsMax: number | null = null) => ({
    eventsMax,
    answer: (events: object) => void answers.push([name, events]),
  });
  /** In small steps: a timer that another one starts begins when that one ends. */
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1) t.mock.timers.tick(1);
  };
  return { queue, answers, poll, pass };
}

describe('the long polls of a session', () => {
  test('take what waits at once, oldest first: one bare event, or an array of as many as they ask for', (t) => {
    const { queue, answers, poll } = queueOn(t);
    for (const n of [1, 2, 3]) assert.ok(queue.push(event(n)));
    queue.poll(poll('bare'));
    queue.poll(poll('array', 5));
    assert.deepEqual(answers, [
      ['bare', event(1)],
      ['array', [event(2), event(3)]],
    ]);
    for (const n of [4, 5, 6]) queue.push(event(n));
    queue.poll(poll('two', 2));
    assert.deepEqual(answers.at(-1), ['two', [event(4), event(5)]]);
    assert.equal(queue.polls, 0);
  });

  test('wait for an event, which ends the wait at once, also as an array of one', (t) => {
    const { queue, answers, poll, pass } = queueOn(t);
    queue.poll(poll('bare'));
    pass(29_999);
    assert.deepEqual(answers, []);
    queue.push(event(1));
    queue.poll(poll('array', 2));
    queue.push(event(2));
    assert.deepEqual(answers, [
      ['bare', event(1)],
      ['array', [event(2)]],
    ]);
    pass(60_000);
    assert.equal(answers.length, 2);
  });

  test('are answered with a keepalive when their time is over: bare or in an array', (t) => {
    const { queue, answers, poll, pass } = queueOn(t);
    queue.poll(poll('bare'));
    pass(29_999);
    assert.equal(answers.length, 0);
    pass(1);
    queue.poll(poll('array', 2));
    pass(30_000);
    assert.deepEqual(answers, [
      ['bare', KEEPALIVE],
      ['array', [KEEPALIVE]],
    ]);
    assert.ok(queue.push(event(1)));
    assert.equal(answers.length, 2);
  });

  test('are one at a time: a new one releases the one that waits, and takes the next event', (t) => {
    const { queue, answers, poll, pass } = queueOn(t);
    queue.poll(poll('old'));
    pass(20_000);
    queue.poll(poll('new'));
    assert.deepEqual(answers, [['old', KEEPALIVE]]);
    pass(20_000);
    queue.push(event(1));
    assert.deepEqual(answers.at(-1), ['new', event(1)]);
  });

  test('that call forth each other do so once a second: a young one is not answered at once', (t) => {
    const { queue, answers, poll, pass } = queueOn(t);
    queue.poll(poll('a'));
    pass(400);
    queue.poll(poll('b'));
    queue.poll(poll('c'));
    assert.deepEqual(answers, []);
    queue.push(event(1));
    assert.deepEqual(answers, [['c', event(1)]]);
    pass(599);
    assert.equal(queue.polls, 2);
    pass(1);
    assert.deepEqual(answers.at(-1), ['a', KEEPALIVE]);
    pass(400);
    assert.deepEqual(answers.at(-1), ['b', KEEPALIVE]);
    assert.equal(queue.polls, 0);
    pass(60_000);
    assert.equal(answers.length, 3);
  });

  test('are all answered when the session ends, and none of them again', (t) => {
    const { queue, answers, poll, pass } = queueOn(t);
    const gone = poll('gone');
    queue.poll(gone);
    for (const name of ['a', 'b', 'c']) queue.poll(poll(name, 2));
    queue.abandon(gone);
    queue.release();
    pass(60_000);
    assert.deepEqual(
      answers,
      ['a', 'b', 'c'].map((name) => [name, [KEEPALIVE]]),
    );
    assert.equal(queue.polls, 0);
  });

  test('leave the next event to the next poll when their client has gone, and their timer ends', (t) => {
    const { queue, answers, poll, pass } = queueOn(t);
    const gone = poll('gone');
    queue.poll(gone);
    queue.abandon(gone);
    assert.equal(queue.polls, 0);
    queue.push(event(1));
    queue.poll(poll('next'));
    pass(60_000);
    assert.deepEqual(answers, [['next', event(1)]]);
  });

  test('are not ended by a client that goes after another poll took over', (t) => {
    const { queue, answers, poll } = queueOn(t);
    const old = poll('old');
    queue.poll(old);
    queue.poll(poll('new'));
    queue.abandon(old);
    queue.push(event(1));
    assert.deepEqual(answers.at(-1), ['new', event(1)]);
  });

  test('find only as many events as are kept; what is more is refused, until some are taken', (t) => {
    const { queue, poll } = queueOn(t);
    for (const n of [1, 2, 3]) assert.ok(queue.push(event(n)));
    assert.equal(queue.push(event(4)), false);
    queue.poll(poll('one'));
    assert.ok(queue.push(event(5)));
    assert.deepEqual(queue.takeAll(), [event(2), event(3), event(5)]);
    assert.equal(queue.push({ text: 'x'.repeat(1000) }), false);
  });
});

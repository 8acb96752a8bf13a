import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ShardError, ShardLine } from '../../src/shards/line.js';
import { Line } from '../../workers/line.js';
import type { ShardCall, ShardNews, ShardReply } from '../../workers/protocol.js';

const forget = (handle: number): ShardCall => ({ type: 'forget', handle });
const up = (handle: number): ShardNews => ({ type: 'webrtcup', handle });

/** A line whose shard does what `run` says, here in this thread. */
function joined(
  t: { after(done: () => void): void },
  run: (request: ShardCall) => ShardReply,
  ready = Promise.resolve(),
) {
  const happened: string[] = [];
  const main = new ShardLine((news) => happened.push('handle' in news ? `news ${news.handle}` : 'news'));
  let messages = 0;
  main.remote.on('message', () => {
    messages += 1;
  });
  const shard = new Line(main.remote);
  shard.answer(ready, run);
  t.after(() => main.end('over'));
  return { main, shard, happened, messages: () => messages };
}

describe('the line between the main thread and a shard', () => {
  test('carries the requests of a turn in one message, in order, each with an answer of its own', async (t) => {
    const ran: number[] = [];
    const { main, messages } = joined(t, (request) => {
      assert.ok(request.type === 'forget');
      ran.push(request.handle);
      if (request.handle === 2) throw new Error('handle 2 will not go');
      return {};
    });
    const answers = await Promise.allSettled([1, 2, 3].map((handle) => main.request(forget(handle))));
    assert.deepEqual(
      answers.map((one) => (one.status === 'rejected' ? String(one.reason.message) : one.value)),
      [{}, 'handle 2 will not go', {}],
    );
    assert.ok(answers[1]?.status === 'rejected' && answers[1].reason instanceof ShardError);
    assert.deepEqual([ran, messages()], [[1, 2, 3], 1]);
    await main.request(forget(4));
    assert.equal(messages(), 2);
  });

  test('tells news before the answers that came after them', async (t) => {
    const { main, shard, happened } = joined(t, () => {
      shard.say(up(7));
      return {};
    });
    await main.request(forget(1)).then(() => happened.push('answer'));
    assert.deepEqual(happened, ['news 7', 'answer']);
    shard.say(up(8));
    shard.say(up(9));
    await main.request(forget(2));
    assert.deepEqual(happened, ['news 7', 'answer', 'news 8', 'news 9', 'news 7']);
  });

  test('fails the requests of a shard that never got ready, with the reason', async (t) => {
    const broken = Promise.reject(new Error('no certificate'));
    broken.catch(() => {});
    const { main } = joined(t, () => ({}), broken);
    await assert.rejects(main.request(forget(1)), /no certificate/);
  });

  test('fails what waits when its shard ends, and all later requests', async (t) => {
    const { main } = joined(t, () => ({}), new Promise(() => {}));
    const waits = main.request(forget(1));
    main.end('The media worker has ended.');
    await assert.rejects(waits, /has ended/);
    await assert.rejects(main.request(forget(2)), /has ended/);
  });
});

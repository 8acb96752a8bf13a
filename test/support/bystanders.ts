/** Somebody else's call, which nothing that a test does may disturb. */
import assert from 'node:assert/strict';
import type { Room } from './peer.js';
import type { Publisher } from './publisher.js';
import type { SubscribeOptions, Subscriber } from './subscriber.js';

export interface Bystanders {
  source: Publisher;
  sink: Subscriber;
}

/** Alice sends to Bob. @param via how each of them reaches the server */
export async function bystanders(
  room: Room,
  via: { alice?: SubscribeOptions['via']; bob?: SubscribeOptions['via'] } = {},
) {
  const alice = await room.enter('alice');
  const source = await alice.publish({ ...(via.alice && { via: via.alice }) });
  source.start();
  const sink = await (await room.enter('bob')).subscribe(alice.id, { ...(via.bob && { via: via.bob }) });
  await sink.more('video', 20);
  return { source, sink } satisfies Bystanders;
}

/**
 * Asserts that the call went on meanwhile and is unhurt now. Under a flood the kernel may lose datagrams of anybody's;
 * few of them, and none afterwards.
 */
export async function assertUndisturbed({ source, sink }: Bystanders): Promise<void> {
  for (const kind of ['audio', 'video'] as const) {
    const numbers = sink.of(kind).map(({ number }) => number);
    const span = (numbers.at(-1) ?? 0) - (numbers[0] ?? 0) + 1;
    assert.equal(new Set(numbers).size, numbers.length, `no ${kind} packet came twice`);
    assert.ok(numbers.length > span * 0.7, `${numbers.length} of ${span} ${kind} packets came`);
  }
  const before = { ...sink.count };
  await Promise.all([sink.more('video', 50), sink.more('audio', 20)]);
  for (const kind of ['audio', 'video'] as const) {
    // What was under way when the flood ended may still have a hole.
    const after = sink.of(kind).slice(before[kind] + 5);
    const numbers = after.map(({ number }) => number);
    const first = numbers[0] ?? 0;
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => first + index),
      `${kind} of the call is complete again`,
    );
    assert.ok(after.every(({ tag }) => tag === source[kind].tag));
  }
  for (const member of [source, sink]) assert.equal(member.told('hangup').length, 0);
}

/** Calls `send` until it has returned true `count` times, in bursts that the receiving side's queues hold. */
export async function inBursts(count: number, send: (index: number) => boolean): Promise<void> {
  for (let index = 0, sent = 0; sent < count; index++) {
    if (send(index)) sent++;
    if (index % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { createRing, RING_BYTES, Ring } from '../../workers/ring.js';

const head = Buffer.from('head');

describe('Ring', () => {
  test('gives back what was written, in order, whatever the lengths', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 60 }), (bodies) => {
        const ring = new Ring(createRing());
        const written = bodies.filter((body) => ring.write(head, Buffer.from(body)));
        assert.equal(written.length, bodies.length);
        for (const body of written) assert.deepEqual(ring.read(), Buffer.concat([head, body]));
        assert.equal(ring.read(), null);
      }),
      { seed: 20261122, numRuns: 200 },
    );
  });

  test('R4: refuses and counts a message that finds no room, and takes the next one when there is room again', () => {
    const ring = new Ring(createRing());
    const body = Buffer.alloc(256 * 1024);
    let written = 0;
    while (ring.write(head, body)) written++;
    assert.ok(written >= 7 && written < RING_BYTES / body.length);
    assert.equal(ring.dropped, 1);
    ring.read();
    ring.read();
    assert.ok(ring.write(head, body));
  });

  test('keeps order and content over many wraps of its end', () => {
    const ring = new Ring(createRing());
    let expected = 0;
    let next = 0;
    for (let round = 0; round < 400; round++) {
      for (let i = 0; i < 5; i++) {
        const body = Buffer.alloc(9001 + 977 * (next % 13), next & 255);
        body.writeUInt32LE(next, 0);
        assert.ok(ring.write(head, body));
        next++;
      }
      for (let i = 0; i < 5; i++) {
        const message = ring.read();
        assert.equal(message?.readUInt32LE(4), expected);
        assert.equal(message?.at(-1), expected & 255);
        expected++;
      }
    }
  });

  test('is emptied, not followed out of bounds, when a length in it cannot be', () => {
    for (const length of [0x7fffffff, -2, -2147483648, RING_BYTES]) {
      const memory = createRing();
      const ring = new Ring(memory);
      ring.write(head, Buffer.from('good'));
      new DataView(memory).setInt32(12, length, true);
      assert.equal(ring.read(), null);
      assert.ok(ring.write(head, Buffer.from('after')));
      assert.equal(ring.read()?.toString(), 'headafter');
    }
  });

  test('carries messages between two threads without loss or mixture', async () => {
    const memory = createRing();
    const ring = new Ring(memory);
    const count = 20_000;
    const code = `
      const { workerData } = require('node:worker_threads');
      import(workerData.module).then(({ Ring }) => {
        const ring = new Ring(workerData.memory);
        for (let i = 0; i < ${count}; ) {
          const body = Buffer.alloc(8 + (i % 700), i & 255);
          body.writeUInt32LE(i, 0);
          if (ring.write(Buffer.alloc(0), body)) i++;
        }
      });`;
    const module = new URL('../../workers/ring.js', import.meta.url).href;
    const worker = new Worker(code, { eval: true, workerData: { memory, module } });
    for (let i = 0; i < count; ) {
      const message = ring.read();
      if (!message) {
        await new Promise(setImmediate);
        continue;
      }
      assert.equal(message.readUInt32LE(0), i);
      assert.equal(message.length, 8 + (i % 700));
      assert.ok(message.subarray(4).every((byte) => byte === (i & 255)));
      i++;
    }
    await worker.terminate();
  });
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { createRing, RING_BYTES, Ring } from '../../workers/ring.js';
import { Random } from '../support/random.js';

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

  test('M11: is emptied, not followed out of bounds, when a length in it cannot be', () => {
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

  test('M11: with any control word overwritten by anything is emptied and goes on, and invents no record', () => {
    const random = new Random(11);
    const words = [0, 1, 2, 3, 4, 7, RING_BYTES - 4, RING_BYTES, RING_BYTES + 4, 2 ** 31 - 1, -(2 ** 31), -1, -4];
    for (const word of [0, 1, 2]) {
      for (const value of [...words, ...Array.from({ length: 200 }, () => random.below(2 ** 32) | 0)]) {
        const memory = createRing();
        const ring = new Ring(memory);
        const control = new Int32Array(memory, 0, 3);
        // What fills the ring looks like records, as a sender would make them to be found by a wrong position.
        const forged = Buffer.alloc(4000);
        for (let at = 0; at < forged.length; at += 8) forged.writeInt32LE(12, at);
        for (let i = 0; i < random.below(900); i++) ring.write(Buffer.from('real'), forged);
        for (let i = random.below(5); i > 0; i--) ring.read();
        control[word] = value;
        const isReal = (record: Buffer | null) => record === null || record.subarray(0, 4).toString() === 'real';
        for (let i = 0; i < 3; i++) assert.ok(isReal(ring.read()), `word ${word} = ${value}`);
        for (let i = 0; i < 3; i++) ring.write(Buffer.from('real'), Buffer.from('more'));
        for (let i = 0; i < 1000; i++) assert.ok(isReal(ring.read()), `word ${word} = ${value}`);
        assert.ok(ring.write(Buffer.from('real'), Buffer.from(' again')), `word ${word} = ${value}`);
        assert.equal(ring.read()?.toString(), 'real again', `word ${word} = ${value}`);
        assert.equal(ring.read(), null);
      }
    }
  });

  test('keeps as many bytes free as it is told, for what matters more', () => {
    const ring = new Ring(createRing());
    const spare = RING_BYTES / 4;
    let written = 0;
    while (ring.write(head, Buffer.alloc(1200), spare)) written += head.length + 1200;
    assert.ok(written <= RING_BYTES - spare && written > (RING_BYTES - spare) * 0.98, `${written} bytes`);
    assert.ok(ring.write(head, Buffer.alloc(1200)), 'there is room for others');
  });

  test('shows a record in place until it is given back', () => {
    const ring = new Ring(createRing());
    ring.write(head, Buffer.from('one'));
    ring.write(head, Buffer.from('two'));
    assert.equal(ring.peek()?.toString(), 'headone');
    assert.equal(ring.peek()?.toString(), 'headone');
    ring.advance();
    assert.equal(ring.peek()?.toString(), 'headtwo');
    ring.advance();
    assert.equal(ring.peek(), null);
    ring.advance();
    assert.ok(ring.write(head, Buffer.from('three')));
    assert.equal(ring.read()?.toString(), 'headthree');
  });

  test('M12: carries messages between two threads for two seconds, none torn or mixed, whatever a third one writes', async () => {
    const memory = createRing();
    const ring = new Ring(memory);
    const code = `
      const { workerData } = require('node:worker_threads');
      const { createHash } = require('node:crypto');
      import(workerData.module).then(({ Ring }) => {
        const ring = new Ring(workerData.memory);
        for (let i = 0; Atomics.load(workerData.stop, 0) === 0; i++) {
          const body = Buffer.alloc(4 + ((i * 7919) % 3000), i & 255);
          body.writeUInt32LE(i, 0);
          ring.write(createHash('md5').update(body).digest(), body);
        }
      });`;
    const module = new URL('../../workers/ring.js', import.meta.url).href;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(code, { eval: true, workerData: { memory, module, stop } });
    const control = new Int32Array(memory, 0, 3);
    const random = new Random(12);
    const end = performance.now() + 2000;
    let received = 0;
    let last = -1;
    let poisoned = 0;
    while (performance.now() < end || received < 1000) {
      const message = ring.read();
      if (!message) {
        await new Promise(setImmediate);
        continue;
      }
      const body = message.subarray(16);
      assert.ok(
        createHash('md5').update(body).digest().equals(message.subarray(0, 16)),
        `message ${received} is whole`,
      );
      const number = body.readUInt32LE(0);
      assert.ok(number > last, `${number} came after ${last}`);
      last = number;
      received++;
      // In the second half control words are overwritten: messages are lost, none is torn.
      if (performance.now() < end - 1000 || !random.once(500)) continue;
      Atomics.store(control, random.below(2), random.below(2 ** 32) | 0);
      poisoned++;
    }
    assert.ok(poisoned > 0);
    Atomics.store(stop, 0, 1);
    await worker.terminate();
  });
});

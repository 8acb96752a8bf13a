import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as elapse } from 'node:timers/promises';
import { forgetOpening, whenOpen } from '../../workers/opening.js';

/** What is looked at: open from the given look on. */
function opensAtLook(number: number) {
  let looks = 0;
  return { isOpen: () => ++looks >= number, looks: () => looks };
}

test('what is open already is told at once', () => {
  let told = 0;
  whenOpen(opensAtLook(1), () => told++);
  assert.equal(told, 1);
});

test('what opens later is told once, and not looked at any more', async () => {
  const track = opensAtLook(3);
  let told = 0;
  await new Promise<void>((resolve) => {
    whenOpen(track, () => {
      told++;
      resolve();
    });
    assert.equal(told, 0);
  });
  const looks = track.looks();
  // Another one opens a few looks later: by then the first would have been told again.
  await new Promise<void>((resolve) => whenOpen(opensAtLook(5), resolve));
  assert.equal(told, 1);
  assert.equal(track.looks(), looks);
});

test('what is closed before it opens is never told', async () => {
  const track = opensAtLook(3);
  whenOpen(track, () => assert.fail('told of what was forgotten'));
  forgetOpening(track);
  await new Promise<void>((resolve) => whenOpen(opensAtLook(6), resolve));
  assert.equal(track.looks(), 1);
});

test('while nothing is waited for no timer wakes the thread', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  await new Promise<void>((resolve) => whenOpen(opensAtLook(3), resolve));
  await elapse(0);
  assert.equal(timers(), before);
});

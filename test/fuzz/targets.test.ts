/** What is fuzzed with every commit: the same seeds each time. `npm run fuzz` goes on with others. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCaptures } from './captures.js';
import { callTarget } from './targets/call.js';
import { configTarget } from './targets/config.js';
import { messageTarget } from './targets/message.js';
import { rtcpTarget } from './targets/rtcp.js';
import { rtpTarget, verdicts } from './targets/rtp.js';
import { sdpTarget } from './targets/sdp.js';
import { defineTarget, type Target } from './targets/target.js';
import { tokenTarget } from './targets/token.js';

const SEED = 20261122;
const LIMIT = { timeout: 300_000 };

/** Tries inputs until they held so many units. */
export async function keepsItsPromise(target: Target, units: number): Promise<void> {
  let tried = 0;
  for (let seed = SEED; tried < units; seed++) {
    const outcome = await target.attempt(seed);
    if (typeof outcome === 'number') tried += outcome;
    else assert.fail(`${target.promise}\nBut seed ${seed}: ${outcome.error.stack}\n${outcome.lines.join('\n')}`);
  }
}

describe('what hostile clients send', () => {
  test('M1, M2, M3, M4, M6: 1,200,000 RTP packets are treated as a plain engine treats them', LIMIT, async () => {
    await keepsItsPromise(rtpTarget, 1_200_000);
    assert.ok(verdicts.size >= 14, `only these verdicts came up: ${[...verdicts]}`);
  });

  test('M5: 500,000 RTCP compounds say what a plain reading says', LIMIT, () => keepsItsPromise(rtcpTarget, 500_000));

  test('M1, M2, M3, M4, M5, M10: 300,000 packets of calls in any state lead to good packets only', LIMIT, () =>
    keepsItsPromise(callTarget, 300_000),
  );

  test('S2: 50,000 SDPs are refused or well answered', LIMIT, () => keepsItsPromise(sdpTarget, 50_000));

  test('W8, W9: 20,000 messages to the plugin are answered, and leave nothing behind', LIMIT, () =>
    keepsItsPromise(messageTarget, 20_000),
  );

  test('A1, A2, A3: 5,000 tokens grant what was signed and nothing else', LIMIT, () =>
    keepsItsPromise(tokenTarget, 5000),
  );

  test('2,000 ways to write settings are read, or named in a line each', LIMIT, () =>
    keepsItsPromise(configTarget, 2000),
  );
});

describe('kept captures', () => {
  for (const { name, target, lines, expected } of readCaptures()) {
    test(name, async () => {
      assert.ok(expected.startsWith(target.promise), `the promise beside ${name} is not that of ${target.name}`);
      assert.ok((await target.replay(lines)) > 0);
    });
  }
});

describe('a find', () => {
  const tells = defineTarget<number>({
    name: 'numbers',
    unit: 'numbers',
    promise: 'No input holds both a 3 and a 5.',
    make: (random) => Array.from({ length: 100 }, () => random.below(10)),
    run(parts) {
      assert.ok(!(parts.includes(3) && parts.includes(5)), 'both are there');
      return parts.length;
    },
    write: String,
    read: Number,
  });

  test('is made as small as it can be, and fails again when it is replayed', async () => {
    const find = await tells.attempt(1);
    assert.ok(typeof find !== 'number');
    assert.deepEqual(find.lines.toSorted(), ['3', '5']);
    assert.match(find.error.message, /both are there/);
    await assert.rejects(tells.replay(find.lines), /both are there/);
    assert.equal(await tells.replay(['3', '4']), 2);
  });
});

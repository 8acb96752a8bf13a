import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { chromiumMissing, eventually, quietFor } from '../support/browser.js';
import { FILM } from '../support/camera-film.js';
import type { LineConditions } from '../support/lossy-proxy.js';
import { type Sent, sent, type Viewed, viewed } from '../support/media-figures.js';
import { callThroughServer, type NetworkCall, withFilmedBrowser } from '../support/network-call.js';

const SETTLE_MS = 5_000;
const WINDOW_MS = 10_000;

interface Measured {
  viewers: Viewed[];
  publisher: Sent;
}

/** What everybody sees in the next seconds. */
async function watchAll({ publisher, viewers }: NetworkCall): Promise<Measured> {
  const read = () => Promise.all([publisher, ...viewers].map((page) => page.totals()));
  const before = await read();
  await quietFor(WINDOW_MS);
  const after = await read();
  const pairs = before.map((first, index) => ({ first, last: after[index] ?? first }));
  const frames = await Promise.all(viewers.map((viewer, index) => viewer.frameTimes(pairs[index + 1]?.first.at ?? 0)));
  const [own] = pairs;
  assert.ok(own);
  return {
    publisher: sent(own.first, own.last),
    viewers: pairs
      .slice(1)
      .map(({ first, last }, index) => viewed(first, last, frames[index] ?? [], FILM.framesPerSecond)),
  };
}

/** A call whose lines are good until each viewer has a picture. */
async function measured(
  t: TestContext,
  options: {
    viewers?: number;
    size?: { width: number; height: number };
    publisherLine?: LineConditions;
    viewerLine?: LineConditions;
  },
): Promise<Measured> {
  return withFilmedBrowser(async (browser) => {
    const call = await callThroughServer(browser, {
      seed: 4,
      viewers: options.viewers ?? 1,
      ...(options.size && { size: options.size }),
    });
    try {
      await Promise.all(call.viewers.map((viewer) => viewer.firstFrame()));
      call.publisher.line.impair(options.publisherLine ?? {});
      call.viewer.line.impair(options.viewerLine ?? {});
      await quietFor(SETTLE_MS);
      const result = await watchAll(call);
      t.diagnostic(JSON.stringify(result));
      return result;
    } finally {
      await call.close();
    }
  });
}

const both = (conditions: LineConditions['up'] & object): LineConditions => ({ up: conditions, down: conditions });
const options = { skip: chromiumMissing(), timeout: 120_000 };

test('a picture goes on moving when the publisher’s and the viewer’s line lose 5 % each', options, async (t) => {
  const { viewers, publisher } = await measured(t, {
    publisherLine: both({ loss: 0.05 }),
    viewerLine: both({ loss: 0.05 }),
  });
  const [viewer] = viewers;
  assert.ok(viewer);
  assert.ok(viewer.nacks > 5, 'the viewer lost packets and asked for them');
  assert.ok(publisher.nacks > 5, 'the publisher was asked for what the server missed');
  assert.ok(viewer.framesPerSecond >= 0.85 * publisher.framesPerSecond, `${viewer.framesPerSecond} fps`);
  assert.ok(viewer.secondsFrozen < 2.5, `${viewer.secondsFrozen} s frozen`);
  assert.ok(viewer.keyframeRequests <= 3, 'what was lost came again, no new start was needed');
});

test('losses in bursts on the publisher’s line are made good before any viewer sees them', options, async (t) => {
  const { viewers, publisher } = await measured(t, {
    publisherLine: { up: { bursts: { start: 0.005, end: 0.125, loss: 0.75 } } },
  });
  const [viewer] = viewers;
  assert.ok(viewer);
  assert.ok(publisher.packetsRetransmitted > 5, 'packets were sent again');
  assert.ok(viewer.framesPerSecond >= 0.85 * publisher.framesPerSecond, `${viewer.framesPerSecond} fps`);
  assert.ok(viewer.secondsFrozen < 2, `${viewer.secondsFrozen} s frozen`);
});

test('a publisher slows down to what its only viewer’s line carries', options, async (t) => {
  const { viewers, publisher } = await measured(t, { viewerLine: both({ rate: 500_000 }) });
  const [viewer] = viewers;
  assert.ok(viewer);
  assert.ok(publisher.bitrate < 500_000, `the publisher sends ${publisher.bitrate} bit/s`);
  assert.ok(viewer.framesPerSecond >= 0.85 * publisher.framesPerSecond, `${viewer.framesPerSecond} fps`);
  assert.ok(viewer.audioConcealed < 0.05, `${viewer.audioConcealed} of the audio concealed`);
});

test('one viewer’s narrow line doesn’t lower what the others of the room get', options, async (t) => {
  const { viewers, publisher } = await measured(t, {
    viewers: 4,
    // One machine decodes all of them.
    size: { width: 320, height: 240 },
    viewerLine: both({ rate: 160_000 }),
  });
  const [narrow, ...others] = viewers;
  assert.ok(
    narrow && narrow.audioConcealed < 0.3,
    `${narrow?.audioConcealed} of the audio concealed behind the narrow line`,
  );
  for (const viewer of others) {
    assert.ok(viewer.framesPerSecond >= 0.85 * publisher.framesPerSecond, `${viewer.framesPerSecond} fps`);
    assert.ok(viewer.secondsFrozen < 1.5, `${viewer.secondsFrozen} s frozen`);
    // A line of theirs like the narrow one would conceal a third and more; the rest is the machine's load.
    assert.ok(viewer.audioConcealed < 0.1, `${viewer.audioConcealed} of the audio concealed`);
    assert.ok(viewer.bitrate > 250_000, `${viewer.bitrate} bit/s: more than the narrow line carries`);
  }
});

test('over a round trip of 300 ms the first picture is there when its packets can be', options, async () => {
  await withFilmedBrowser(async (browser) => {
    const call = await callThroughServer(browser, {
      seed: 5,
      prepare: ({ viewers }) => viewers[0]?.impair(both({ delay: 150 })),
    });
    try {
      // ICE takes one round trip, DTLS two, the picture's way a half; a ClientHello that comes too early costs two more.
      const time = await eventually(
        'a picture',
        () => call.viewer.call<number>('firstFrame'),
        (first) => first > 0,
      );
      assert.ok(time > 3 * 300, `${time} ms: earlier than light`);
      assert.ok(time < 2_300, `${time} ms until the first picture`);
    } finally {
      await call.close();
    }
  });
});

/** What people see and hear of a call over bad lines. Each claim is shown by one of a few attempts. */
// Runs alone: the machine must keep up with four decoders for the lines to be what counts.
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { limit, shownOnce } from '../support/attempts.js';
import { chromiumMissing, quietFor } from '../support/browser.js';
import { FILM } from '../support/camera-film.js';
import type { LineConditions } from '../support/lossy-proxy.js';
import { type Sent, sent, type Viewed, viewed } from '../support/media-figures.js';
import {
  callThroughServer,
  type FilmedBrowser,
  launchFilmedBrowser,
  type NetworkCall,
} from '../support/network-call.js';

const SETTLE_MS = 2_000;
/** Rounds of a second that a publisher and its line have to find each other; a busy machine takes most of them. */
const SETTLE_ROUNDS = 20;
const WINDOW_MS = 7_000;

interface Measured {
  viewers: Viewed[];
  publisher: Sent;
}

interface Conditions {
  viewers?: number;
  size?: { width: number; height: number };
  publisherLine?: LineConditions;
  viewerLine?: LineConditions;
  /** Whether the last second was as it will stay; without it two seconds have to do. */
  settled?: (second: Measured) => boolean;
}

/** What everybody sees in the next seconds. */
async function watchAll({ publisher, viewers }: NetworkCall, ms: number): Promise<Measured> {
  const read = () => Promise.all([publisher, ...viewers].map((page) => page.totals()));
  const before = await read();
  await quietFor(ms);
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

async function settle(call: NetworkCall, settled: Conditions['settled']): Promise<void> {
  if (!settled) return quietFor(SETTLE_MS);
  for (let round = 0; round < SETTLE_ROUNDS; round += 1) {
    if (settled(await watchAll(call, 1_000))) return;
  }
}

const both = (conditions: LineConditions['up'] & object): LineConditions => ({ up: conditions, down: conditions });

/** Whether the picture moves as the publisher sends it: most frames come, and no pause takes a fifth of the time. */
function moves(viewer: Viewed, publisher: Sent): void {
  limit(viewer.framesPerSecond >= 0.8 * publisher.framesPerSecond, `${viewer.framesPerSecond} frames a second`);
  limit(viewer.secondsFrozen < 0.2 * (WINDOW_MS / 1000), `${viewer.secondsFrozen} s frozen`);
}

/** A line too narrow conceals a third of the audio and more; the rest is the machine's load. */
const sounds = ({ audioConcealed }: Viewed): void =>
  limit(audioConcealed < 0.1, `${audioConcealed} of the audio concealed`);

describe('over a bad line', { skip: chromiumMissing(), timeout: 400_000 }, () => {
  let filmed: FilmedBrowser;
  before(async () => {
    filmed = await launchFilmedBrowser();
  });
  after(() => filmed.close());

  /** A call whose lines are good until each viewer has a picture. */
  async function measure(t: TestContext, conditions: Conditions): Promise<Measured & { first: Viewed }> {
    const call = await callThroughServer(filmed.browser, {
      seed: 4,
      viewers: conditions.viewers ?? 1,
      ...(conditions.size && { size: conditions.size }),
    });
    try {
      await Promise.all(call.viewers.map((viewer) => viewer.firstFrame()));
      call.publisher.line.impair(conditions.publisherLine ?? {});
      call.viewer.line.impair(conditions.viewerLine ?? {});
      await settle(call, conditions.settled);
      const measured = await watchAll(call, WINDOW_MS);
      t.diagnostic(JSON.stringify(measured));
      const [first] = measured.viewers;
      assert.ok(first);
      return { ...measured, first };
    } finally {
      await call.close();
    }
  }

  test('a picture goes on moving when the publisher’s and the viewer’s line lose 5 % each', (t) =>
    shownOnce(t, async () => {
      const { first, publisher } = await measure(t, {
        publisherLine: both({ loss: 0.05 }),
        viewerLine: both({ loss: 0.05 }),
      });
      limit(first.nacks > 5, `${first.nacks} NACKs of the viewer: it lost packets and asked for them`);
      limit(publisher.nacks > 5, `${publisher.nacks} NACKs to the publisher for what the server missed`);
      moves(first, publisher);
      limit(first.keyframeRequests <= 3, `${first.keyframeRequests} new starts: what was lost came again`);
    }));

  test('losses in bursts on the publisher’s line are made good before any viewer sees them', (t) =>
    shownOnce(t, async () => {
      const { first, publisher } = await measure(t, {
        publisherLine: { up: { bursts: { start: 0.005, end: 0.125, loss: 0.75 } } },
      });
      limit(publisher.packetsRetransmitted > 5, `${publisher.packetsRetransmitted} packets were sent again`);
      moves(first, publisher);
    }));

  test('a publisher slows down to what its only viewer’s line carries', (t) =>
    shownOnce(t, async () => {
      const { first, publisher } = await measure(t, {
        viewerLine: both({ rate: 500_000 }),
        settled: ({ publisher, viewers }) => publisher.bitrate < 500_000 && viewers[0]?.nacks === 0,
      });
      limit(publisher.bitrate < 500_000, `the publisher sends ${publisher.bitrate} bit/s`);
      moves(first, publisher);
      sounds(first);
    }));

  test('one viewer’s narrow line doesn’t lower what the others of the room get', (t) =>
    shownOnce(t, async () => {
      const { viewers, publisher } = await measure(t, {
        viewers: 4,
        // One machine decodes all of them.
        size: { width: 320, height: 240 },
        viewerLine: both({ rate: 160_000 }),
        settled: ({ viewers }) => (viewers[0]?.audioConcealed ?? 1) < 0.1,
      });
      const [narrow, ...others] = viewers;
      assert.ok(narrow);
      limit(narrow.audioConcealed < 0.3, `${narrow.audioConcealed} of the audio concealed behind the narrow line`);
      for (const viewer of others) {
        moves(viewer, publisher);
        sounds(viewer);
        limit(viewer.bitrate > 250_000, `${viewer.bitrate} bit/s: no more than the narrow line carries`);
      }
    }));

  test('over a round trip of 300 ms the first picture is there when its packets can be', (t) =>
    shownOnce(t, async () => {
      const call = await callThroughServer(filmed.browser, {
        seed: 5,
        prepare: ({ viewers }) => viewers[0]?.impair(both({ delay: 150 })),
      });
      try {
        // ICE takes one round trip, DTLS two, the picture's way a half; a ClientHello that comes too early costs two more.
        const time = await call.viewer.firstFrame();
        assert.ok(time > 3 * 300, `${time} ms: earlier than light`);
        limit(time < 2_500, `${time} ms until the first picture`);
      } finally {
        await call.close();
      }
    }));
});

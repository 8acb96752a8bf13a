import assert from 'node:assert/strict';
import { limit, shownOnce } from '../support/attempts.js';
import { atRest, browserTest, eventually, quietFor, screenshot } from '../support/browser.js';
import { isMedia, ServerProxy } from '../support/lossy-proxy.js';
import { everybodySeesEverybody, Guest, openAll, withServer } from '../support/page-guest.js';
import { mediaPortOf } from '../support/server.js';

browserTest('two people on the page see, hear and write to each other, block and unblock', (browser, t) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob']);
    const [ada, bob] = guests as [Guest, Guest];
    await everybodySeesEverybody(guests);

    await ada.says('hello from ada');
    await bob.reads('hello from ada');
    await bob.says('and from bob ✓');
    await ada.reads('and from bob ✓');

    await shownOnce(t, async () => {
      await ada.press(bob, 'Block');
      await nothingPasses(ada, bob);
      await screenshot(ada.tested, 'page-blocked');
      const frames = Promise.all([ada.nextFrame(bob, 10_000), bob.nextFrame(ada, 10_000)]);
      const pressed = Date.now();
      await ada.press(bob, 'Unblock');
      const delays = (await frames).map((frame) => frame - pressed);
      await everybodySeesEverybody(guests);
      assert.ok(Math.min(...delays) >= 0, 'no frame came through the block');
      limit(Math.max(...delays) <= 1_000, `video is back ${delays} ms after the unblock`);
    });
  }),
);

/** Between two of whom one has just blocked the other. */
async function nothingPasses(ada: Guest, bob: Guest): Promise<void> {
  for (const [one, other] of [
    [bob, ada],
    [ada, bob],
  ] as const) {
    await eventually(
      `${one.name} sees the block`,
      () => one.stateOf(other),
      (state) => state === 'blocked',
    );
  }
  const packets = async () =>
    [await ada.received(bob), await bob.received(ada)].map(({ videoPackets, audioPackets }) => [
      videoPackets,
      audioPackets,
    ]);
  const before = await atRest('media', packets);
  await bob.says('nobody reads this');
  await quietFor(700);
  assert.deepEqual(await packets(), before, 'no media while blocked');
  assert.ok(!(await ada.messages()).some((text) => text.includes('nobody reads this')), 'no chat while blocked');
}

browserTest('three people on the page: one leaves, one closes the page, one comes back by a reload', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob', 'cyd']);
    const [ada, bob, cyd] = guests as [Guest, Guest, Guest];
    await everybodySeesEverybody(guests);
    await ada.says('Good morning! Can you see my picture?');
    await bob.says('Yes, and the clock is in step with mine.');
    await cyd.says('Sound is fine too.');
    await ada.reads('Sound is fine too.');
    await screenshot(ada.tested, 'page-three');

    await bob.tested.page.getByRole('button', { name: 'Leave' }).click();
    await eventually(
      'bob is gone for ada',
      () => ada.stateOf(bob),
      (state) => state === null,
    );
    await eventually(
      'bob is gone for cyd',
      () => cyd.stateOf(bob),
      (state) => state === null,
    );
    assert.ok(await bob.tested.page.getByRole('heading', { name: 'Join a room' }).isVisible());

    await cyd.tested.page.reload();
    await Promise.all([cyd.sees(ada), ada.sees(cyd)]);

    await bob.tested.page.getByRole('button', { name: 'Join' }).click();
    await everybodySeesEverybody(guests);

    await cyd.tested.close();
    await eventually(
      'cyd is gone for ada',
      () => ada.stateOf(cyd),
      (state) => state === null,
    );
    assert.deepEqual(
      guests.flatMap(({ tested }) => tested.complaints),
      [],
    );
  }),
);

browserTest('media added after joining is seen, and a change of source goes on in the same tile', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    const ada = await Guest.open(browser, httpUrl, 'ada', { source: 'none' });
    const bob = await Guest.open(browser, httpUrl, 'bob');
    guests.push(ada, bob);
    await Promise.all([ada.joined(), bob.joined()]);
    await ada.sees(bob);
    assert.equal((await bob.received(ada)).frames, 0);
    await ada.tested.page.selectOption('#source', 'pattern');
    await bob.sees(ada);
    await ada.tested.page.selectOption('#source', 'camera');
    await bob.sees(ada);
  }),
);

browserTest('an ICE restart of a publisher keeps picture, sound and chat, its peers on two workers', (browser) =>
  withServer({ workers: 2, env: { PLACEMENT: 'spread' } }, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob']);
    const [ada, bob] = guests as [Guest, Guest];
    await everybodySeesEverybody(guests);
    const ufrag = 'probe.senders()[0].localDescription.sdp.match(/a=ice-ufrag:(.*)/)[1]';
    const before: string = await ada.tested.run(ufrag);
    await ada.tested.run('void probe.senders()[0].restartIce()');
    await eventually(
      'the restart is negotiated',
      () => ada.tested.run<string>(ufrag),
      (now) => now !== before,
    );
    await eventually(
      'ada is connected again',
      () => ada.tested.run<string[]>('probe.senders().map((pc) => pc.iceConnectionState)'),
      (states) => states.every((state) => state === 'connected' || state === 'completed'),
    );
    await everybodySeesEverybody(guests);
    await ada.says('still here');
    await bob.reads('still here');
    await bob.says('me too');
    await ada.reads('me too');
  }),
);

for (const [label, env, onlyCodec, expected] of [
  ['H264', { VIDEO_CODECS: 'h264' }, undefined, 'video/H264'],
  ['H264 whose server trickles its candidates', { FULL_TRICKLE: 'true' }, undefined, 'video/H264'],
  ['VP8 by the server’s choice', { VIDEO_CODECS: 'vp8' }, undefined, 'video/VP8'],
  ['browsers that know only VP8', {}, 'video/VP8', 'video/VP8'],
] as const) {
  browserTest(`a room of ${label} works`, (browser) =>
    withServer({ env }, async ({ httpUrl }, guests) => {
      const pretence = onlyCodec ? { onlyCodec } : {};
      guests.push(await Guest.open(browser, httpUrl, 'ada', {}, pretence));
      guests.push(await Guest.open(browser, httpUrl, 'bob', {}, pretence));
      const [ada, bob] = guests as [Guest, Guest];
      await everybodySeesEverybody(guests);
      assert.equal((await ada.received(bob)).codec, expected);
      assert.equal((await bob.received(ada)).codec, expected);
    }),
  );
}

browserTest('video goes on for somebody whose way from the server loses 5 % of the packets', (browser, t) =>
  withServer({}, async (server, guests) => {
    const { httpUrl } = server;
    const proxy = await ServerProxy.start({ serverPort: mediaPortOf(server) });
    try {
      guests.push(await Guest.open(browser, httpUrl, 'ada'));
      guests.push(await Guest.open(browser, httpUrl, 'bob', {}, { mediaPort: proxy.port }));
      const [ada, bob] = guests as [Guest, Guest];
      await everybodySeesEverybody(guests);
      let passed = 0;
      proxy.lose = (datagram, towards) => {
        if (towards !== 'client' || !isMedia(datagram)) return false;
        passed += 1;
        return passed % 20 === 0;
      };
      const sent = () => ada.tested.run<number>('probe.framesSent()');
      await shownOnce(t, async () => {
        const before = { sent: await sent(), bob: await bob.received(ada) };
        await quietFor(4_000);
        const after = { sent: await sent(), bob: await bob.received(ada) };
        const decoded = after.bob.frames - before.bob.frames;
        const expected = after.sent - before.sent;
        limit(after.bob.nacks > before.bob.nacks, 'packets were lost and asked for again');
        limit(expected > 20, `ada sent ${expected} frames`);
        limit(decoded >= 0.8 * expected, `bob decoded ${decoded} of ${expected} frames`);
      });
    } finally {
      proxy.close();
    }
  }),
);

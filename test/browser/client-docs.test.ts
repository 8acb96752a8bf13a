/** The example for browsers of docs/client.md, as it stands there. */
import assert from 'node:assert/strict';
import { browserTest, eventually, openTested } from '../support/browser.js';
import { examplesOf } from '../support/examples.js';
import { Guest, withServer } from '../support/page-guest.js';

browserTest('the example for browsers shows the others, and is seen by them', (browser) =>
  withServer({}, async ({ httpUrl, wsUrl }, guests) => {
    const example = examplesOf('docs/client.md').find((code) => code.includes('getUserMedia'));
    assert.ok(example);
    const bob = await Guest.open(browser, httpUrl, 'bob');
    guests.push(bob);
    await bob.joined();
    const tested = await openTested(browser, httpUrl);
    const ada = new Guest('ada', tested);
    guests.push(ada);
    const code = example
      .replace("import { Room } from 'janus-sfu/client';", "const { Room } = await import('/src/client/index.js');")
      .replace('ws://localhost:8188/', wsUrl);
    await tested.run(`(async () => { ${code}; window.room = room; })()`);
    const frames = "probe.received(probe.receiverOf(document.querySelector('video[id^=bob]')?.srcObject))";
    await eventually(
      'the example shows bob',
      () => tested.run<{ frames: number }>(frames),
      (received) => received.frames > 5,
    );
    await eventually(
      'bob sees ada',
      () => bob.tested.run<string>("document.querySelector('.tile[data-user=ada]')?.dataset.video"),
      (shown) => shown === 'true',
    );
    await tested.run('room.leave()');
    await eventually(
      'ada is gone',
      () => bob.tested.run<boolean>("document.querySelector('.tile[data-user=ada]:not([data-state=left])') === null"),
      (gone) => gone,
    );
  }),
);

/** What the page says of the connection when it is asked. */
import assert from 'node:assert/strict';
import { HttpListener } from '../../src/http/listener.js';
import { pageHandler } from '../../src/http/page.js';
import { browserTest, eventually, openTested, screenshot, type TestedPage } from '../support/browser.js';
import { everybodySeesEverybody, Guest, openAll, withServer } from '../support/page-guest.js';
import { mediaPortOf } from '../support/server.js';

interface Finding {
  step: string;
  verdict: string;
  words: string;
}

/** Opens the doctor and waits for the end of the examination. */
async function examined(tested: TestedPage, button: string, limitMs = 30_000): Promise<Finding[]> {
  await tested.page.getByRole('button', { name: button }).click();
  const findings: Finding[] | null = await eventually(
    'the examination ends',
    () =>
      tested.run<Finding[] | null>(`document.querySelector('#findings').getAttribute('aria-busy') === 'false'
        ? [...document.querySelectorAll('#findings li')].map((line) => ({
            step: line.querySelector('b').textContent,
            verdict: line.dataset.verdict,
            words: line.querySelector('p').textContent,
          }))
        : null`),
    (found) => found !== null,
    limitMs,
  );
  return findings ?? [];
}

browserTest('the doctor finds each step of a good connection, and leaves nothing behind', (browser) =>
  withServer({}, async (server) => {
    const { httpUrl, output } = server;
    const tested = await openTested(browser, `${httpUrl}/?source=none`);
    const findings = await examined(tested, 'Check the connection');
    assert.deepEqual(
      findings.map(({ step, verdict }) => [step, verdict]),
      [
        ['Camera, microphone and screen', 'well'],
        ['Page server', 'well'],
        ['Signalling (WebSocket)', 'well'],
        ['Session', 'well'],
        ['Media path (UDP)', 'well'],
        ['Path taken', 'well'],
      ],
    );
    const mediaPort = mediaPortOf(server);
    assert.match(findings.at(-1)?.words ?? '', new RegExp(`udp .*:${mediaPort}.*ms`));
    assert.doesNotMatch(output(), / joined /);
    assert.equal(await tested.run('probe.senders().length'), 0);
    await screenshot(tested, 'page-doctor');
    await tested.page.getByRole('button', { name: 'Close' }).click();
    assert.deepEqual(tested.complaints, []);
    await tested.close();
  }),
);

browserTest('a call and the doctor name the UDP port that nothing gets through to, and what to do', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    const ada = await Guest.open(browser, httpUrl, 'ada', {}, { mediaPort: 9 });
    guests.push(ada);
    const tested = await openTested(browser, `${httpUrl}/?source=none`, { mediaPort: 9 });
    // Both give up after 10 s: at the same time.
    const [findings] = await Promise.all([
      examined(tested, 'Check the connection'),
      ada.noticed(/No UDP reachable \(port 127\.0\.0\.1:9\)/),
    ]);
    const last = findings.at(-1);
    assert.deepEqual([last?.step, last?.verdict], ['Media path (UDP)', 'ill']);
    assert.match(last?.words ?? '', /port 127\.0\.0\.1:9.*firewall/);
    await tested.close();
  }),
);

browserTest('the doctor says that signalling is closed, and that the page’s server is gone', async (browser) => {
  const limits = { connectionsMax: 100, stillTimeout: 60_000 };
  const listener = new HttpListener({ port: 0, host: '127.0.0.1', ...limits }, () => {});
  listener.mount('/', pageHandler({ wsPort: 9 }));
  const tested = await openTested(browser, `http://localhost:${await listener.listen()}/?source=none`);
  const closed = (await examined(tested, 'Check the connection')).at(-1);
  assert.deepEqual([closed?.step, closed?.verdict], ['Signalling (WebSocket)', 'ill']);
  assert.match(closed?.words ?? '', /Signalling not reachable/);
  await listener.close();
  const gone = (await examined(tested, 'Check again')).at(-1);
  assert.deepEqual([gone?.step, gone?.verdict], ['Page server', 'ill']);
  await tested.close();
});

browserTest('the details of a tile tell rates, losses, round trip, codec and size, and go again', (browser) =>
  withServer({}, async ({ httpUrl }, guests) => {
    await openAll(browser, httpUrl, guests, ['ada', 'bob']);
    const [ada] = guests as [Guest];
    await everybodySeesEverybody(guests);
    const { page } = ada.tested;
    for (const who of ['bob', 'ada (you)']) {
      const button = page.getByRole('button', { name: `Details of ${who}` });
      await button.click();
      assert.equal(await button.getAttribute('aria-expanded'), 'true');
      const tile = page.getByRole('article', { name: who });
      const details = await eventually(
        `figures of ${who}`,
        async () => (await tile.locator('dl').innerText()).replace(/\s+/g, ' '),
        (text) => /Picture H264 \d+×\d+, \d+ fps, [1-9]\d* kbit\/s/.test(text) && /Round trip \d+ ms/.test(text),
      );
      assert.match(details, /Sound opus, \d+ kbit\/s/);
      assert.match(details, /Lost \d+\.\d %/);
      assert.match(details, /Path host udp /);
      await button.click();
      assert.equal(await tile.locator('dl').isVisible(), false);
    }
  }),
);

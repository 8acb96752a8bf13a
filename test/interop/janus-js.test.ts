import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe } from 'node:test';
import { browserTest, eventually, openTested } from '../support/browser.js';
import { serveJanusJs } from '../support/janus-js-page.js';
import { type RunningServer, startServer } from '../support/server.js';

interface Received {
  framesDecoded: number;
  totalAudioEnergy: number;
}

describe('janus.js 1.4 in Chromium', () => {
  let server: RunningServer;
  let page: Server;
  before(async () => {
    server = await startServer({ workers: 2 });
    page = await serveJanusJs();
  });
  after(async () => {
    page.close();
    assert.equal(await server.stop(), 0);
  });

  browserTest('publishes, subscribes, and talks over data channels', async (browser) => {
    const { run, close } = await openTested(browser, `http://127.0.0.1:${(page.address() as AddressInfo).port}/`);
    try {
      for (const id of ['alice', 'bob']) await run(`addUser('${id}', '${server.wsUrl}')`);
      assert.deepEqual(await run(`users.alice.publish('lobby')`), []);
      assert.deepEqual(await run(`users.bob.publish('lobby')`), ['alice']);
      assert.deepEqual(await run('users.alice.joined'), ['bob']);
      await run(`users.alice.subscribe('lobby', 'bob')`);
      await run(`users.bob.subscribe('lobby', 'alice')`);
      for (const [id, source] of [
        ['alice', 'bob'],
        ['bob', 'alice'],
      ]) {
        await eventually(
          `${id} sees and hears ${source}`,
          () => run<Received>(`users.${id}.received('${source}')`),
          ({ framesDecoded, totalAudioEnergy }) => framesDecoded >= 10 && totalAudioEnergy > 0,
        );
      }
      await run(`users.alice.say('hello, Bob: ü ♥')`);
      await run('users.alice.say([0, 255, 1, 254])');
      const label = await run<string>('users.bob.label');
      const heard = await eventually(
        'bob hears alice',
        () => run<unknown[]>('users.bob.heard'),
        (messages) => messages.length >= 2,
      );
      assert.deepEqual(heard, [
        { label, data: 'hello, Bob: ü ♥' },
        { label, data: [0, 255, 1, 254] },
      ]);
      const media = await run<{ type: string; receiving: boolean; mid: string }[]>('users.alice.media');
      assert.deepEqual(media.map(({ type, receiving }) => `${type} ${receiving}`).sort(), ['audio true', 'video true']);
      await run('users.bob.leave()');
      await eventually(
        'alice learns that bob left',
        () => run<string[]>('users.alice.left'),
        (left) => left.includes('bob'),
      );
    } finally {
      await close();
    }
  });
});

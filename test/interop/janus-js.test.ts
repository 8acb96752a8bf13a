import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe } from 'node:test';
import { browserTest, eventually, openTested } from '../support/browser.js';
import { serveJanusJs } from '../support/janus-js-page.js';
import { type RunningServer, startServer } from '../support/server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

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

  browserTest(
    'trickles both ways, claims its session after a cut, hangs up, detaches, begins anew after a restart',
    async (browser) => {
      const first = await startServer({ env: { FULL_TRICKLE: 'true', RECLAIM_SESSION_TIMEOUT: '20' } });
      const proxy = await TcpProxy.start(Number(new URL(first.wsUrl).port));
      const tested = await openTested(browser, `http://127.0.0.1:${(page.address() as AddressInfo).port}/`);
      const { run, close } = tested;
      const trickled = { sent: 0, received: 0 };
      const count = (way: 'sent' | 'received') => (frame: { payload: string | Buffer }) => {
        if (JSON.parse(String(frame.payload)).janus === 'trickle') trickled[way] += 1;
      };
      tested.page.on('websocket', (socket) => {
        socket.on('framesent', count('sent'));
        socket.on('framereceived', count('received'));
      });
      let second: RunningServer | null = null;
      try {
        await run(`addUser('alice', 'ws://127.0.0.1:${proxy.port}')`);
        await run(`addUser('bob', '${first.wsUrl}')`);
        await run(`users.alice.publish('lobby')`);
        await run(`users.bob.publish('lobby')`);
        await run(`users.bob.subscribe('lobby', 'alice')`);
        const frames = async () => (await run<Received>(`users.bob.received('alice')`)).framesDecoded;
        await eventually('bob sees alice', frames, (decoded) => decoded >= 10);
        assert.ok(trickled.sent >= 6 && trickled.received >= 6, JSON.stringify(trickled));

        proxy.cut();
        const losses = () => run<string[]>('users.alice.losses');
        await eventually('alice notices', losses, (all) => all.some((reason) => reason.includes('Lost connection')));
        const before = await frames();
        await eventually('media goes on', frames, (decoded) => decoded > before + 10);
        await run('users.alice.reconnect()');

        await run(`users.bob.hangup('alice')`);
        const hangups = () => run<string[]>('users.bob.hangups');
        // janus.js closes its PeerConnection with the request: the server hears of the one or the other first.
        const [reason = ''] = await eventually('the hangup', hangups, (all) => all.length > 0);
        assert.match(reason, /^alice: (Janus API|DTLS alert)$/);
        await run(`users.bob.detach('alice')`);
        await run('users.bob.leave()');
        const left = () => run<string[]>('users.alice.left');
        await eventually('alice hears of it where she is now', left, (all) => all.includes('bob'));

        const known = (await losses()).length;
        assert.equal(await first.stop(), 0, first.output());
        await eventually('alice notices again', losses, (all) => all.length > known);
        second = await startServer({ env: { WS_PORT: new URL(first.wsUrl).port } });
        await run(`addUser('again', '${second.wsUrl}')`);
        assert.deepEqual(await run(`users.again.publish('lobby')`), []);
      } finally {
        await close();
        proxy.close();
        await first.stop();
        await second?.stop();
      }
    },
  );
});

import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe } from 'node:test';
import { browserTest, eventually, openTested, quietFor, type TestedPage } from '../support/browser.js';
import { serveJanusJs } from '../support/janus-js-page.js';
import { type RunningServer, startServer } from '../support/server.js';

/** What the page sends to the server: the verbs of its POSTs, and its long polls. */
function watch({ page }: TestedPage) {
  const verbs: string[] = [];
  const polls: string[] = [];
  let sockets = 0;
  page.on('websocket', () => {
    sockets += 1;
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!url.pathname.startsWith('/janus/') && url.pathname !== '/janus') return;
    if (request.method() === 'POST') verbs.push(String(JSON.parse(request.postData() ?? '{}').janus));
    if (request.method() === 'GET') polls.push(url.search);
  });
  return { verbs, polls, sockets: () => sockets };
}

describe('janus.js 1.4 over HTTP in Chromium', () => {
  let server: RunningServer;
  let page: Server;
  before(async () => {
    server = await startServer({ workers: 2, env: { HTTP_POLL_TIMEOUT: '5' } });
    page = await serveJanusJs();
  });
  after(async () => {
    page.close();
    assert.equal(await server.stop(), 0);
  });

  browserTest(
    'publishes, subscribes, hangs up, detaches, claims and destroys, with long polls alone',
    async (browser) => {
      const tested = await openTested(browser, `http://127.0.0.1:${(page.address() as AddressInfo).port}/`);
      const { run, close } = tested;
      const { verbs, polls, sockets } = watch(tested);
      const sent = (verb: string) => verbs.filter((one) => one === verb).length;
      try {
        for (const id of ['alice', 'bob']) await run(`addUser('${id}', '${server.httpUrl}/janus')`);
        assert.deepEqual(await run(`users.alice.publish('lobby')`), []);
        assert.deepEqual(await run(`users.bob.publish('lobby')`), ['alice']);
        await eventually(
          'alice learns that bob came',
          () => run<string[]>('users.alice.joined'),
          (joined) => joined.includes('bob'),
        );
        await run(`users.alice.subscribe('lobby', 'bob')`);
        await run(`users.bob.subscribe('lobby', 'alice')`);
        for (const [id, source] of [
          ['alice', 'bob'],
          ['bob', 'alice'],
        ]) {
          await eventually(
            `${id} sees and hears ${source}`,
            () => run<{ framesDecoded: number; totalAudioEnergy: number }>(`users.${id}.received('${source}')`),
            ({ framesDecoded, totalAudioEnergy }) => framesDecoded >= 10 && totalAudioEnergy > 0,
          );
        }
        await run(`users.alice.say('hello')`);
        await eventually(
          'bob hears alice',
          () => run<{ data: unknown }[]>('users.bob.heard'),
          (heard) => heard.some(({ data }) => data === 'hello'),
        );
        assert.ok(sent('trickle') >= 4, `${sent('trickle')} trickles`);
        assert.ok(polls.length > 0 && polls.every((query) => /^\?rid=\d+&maxev=10$/.test(query)));

        // A second loop of polls beside the one that goes on: neither may drive the other.
        await run('users.bob.reconnect()');
        assert.equal(sent('claim'), 1);
        const before = polls.length;
        await quietFor(2000);
        assert.ok(polls.length - before < 12, `${polls.length - before} polls in 2 s`);

        await run(`users.bob.hangup('alice')`);
        const reasons = await eventually(
          'bob learns that his subscription is over',
          () => run<string[]>('users.bob.hangups'),
          (hangups) => hangups.length > 0,
        );
        // janus.js closes its PeerConnection with the request: the server hears of the one or the other first.
        assert.equal(reasons.length, 1);
        assert.match(reasons[0] ?? '', /^alice: (Janus API|DTLS alert)$/);
        await run(`users.bob.detach('alice')`);
        assert.equal(sent('hangup'), 1);
        assert.equal(sent('detach'), 1);

        await run('users.bob.leave()');
        await eventually(
          'alice learns that bob left',
          () => run<string[]>('users.alice.left'),
          (left) => left.includes('bob'),
        );
        await run('users.alice.leave()');
        assert.deepEqual([sent('create'), sent('attach'), sent('destroy'), sockets()], [2, 4, 2, 0]);
      } finally {
        await close();
      }
    },
  );
});

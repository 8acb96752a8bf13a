/**
 * Clients behind bad lines, and those that are gone without a word: frozen, or with their UDP cut (threats.md N6, N8, N9).
 * Side by side: most of it is waiting.
 */
// Runs beside others: most of it is waiting until consent ends.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { publisherOffer, readSdp } from '../../bench/load/sdp.js';
import { ServerProxy } from '../support/lossy-proxy.js';
import { bursty, type LinkConditions } from '../support/network.js';
import { Room, type User } from '../support/peer.js';
import { PeerProcess } from '../support/peer-process.js';
import { nafChannels } from '../support/publisher.js';
import { RealTime } from '../support/real-time.js';
import { type RunningServer, startServer } from '../support/server.js';

after(releaseNative);

/** RFC 7675 5.1: consent is over 30 s after the last answer; with time for the news to get here. */
const CONSENT_LIMIT = 40_000;

/** Announces one certificate, has another, and is told so. */
async function impostorOf(alice: User): Promise<void> {
  const impostor = await alice.attachPublisher();
  const transport = await impostor.peer.offer(nafChannels);
  const fingerprint = transport.fingerprint.replace(/..$/, (last) => (last === '00' ? '01' : '00'));
  const lines = [{ kind: 'application' as const, mid: '0' }];
  const sdp = publisherOffer({ ...transport, fingerprint }, lines, 1, ['h264']);
  const { jsep } = await impostor.handle.message({}, { type: 'offer', sdp });
  assert.ok(jsep);
  impostor.peer.acceptAnswer(readSdp(jsep.sdp).transport);
  await impostor.until(() => impostor.told('hangup').length > 0, 'the hangup');
  assert.equal(impostor.told('hangup')[0]?.reason, 'DTLS alert');
  assert.equal(impostor.told('webrtcup').length, 0);
}

/** What a line does to each direction, by what people call it. */
const LINES: Readonly<Record<string, LinkConditions>> = {
  'loses 5 %': { loss: 0.05 },
  'loses 20 %': { loss: 0.2 },
  'loses in bursts': { bursts: bursty(0.1) },
  'reorders a tenth': { reorder: { share: 0.1, by: 30 } },
  'doubles a third': { duplicate: 0.3 },
  'takes 300 ms': { delay: 300 },
  'does all of it': { loss: 0.05, reorder: { share: 0.1, by: 30 }, duplicate: 0.1, delay: 150, jitter: 30 },
};
const MESSAGES = 30;

/** What a user behind a line got while it was bad. */
interface Outcome {
  what: string;
  messages: string[];
  /** Video packets that are missing, and all datagrams that the line lost on the way to the user. */
  missing: number;
  lost: number;
}

describe('a client', { concurrency: true }, () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({ workers: 1, env: { SESSION_TIMEOUT: '0' } });
  });
  after(async () => assert.equal(await server.stop(), 0, server.output().slice(-2000)));

  test('N8: frozen in its tracks leaves its room within 30 s, and who subscribed to it is told', {
    timeout: 120_000,
  }, async () => {
    const room = new Room(server.wsUrl);
    const witness = await room.enter('witness');
    const watching = await witness.publish();
    const frozen = await PeerProcess.start(server.wsUrl, room.name, 'frozen');
    try {
      const sink = await witness.subscribe('frozen');
      frozen.pause();
      const since = performance.now();
      await watching.until(() => watching.notices('leave').length > 0, 'the leave', CONSENT_LIMIT);
      assert.equal(watching.notices('leave')[0]?.user_id, 'frozen');
      await sink.until(() => sink.told('hangup').length > 0, 'the hangup');
      assert.ok(performance.now() - since > 5000, 'a short pause is forgiven');
    } finally {
      await frozen.stop();
      await room.close();
    }
  });

  test('N8: that is gone by its UDP alone gets a hangup within 30 s, and its handle can be used again', {
    timeout: 120_000,
  }, async () => {
    const room = new Room(server.wsUrl);
    const alice = await room.enter('alice');
    const bob = await room.enter('bob');
    const source = await alice.publish();
    source.start();
    const proxy = await ServerProxy.start();
    try {
      const sink = await bob.subscribe(alice.id, { via: proxy.via });
      await sink.more('audio', 10);
      proxy.lose = () => true;
      await sink.until(() => sink.told('hangup').length > 0, 'the hangup', CONSENT_LIMIT);
      assert.equal(sink.told('hangup')[0]?.reason, 'ICE failed');
      const { jsep } = await sink.handle.message({ kind: 'subscribe', what: { media: alice.id } });
      assert.equal(jsep?.type, 'offer', 'the freed handle subscribes anew');
    } finally {
      await room.close();
      proxy.close();
    }
  });

  test('N6: with another certificate than it announced gets a hangup at once, ten times over, and nobody else is harmed', async () => {
    const room = new Room(server.wsUrl);
    const alice = await room.enter('alice');
    const witness = await alice.publish();
    try {
      for (let attempt = 0; attempt < 10; attempt++) await impostorOf(alice);
      assert.equal(witness.told('hangup').length, 0);
    } finally {
      await room.close();
    }
  });

  test('N9: behind a bad line loses no reliable message, and no media but what the line loses', {
    timeout: 120_000,
  }, async () => {
    const room = new Room(server.wsUrl);
    const time = new RealTime();
    const proxies: ServerProxy[] = [];
    try {
      const alice = await room.enter('alice');
      let port = 0;
      const source = await alice.publish({
        via(candidate) {
          port = Number(candidate.split(' ')[5]);
          return candidate;
        },
      });
      source.start({ audioPps: 0, videoPps: 50 });
      const listeners = [];
      for (const [index, [what, conditions]] of Object.entries(LINES).entries()) {
        const proxy = await ServerProxy.start({ time, seed: 100 * index + 1, serverPort: port });
        proxies.push(proxy);
        const via = (candidate: string) => candidate.split(' ').with(5, String(proxy.port)).join(' ');
        const user = await room.enter(`user${index}`);
        const back = await user.publish({ audio: false, video: false, via });
        const sink = await user.subscribe(alice.id, { via });
        listeners.push({ what, conditions, proxy, back, sink });
      }
      await Promise.all(listeners.map(({ sink }) => sink.more('video', 5)));
      for (const { proxy, conditions } of listeners) proxy.line.impair({ up: conditions, down: conditions });
      const first = source.video.number;
      for (let i = 0; i < MESSAGES; i++) {
        await source.say('reliable', `from alice ${i}`);
        if (i < 10) await Promise.all(listeners.map(({ back, what }) => back.say('reliable', `${what} ${i}`)));
      }
      await source.until(() => source.messages.length >= 10 * listeners.length, 'all messages of all users', 60_000);
      const outcomes = await Promise.all(
        listeners.map(async ({ what, proxy, back, sink }): Promise<Outcome> => {
          const own = () =>
            back.messages.map(({ data }) => String(data)).filter((text) => text.startsWith('from alice'));
          await back.until(() => own().length >= MESSAGES, `all messages to whose line ${what}`, 60_000);
          const last = first + 250;
          const numbers = () => sink.of('video').map(({ number }) => number);
          // Then what was under way has come, or never will.
          await sink.until(() => numbers().some((number) => number > last + 60), `250 packets over ${what}`, 60_000);
          const between = numbers().filter((number) => number >= first && number <= last);
          assert.equal(new Set(between).size, between.length, `nothing came twice where the line ${what}`);
          return { what, messages: own(), missing: last - first + 1 - between.length, lost: proxy.line.down.lost };
        }),
      );
      const sent = Array.from({ length: MESSAGES }, (_, i) => `from alice ${i}`);
      for (const { what, messages, missing, lost } of outcomes) {
        assert.deepEqual(messages, sent, `all messages, once and in order, where the line ${what}`);
        assert.ok(
          missing <= lost,
          `${missing} video packets are missing where the line ${what}; it lost ${lost} datagrams`,
        );
      }
      assert.ok(
        outcomes.some(({ missing }) => missing > 0),
        'the lines are bad',
      );
      for (const { back, what } of listeners) {
        const heard = source.messages.map(({ data }) => String(data)).filter((text) => text.startsWith(`${what} `));
        assert.deepEqual(
          heard,
          Array.from({ length: 10 }, (_, i) => `${what} ${i}`),
        );
        assert.equal(back.told('hangup').length, 0);
      }
    } finally {
      for (const proxy of proxies) proxy.line.impair({});
      await room.close();
      for (const proxy of proxies) proxy.close();
      time.stop();
    }
  });
});

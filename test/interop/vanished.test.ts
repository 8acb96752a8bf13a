/** Clients that are gone without a word: frozen, or with their UDP cut. Nobody waits for them longer than 30 s. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { publisherOffer, readSdp } from '../../bench/load/sdp.js';
import { ServerProxy } from '../support/lossy-proxy.js';
import { Room } from '../support/peer.js';
import { PeerProcess } from '../support/peer-process.js';
import { nafChannels } from '../support/publisher.js';
import { type RunningServer, startServer } from '../support/server.js';

after(releaseNative);

/** RFC 7675 5.1: consent is over 30 s after the last answer; with time for the news to get here. */
const CONSENT_LIMIT = 40_000;

describe('a client that vanished', { concurrency: true }, () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({ workers: 1, env: { SESSION_TIMEOUT: '0' } });
  });
  after(async () => assert.equal(await server.stop(), 0, server.output().slice(-2000)));

  test('frozen in its tracks leaves its room within 30 s, and who subscribed to it is told', {
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

  test('by its UDP alone gets a hangup within 30 s, and its handle can be used again', {
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

  test('with another certificate than it announced gets a hangup at once, and nobody else is harmed', async () => {
    const room = new Room(server.wsUrl);
    const alice = await room.enter('alice');
    const witness = await alice.publish();
    try {
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
      assert.equal(witness.told('hangup').length, 0);
    } finally {
      await room.close();
    }
  });
});

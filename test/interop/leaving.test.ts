import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { ServerProxy } from '../support/lossy-proxy.js';
import { usingRooms } from '../support/suite.js';

after(releaseNative);

/** DTLS records that carry SCTP (RFC 6347 4.1, application data; RFC 7983 7). */
const isData = (datagram: Buffer): boolean => datagram[0] === 23;

describe('A client that leaves while its data channels are being set up', () => {
  const suite = usingRooms({ workers: 1 });

  const ending = async (): Promise<number> => {
    const text = await (await fetch(`${suite.server.httpUrl}/metrics`)).text();
    return Number(/^janus_sfu_shard_peers_ending\{[^}]*\} (\d+)$/m.exec(text)?.[1]);
  };

  test('is forgotten at once, and its PeerConnection ends when they are: sooner could crash the process', async () => {
    const alice = await suite.room.enter('alice');
    const source = await alice.publish();
    source.start();
    const bob = await suite.room.enter('bob');
    const proxy = await ServerProxy.start();
    try {
      proxy.lose = isData;
      const sink = await bob.subscribe(alice.id, { via: proxy.via });
      await sink.more('audio', 3);
      await sink.handle.detach();
      assert.equal(await ending(), 1);
      const witness = await (await suite.room.enter('carol')).subscribe(alice.id);
      const heard = sink.count.audio;
      await witness.more('audio', 5);
      assert.equal(sink.count.audio, heard, 'nothing is forwarded any more');
      proxy.lose = () => false;
      assert.equal(await sink.peer.ended, 'closed');
      assert.equal(await ending(), 0);
    } finally {
      proxy.close();
    }
  });
});

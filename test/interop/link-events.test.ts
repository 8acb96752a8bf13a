/** What clients are told of their media: whether it arrives (`media`), and how much of it is lost (`slowlink`). */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { isMedia, ServerProxy } from '../support/lossy-proxy.js';
import { Random } from '../support/random.js';
import { usingRooms } from '../support/suite.js';

after(releaseNative);

const THRESHOLD = 5;

describe('a client is told', () => {
  const env = { SLOWLINK_THRESHOLD: String(THRESHOLD), NO_MEDIA_TIMEOUT: '0.5' };
  const suite = usingRooms({ workers: 1, env });
  let proxy: ServerProxy;
  beforeEach(async () => {
    proxy = await ServerProxy.start();
  });
  afterEach(() => proxy.close());

  /** Loses three packets in ten, on the way to one side. */
  const lossy = (side: 'server' | 'client') => {
    const draw = new Random(7);
    proxy.lose = (datagram, towards) => towards === side && isMedia(datagram) && draw.below(10) < 3;
  };

  test('when its media arrives, pauses and comes back, by line', async () => {
    const alice = await suite.room.enter('alice');
    const source = await alice.publish();
    const said = (mid: string) =>
      source
        .told('media')
        .filter((event) => event.mid === mid)
        .map(({ type, receiving }) => [type, receiving]);
    source.start({ audioPps: 50, videoPps: 0 });
    await source.until(() => said('1').length === 1, 'audio is received');
    source.stop();
    await source.until(() => said('1').length === 2, 'audio is missed');
    source.start({ audioPps: 50, videoPps: 50 });
    await source.until(() => said('1').length === 3 && said('2').length === 1, 'both are received');
    assert.deepEqual(said('1'), [
      ['audio', true],
      ['audio', false],
      ['audio', true],
    ]);
    assert.deepEqual(said('2'), [['video', true]]);
    const [first] = source.told('media');
    assert.equal(first?.sender, source.handle.id);
    assert.deepEqual(source.told('webrtcup').length, 1, 'webrtcup comes once, and before all of this');
    assert.ok(source.events.findIndex((event) => event.janus === 'webrtcup') < source.events.indexOf(first ?? {}));
  });

  test('when it loses what the server sends', async () => {
    const [alice, bob] = [await suite.room.enter('alice'), await suite.room.enter('bob')];
    const source = await alice.publish();
    source.start();
    const sink = await bob.subscribe(alice.id, { via: proxy.via });
    await sink.more('video', 20);
    assert.deepEqual(sink.told('slowlink'), [], 'a good line is none to tell of');
    sink.report('video');
    lossy('client');
    await sink.more('video', 60);
    sink.report('video');
    await sink.until(() => sink.told('slowlink').some(({ media }) => media === 'video'), 'slowlink');
    for (const { uplink, lost, media, mid } of sink.told('slowlink')) {
      assert.equal(uplink, true, 'seen from the server it is what it sent');
      assert.ok(Number(lost) >= THRESHOLD, `${lost} lost`);
      assert.equal(mid, media === 'audio' ? 'a' : 'v', 'as the offer calls the line');
    }
    assert.deepEqual(source.told('slowlink'), [], 'the other side has no part in it');
  });

  test('when the server loses what it sends', async () => {
    const alice = await suite.room.enter('alice');
    const source = await alice.publish({ via: proxy.via });
    source.start();
    await source.until(() => source.told('media').length === 2, 'media arrives');
    lossy('server');
    await source.until(() => source.told('slowlink').some(({ media }) => media === 'video'), 'slowlink');
    for (const { uplink, lost, media, mid } of source.told('slowlink')) {
      assert.equal(uplink, false);
      assert.ok(Number(lost) >= THRESHOLD, `${lost} lost`);
      assert.equal(mid, media === 'audio' ? '1' : '2');
    }
  });
});

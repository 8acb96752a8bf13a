/** What the metrics say of media, beside what clients sent and got. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { releaseNative } from '../../bench/load/media-peer.js';
import { startCall } from '../support/call.js';
import { type Family, readExposition, sampleOf } from '../support/exposition.js';
import { usingRooms } from '../support/suite.js';

after(releaseNative);

const SHARD = { shard: '0' };

describe('the metrics of a call', () => {
  const suite = usingRooms({ workers: 1 });

  const measure = async () => readExposition(await (await fetch(`${suite.server.httpUrl}/metrics`)).text());
  const of = (families: Map<string, Family>, name: string, labels: Record<string, string> = SHARD) =>
    sampleOf(families, `janus_sfu_${name}`, labels);

  test('count each packet that came and that went out, and drops by their reason', async () => {
    const { alice, source, sink, back } = await startCall(suite.room);
    const from = await measure();
    assert.deepEqual([of(from, 'publishers', {}), of(from, 'subscribers', {}), of(from, 'shard_peers')], [2, 1, 3]);
    assert.deepEqual([of(from, 'up_tracks'), of(from, 'down_tracks')], [4, 2]);
    const sent = () => source.video.number + source.audio.number;
    const before = sent();
    await Promise.all([sink.more('video', 200), sink.more('audio', 50)]);
    const got = sink.count.video + sink.count.audio;
    const to = await measure();
    const grown = (name: string, labels?: Record<string, string>) => of(to, name, labels) - of(from, name, labels);
    const received = grown('rtp_packets_received_total');
    // Some are on their way while one looks.
    assert.ok(received >= 250 && Math.abs(received - (sent() - before)) < 60, `${received} of ${sent() - before}`);
    assert.equal(grown('rtp_packets_admitted_total'), received);
    assert.equal(grown('rtp_packets_forwarded_total'), received);
    assert.ok(Math.abs(of(to, 'rtp_packets_forwarded_total') - got) < 60, `${got}`);
    assert.ok(grown('rtp_received_bytes_total') > received * 100);
    assert.equal(grown('shard_heartbeats_total') > 0, true);

    await back.block(alice.id);
    const blocked = of(await measure(), 'rtp_packets_dropped_total', { ...SHARD, reason: 'blocked' });
    const seen = source.video.number;
    await source.until(() => source.video.number > seen + 50, 'more packets');
    const families = await measure();
    assert.ok(of(families, 'rtp_packets_dropped_total', { ...SHARD, reason: 'blocked' }) > blocked);
    assert.equal(of(families, 'blocked_pairs'), 1);
    assert.equal(of(families, 'shard_faults_total'), 0);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeyframeRequester, REQUEST_INTERVAL, RETRY_INTERVAL } from '../../workers/keyframe-requester.js';

describe('KeyframeRequester', () => {
  test('sends the first request at once', () => {
    assert.equal(new KeyframeRequester().request('pli', 1000), 'pli');
  });

  test('M9: merges ten thousand requests of one interval into one that is sent when its turn comes', () => {
    const requester = new KeyframeRequester();
    const sent: number[] = [];
    for (let i = 0; i < 10_000; i++) {
      const now = 1000 + (i * REQUEST_INTERVAL) / 10_000;
      if (requester.request('pli', now)) sent.push(now);
    }
    assert.deepEqual(sent, [1000]);
    assert.equal(requester.due(false, 1000 + REQUEST_INTERVAL), 'pli');
    assert.equal(requester.due(false, 1000 + 2 * REQUEST_INTERVAL), null);
  });

  test('lets a FIR outrank the PLIs that it is merged with', () => {
    const requester = new KeyframeRequester();
    requester.request('pli', 0);
    requester.request('fir', 10);
    requester.request('pli', 20);
    assert.equal(requester.due(false, REQUEST_INTERVAL), 'fir');
  });

  test('forgets a request that a keyframe answered before its turn', () => {
    const requester = new KeyframeRequester();
    requester.request('pli', 0);
    requester.request('pli', 10);
    requester.satisfied();
    assert.equal(requester.due(false, REQUEST_INTERVAL), null);
  });

  test('repeats the last kind while somebody waits, once per retry interval', () => {
    const requester = new KeyframeRequester();
    requester.request('fir', 0);
    assert.equal(requester.due(true, RETRY_INTERVAL - 1), null);
    assert.equal(requester.due(true, RETRY_INTERVAL), 'fir');
    assert.equal(requester.due(true, RETRY_INTERVAL + 100), null);
    assert.equal(requester.due(true, 2 * RETRY_INTERVAL), 'fir');
  });
});

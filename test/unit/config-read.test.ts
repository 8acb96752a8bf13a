import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '../../src/config/read.js';

const config = (env: Record<string, string>) => {
  const read = readConfig(env);
  assert.ok(read.ok, read.ok ? '' : read.problems.join('\n'));
  return read.config;
};
const problems = (env: Record<string, string>) => {
  const read = readConfig(env);
  return read.ok ? [] : read.problems;
};

describe('settings', () => {
  test('have the documented defaults', () => {
    const {
      WS_PORT,
      HTTP_PORT,
      RTP_PORT,
      SESSION_TIMEOUT,
      VIDEO_BITRATE_MAX,
      VIDEO_CODECS,
      PLACEMENT,
      AUTH_KEY,
      PUBLIC_IP,
    } = config({});
    assert.deepEqual(
      {
        WS_PORT,
        HTTP_PORT,
        RTP_PORT,
        SESSION_TIMEOUT,
        VIDEO_BITRATE_MAX,
        VIDEO_CODECS,
        PLACEMENT,
        AUTH_KEY,
        PUBLIC_IP,
      },
      {
        WS_PORT: 8188,
        HTTP_PORT: 8088,
        RTP_PORT: 51610,
        SESSION_TIMEOUT: 60_000,
        VIDEO_BITRATE_MAX: 2_500_000,
        VIDEO_CODECS: ['h264', 'vp8', 'vp9', 'av1'],
        PLACEMENT: 'auto',
        AUTH_KEY: undefined,
        PUBLIC_IP: [],
      },
    );
    assert.ok(config({}).SFU_WORKERS >= 1);
  });

  test('are read in their own form', () => {
    const read = config({
      PUBLIC_IP: '192.0.2.1, 2001:db8::1',
      VIDEO_CODECS: 'VP8,h264',
      SUBSCRIBE_WAIT: '0.5',
      JOIN_REPLY_INCLUDES_SELF: 'TRUE',
      PLACEMENT: 'Spread',
      UNRELIABLE_LABELS: 'a,b',
    });
    assert.deepEqual(read.PUBLIC_IP, ['192.0.2.1', '2001:db8::1']);
    assert.deepEqual(read.VIDEO_CODECS, ['vp8', 'h264']);
    assert.equal(read.SUBSCRIBE_WAIT, 500);
    assert.equal(read.JOIN_REPLY_INCLUDES_SELF, true);
    assert.equal(read.PLACEMENT, 'spread');
    assert.deepEqual(read.UNRELIABLE_LABELS, ['a', 'b']);
  });

  test('have aliases; the first name wins, and an empty one counts as not set', () => {
    assert.equal(config({ EVENT_LOOPS: '3' }).SFU_WORKERS, 3);
    assert.equal(config({ EVENT_LOOPS: '3', SFU_WORKERS: '2' }).SFU_WORKERS, 2);
    assert.equal(config({ EVENT_LOOPS: '3', SFU_WORKERS: '' }).SFU_WORKERS, 3);
    assert.equal(config({ HOST: '127.0.0.1' }).BIND, '127.0.0.1');
  });

  test('that are wrong are all said at once, by the name that was used', () => {
    assert.deepEqual(
      problems({
        WS_PORT: 'abc',
        EVENT_LOOPS: '0',
        PUBLIC_IP: 'example.org',
        VIDEO_CODECS: 'h265',
        NOTIFY_SCOPE: 'all',
        WS_PING_INTERVAL: '-1',
      }),
      [
        'WS_PORT="abc": should be a whole number from 0 to 65535',
        'EVENT_LOOPS="0": should be a whole number from 1 to 64',
        'PUBLIC_IP="example.org": should be IP addresses, separated by commas',
        'NOTIFY_SCOPE="all": should be one of room, server',
        'VIDEO_CODECS="h265": should be h264, vp8, vp9, av1 or some of them, separated by commas, best first',
        'WS_PING_INTERVAL="-1": should be a number of seconds from 0 to 3600',
      ],
    );
  });

  test('that do not fit together are said too', () => {
    assert.match(problems({ RTP_PORT: '65530', SFU_WORKERS: '8' })[0] ?? '', /RTP_PORT=65530: with 8 workers/);
  });

  test('every one of them says what it should be', () => {
    const impossible = '\u0000\r\n';
    const names = [
      'BIND',
      'WS_PORT',
      'HTTP_PORT',
      'RTP_PORT',
      'SFU_WORKERS',
      'PLACEMENT',
      'PUBLIC_IP',
      'MAX_ROOM_SIZE',
      'MAX_CCU',
      'SESSION_TIMEOUT',
      'JOIN_REPLY_INCLUDES_SELF',
      'VIDEO_CODECS',
      'BLOCK_STORE',
      'LOG_LEVEL',
      'LOG_FORMAT',
    ];
    const said = problems(Object.fromEntries(names.map((name) => [name, impossible])));
    assert.equal(said.length, names.length);
    for (const line of said) {
      assert.doesNotMatch(line, /should be valid/);
      assert.doesNotMatch(line, /[\r\n]/);
    }
  });
});

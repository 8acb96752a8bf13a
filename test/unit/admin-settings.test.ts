import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AdminSettings, LOG_LEVEL_MAX, logLevelOf } from '../../src/janus/admin/settings.js';
import { createLog } from '../../src/observability/log.js';

function open() {
  const log = createLog('warn', 'json', () => {});
  const limits = { noMediaTimeout: 1500, slowlinkThreshold: 4 };
  const told: object[] = [];
  const settings = new AdminSettings({
    sessions: {
      settings: {
        sessionTimeout: 38_000,
        reclaimTimeout: 5000,
        sessionsPerConnection: 1,
        handlesPerConnection: 1,
        unjoinedHandlesPerConnection: 1,
        requestsPerHandle: 1,
        eventsMax: 1,
        eventBytesMax: 1,
      },
    },
    shards: {
      limits,
      setLimits: async (changed) => {
        told.push(changed);
        Object.assign(limits, changed);
      },
    },
    authority: { usesTokens: true },
    log,
    candidatesTimeout: 45_000,
  });
  return { settings, log, told };
}

describe('the settings of the Admin API', () => {
  test('begin as the server was started', () => {
    assert.deepEqual(open().settings.status(), {
      token_auth: true,
      session_timeout: 38,
      reclaim_session_timeout: 5,
      candidates_timeout: 45,
      log_level: 3,
      log_timestamps: true,
      log_colors: false,
      log_rotate_sig: false,
      locking_debug: false,
      refcount_debug: false,
      min_nack_queue: 200,
      'nack-optimizations': false,
      no_media_timer: 1.5,
      slowlink_threshold: 4,
    });
  });

  test('have Janus’ log levels: none, fatal, error, warning, info, and three for debug', () => {
    assert.deepEqual(
      Array.from({ length: LOG_LEVEL_MAX + 1 }, (_, number) => logLevelOf(number)),
      ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'debug', 'debug'],
    );
  });

  test('tell the log level that was asked for, until the log’s own has changed', () => {
    const { settings, log } = open();
    for (const level of [7, 6, 5, 4, 0]) {
      settings.logLevel = level;
      assert.deepEqual([settings.logLevel, log.level], [level, logLevelOf(level)]);
    }
    log.level = 'debug';
    assert.equal(settings.logLevel, 5);
  });

  test('tell the shards in their own units', async () => {
    const { settings, told } = open();
    await settings.setNoMediaTimer(3);
    await settings.setSlowlinkThreshold(9);
    assert.deepEqual(told, [{ noMediaTimeout: 3000 }, { slowlinkThreshold: 9 }]);
    assert.deepEqual([settings.noMediaTimer, settings.slowlinkThreshold], [3, 9]);
  });
});

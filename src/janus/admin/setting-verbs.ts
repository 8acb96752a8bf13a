import type { Fields } from '../envelope.js';
import { wrongType } from '../errors.js';
import { AdminError, required } from './fields.js';
import type { AdminParts, ServerVerb } from './parts.js';
import { LOG_LEVEL_MAX } from './settings.js';

/** Longest time that a setting takes, in its own unit: a number of milliseconds must stay exact. */
const TIME_MAX = 1_000_000_000;

function time(fields: Fields, name: string): number {
  const value = required(fields, name, 'a positive integer');
  if (value > TIME_MAX) throw new AdminError(wrongType(name, `at most ${TIME_MAX}`));
  return value;
}

/** A time of a session: as `time`, or -1 for "as all sessions". */
export function sessionTime(fields: Fields, name: string): number | null {
  const value = required(fields, name, 'an integer');
  if (value < -1 || value > TIME_MAX) throw new AdminError(wrongType(name, 'a non-negative integer or -1'));
  return value === -1 ? null : value;
}

/** The verbs that change settings of the whole server; all answer with what holds from now on. */
export function settingVerbs({ api, settings, log }: AdminParts): Record<string, ServerVerb> {
  return {
    get_status: () => ({ status: settings.status() }),
    set_session_timeout: (fields) => {
      settings.sessionTimeout = time(fields, 'timeout');
      return { timeout: settings.sessionTimeout };
    },
    set_log_level: (fields) => {
      const level = required(fields, 'level', 'a positive integer');
      if (level > LOG_LEVEL_MAX) throw new AdminError(wrongType('level', `between 0 and ${LOG_LEVEL_MAX}`));
      settings.logLevel = level;
      return { level: settings.logLevel };
    },
    set_log_timestamps: (fields) => {
      log.timestamps = required(fields, 'timestamps', 'a boolean');
      return { log_timestamps: log.timestamps };
    },
    set_log_colors: (fields) => {
      log.colors = required(fields, 'colors', 'a boolean');
      return { log_colors: log.colors };
    },
    set_locking_debug: (fields) => {
      settings.lockingDebug = required(fields, 'debug', 'a boolean');
      return { locking_debug: settings.lockingDebug };
    },
    set_refcount_debug: (fields) => {
      settings.refcountDebug = required(fields, 'debug', 'a boolean');
      return { refcount_debug: settings.refcountDebug };
    },
    set_min_nack_queue: (fields) => {
      settings.minNackQueue = time(fields, 'min_nack_queue');
      return { min_nack_queue: settings.minNackQueue };
    },
    set_nack_optimizations: (fields) => {
      settings.nackOptimizations = required(fields, 'nack_optimizations', 'a boolean');
      return { 'nack-optimizations': settings.nackOptimizations };
    },
    set_no_media_timer: async (fields) => {
      await settings.setNoMediaTimer(time(fields, 'no_media_timer'));
      return { no_media_timer: settings.noMediaTimer };
    },
    set_slowlink_threshold: async (fields) => {
      await settings.setSlowlinkThreshold(time(fields, 'slowlink_threshold'));
      return { slowlink_threshold: settings.slowlinkThreshold };
    },
    accept_new_sessions: (fields) => {
      api.acceptingSessions = required(fields, 'accept', 'a boolean');
      return { accept: api.acceptingSessions };
    },
  };
}

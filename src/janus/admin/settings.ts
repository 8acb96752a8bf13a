import { LEVELS_BY_NUMBER, type LogLevel } from '../../observability/levels.js';
import type { AdjustableLog } from '../../observability/log.js';
import type { Shards } from '../../shards/pool.js';
import type { Authority } from '../authority.js';
import type { Sessions } from '../sessions.js';

export interface AdminSettingsParts {
  sessions: Pick<Sessions, 'settings'>;
  shards: Pick<Shards, 'limits' | 'setLimits'>;
  authority: Pick<Authority, 'usesTokens'>;
  log: Pick<AdjustableLog, 'level' | 'timestamps' | 'colors'>;
  /** Milliseconds. */
  candidatesTimeout: number;
  /** Milliseconds, at the start; Janus' 200 unless told. */
  minNackQueue?: number;
}

/** Milliseconds: Janus' default. */
const MIN_NACK_QUEUE = 200;
export const LOG_LEVEL_MAX = LEVELS_BY_NUMBER.length - 1;

export function logLevelOf(number: number): LogLevel {
  return LEVELS_BY_NUMBER[number] ?? 'debug';
}

/** The settings that operators read and change while the server runs. Times in Janus' units: seconds. */
export class AdminSettings {
  readonly #parts: AdminSettingsParts;
  #logLevel: number | null = null;
  /** Milliseconds. Kept to be told again: our histories are as long as their packets, not as a time. */
  minNackQueue: number;
  nackOptimizations = false;
  /** Kept to be told again: nothing here is locked, or counts references. */
  lockingDebug = false;
  refcountDebug = false;

  constructor(parts: AdminSettingsParts) {
    this.#parts = parts;
    this.minNackQueue = parts.minNackQueue ?? MIN_NACK_QUEUE;
  }

  get sessionTimeout(): number {
    return this.#parts.sessions.settings.sessionTimeout / 1000;
  }

  set sessionTimeout(seconds: number) {
    this.#parts.sessions.settings.sessionTimeout = seconds * 1000;
  }

  /** 0..7. Several of Janus' levels are one of ours; the one that was asked for last is told. */
  get logLevel(): number {
    const { level } = this.#parts.log;
    const asked = this.#logLevel;
    return asked !== null && logLevelOf(asked) === level ? asked : LEVELS_BY_NUMBER.indexOf(level);
  }

  set logLevel(number: number) {
    this.#logLevel = number;
    this.#parts.log.level = logLevelOf(number);
  }

  get noMediaTimer(): number {
    return this.#parts.shards.limits.noMediaTimeout / 1000;
  }

  setNoMediaTimer(seconds: number): Promise<void> {
    return this.#parts.shards.setLimits({ noMediaTimeout: seconds * 1000 });
  }

  get slowlinkThreshold(): number {
    return this.#parts.shards.limits.slowlinkThreshold;
  }

  setSlowlinkThreshold(packets: number): Promise<void> {
    return this.#parts.shards.setLimits({ slowlinkThreshold: packets });
  }

  /** The fields of `get_status`. */
  status(): object {
    const { log, sessions, authority, candidatesTimeout } = this.#parts;
    return {
      token_auth: authority.usesTokens,
      session_timeout: this.sessionTimeout,
      reclaim_session_timeout: sessions.settings.reclaimTimeout / 1000,
      candidates_timeout: candidatesTimeout / 1000,
      log_level: this.logLevel,
      log_timestamps: log.timestamps,
      log_colors: log.colors,
      log_rotate_sig: false,
      locking_debug: this.lockingDebug,
      refcount_debug: this.refcountDebug,
      min_nack_queue: this.minNackQueue,
      'nack-optimizations': this.nackOptimizations,
      no_media_timer: this.noMediaTimer,
      slowlink_threshold: this.slowlinkThreshold,
    };
  }
}

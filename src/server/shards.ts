import type { Config } from '../config/schema.js';
import type { Log, LogFields } from '../observability/log.js';
import { Shards } from '../shards/pool.js';

/**
 * Starts the media workers of a server.
 *
 * @throws Error that says what is not to be had: a port, the native addon
 */
export function startShards(config: Config, log: Log): Promise<Shards> {
  return Shards.start({
    workers: config.SFU_WORKERS,
    rtpPort: config.RTP_PORT,
    placement: config.PLACEMENT,
    fanOut: config.FAN_OUT,
    loadMax: config.WORKER_LOAD_MAX / 100,
    stallLimit: config.WORKER_STALL_LIMIT,
    settings: {
      videoBitrateMin: config.VIDEO_BITRATE_MIN,
      videoBitrateMax: config.VIDEO_BITRATE_MAX,
      dataBacklogMax: config.DATA_BACKLOG_MAX,
      unreliableLabels: config.UNRELIABLE_LABELS,
      loopDelayMax: config.LOOP_DELAY_MAX,
      connectTimeout: config.CANDIDATES_TIMEOUT,
      noMediaTimeout: config.NO_MEDIA_TIMEOUT,
      slowlinkThreshold: config.SLOWLINK_THRESHOLD,
      addonFolders: config.ADDON_FOLDERS,
      batchScheduling: config.BATCH_SCHEDULING,
      workerPinning: config.WORKER_PINNING,
    },
    log: (level, message, fields) => log(level, message, plainFields(fields)),
  });
}

function plainFields(fields: object): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'number' ? value : String(value)]),
  );
}

/** Who may come in: the check of tokens, with the bans of those whose users were kicked. */
import type { KeyObject } from 'node:crypto';
import type { Config } from '../config/schema.js';
import type { Log } from '../observability/log.js';
import { type BanStore, MemoryBanStore, openLmdbBanStore } from '../sfu/ban-store.js';
import { Bans } from '../sfu/bans.js';
import { Gatekeeper, wallClock } from '../sfu/gatekeeper.js';

/** Bans that can't be kept are no reason to turn everybody away: they then work until the server ends. */
function openBanStore(config: Config, log: Log): BanStore {
  if (config.BLOCK_STORE === 'memory') return new MemoryBanStore();
  try {
    return openLmdbBanStore(config.DATA_DIR);
  } catch (error) {
    const reason = `bans will be lost at the next restart: make DATA_DIR writable (${String(error)})`;
    log('error', 'the store of bans can not be opened', { folder: config.DATA_DIR, reason });
    return new MemoryBanStore();
  }
}

/** @param key null = no tokens are needed */
export function composeGatekeeper(config: Config, key: KeyObject | null, log: Log): Gatekeeper {
  const settings = { userRequired: config.TOKEN_USER_REQUIRED, lengthMax: config.TOKEN_LENGTH_MAX };
  if (!config.BAN_KICKED_TOKENS || !key) return new Gatekeeper(key, settings);
  const failed = (error: unknown) => log('error', 'a ban could not be saved', { reason: String(error) });
  return new Gatekeeper(key, {
    ...settings,
    bans: new Bans(openBanStore(config, log), config.BANS_MAX, wallClock, failed),
  });
}

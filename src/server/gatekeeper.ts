/** Who may come in: the check of tokens, with the bans of those whose users were kicked. */
import type { KeyObject } from 'node:crypto';
import type { Config } from '../config/schema.js';
import type { Log } from '../observability/log.js';
import { Bans } from '../sfu/bans.js';
import { Gatekeeper, wallClock } from '../sfu/gatekeeper.js';
import type { Tables } from './tables.js';

/** @param key null = no tokens are needed */
export function composeGatekeeper(config: Config, key: KeyObject | null, tables: Tables, log: Log): Gatekeeper {
  const settings = { userRequired: config.TOKEN_USER_REQUIRED, lengthMax: config.TOKEN_LENGTH_MAX };
  if (!config.BAN_KICKED_TOKENS || !key) return new Gatekeeper(key, settings);
  const failed = (error: unknown) => log('error', 'a ban could not be saved', { reason: String(error) });
  return new Gatekeeper(key, {
    ...settings,
    bans: new Bans(tables.openBans(), config.BANS_MAX, wallClock, failed),
  });
}

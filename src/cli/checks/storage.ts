import { accessSync, constants, existsSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../config/schema.js';
import { CommandError } from '../command.js';
import { readAuthKey } from '../settings.js';
import { type Finding, ok, problem } from './finding.js';

/** The folder itself, or the nearest one above it that is there. */
function nearestFolder(folder: string): string {
  let current = folder;
  while (!existsSync(current) && path.dirname(current) !== current) current = path.dirname(current);
  return current;
}

/** Whether the block store's folder can be written, or made. Leaves nothing behind. */
export function checkDataFolder(config: Pick<Config, 'BLOCK_STORE' | 'DATA_DIR'>, folder: string): Finding {
  const topic = 'DATA_DIR';
  if (config.BLOCK_STORE === 'memory')
    return ok(topic, 'is not needed: blocks are kept in memory until the server ends');
  const target = path.resolve(folder, config.DATA_DIR);
  const existing = nearestFolder(target);
  const advice =
    'Make it writable for this user, or set DATA_DIR to another; without, blocks are lost at each restart.';
  try {
    if (!statSync(existing).isDirectory()) return problem(topic, `${existing} is no folder`, advice);
    accessSync(existing, constants.W_OK | constants.X_OK);
    // A read-only or full disk shows only now.
    rmdirSync(mkdtempSync(path.join(existing, '.janus-sfu-check-')));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return problem(topic, `${target} can not be written (${code})`, advice);
  }
  return ok(topic, existing === target ? `${target} is writable` : `${target} can be made`);
}

/** Whether the key that tokens are checked with can be read, and is strong enough. */
export function checkAuthKey(config: Pick<Config, 'AUTH_KEY'>): Finding {
  const topic = 'AUTH_KEY';
  try {
    const key = readAuthKey(config);
    if (!key) return ok(topic, 'is not set: everybody may join every room, and nobody may kick');
    return ok(topic, `is a public RSA key of ${key.asymmetricKeyDetails?.modulusLength} bits`);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return problem(topic, error.message, '"janus-sfu keys" makes a pair of keys; the server gets public.pem.');
  }
}

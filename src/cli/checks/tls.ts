import type { Config } from '../../config/schema.js';
import { loadTlsPair } from '../../http/tls.js';
import { CommandError } from '../command.js';
import { readTls } from '../settings.js';
import { type Finding, ok, problem, warning } from './finding.js';

const DAY = 86_400_000;
/** Days before the end from when on it is a warning: whoever renews by itself has done so by then. */
const DAYS_WANTED = 14;

const RENEW = 'Renew it; a running server takes the new files by itself.';

/**
 * Whether the certificate of the WebSocket and page ports can be served, and for how long.
 *
 * @param now Unix time, milliseconds
 * @returns nothing where there is none: that is usual
 */
export function checkTls(config: Pick<Config, 'TLS_CERT' | 'TLS_KEY'>, now: number = Date.now()): Finding[] {
  const topic = 'TLS_CERT';
  try {
    const pair = readTls(config, loadTlsPair);
    if (!pair) return [];
    const { validFrom, validTo, names } = pair;
    const until = new Date(validTo).toISOString().slice(0, 10);
    const days = Math.floor((validTo - now) / DAY);
    if (validTo <= now) return [problem(topic, `the certificate has expired (${until}): browsers refuse it`, RENEW)];
    if (validFrom > now) {
      const from = new Date(validFrom).toISOString();
      const advice = 'Look at this machine’s clock, or wait.';
      return [problem(topic, `the certificate is valid from ${from} only: browsers refuse it`, advice)];
    }
    const whose = names.length > 0 ? names.join(', ') : 'no host name';
    if (days < DAYS_WANTED) return [warning(topic, `the certificate is valid for ${days} days (${until})`, RENEW)];
    return [ok(topic, `is for ${whose}, valid for ${days} days (${until})`)];
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return [problem(topic, error.message, 'Give the certificate with its chain and its key, both as PEM files.')];
  }
}

import { randomUUID } from 'node:crypto';
import type { Config } from '../config/schema.js';
import { CommandError, EXIT_USAGE, type Option } from './command.js';

export const ADMIN_URL_OPTION: Option = {
  name: 'url',
  value: 'url',
  meaning: 'of the Admin API, with its path; unless told, that of the settings ADMIN_BIND and ADMIN_PORT',
};

/** Milliseconds until a server counts as not there. */
const TIME_LIMIT = 10_000;

const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

function urlOf({ ADMIN_BIND: host, ADMIN_PORT: port }: Config): string {
  if (port === 0) throw new CommandError('ADMIN_PORT=0 means any port: say which with --url', EXIT_USAGE);
  const address = ANY_ADDRESS[host] ?? (host.includes(':') ? `[${host}]` : host);
  return `http://${address}:${port}/admin`;
}

/**
 * Asks the Admin API of a running server.
 *
 * @param url null = where the settings say that it is
 * @returns the fields of the answer
 * @throws CommandError that says why there is none
 */
export async function askAdmin(config: Config, url: string | null, verb: string, fields: object): Promise<object> {
  const secret = config.ADMIN_SECRET;
  if (secret === undefined) {
    throw new CommandError(
      'ADMIN_SECRET is needed: the same as the server’s, which has no Admin API without',
      EXIT_USAGE,
    );
  }
  const target = url ?? urlOf(config);
  const body = JSON.stringify({ janus: verb, transaction: randomUUID(), admin_secret: secret, ...fields });
  let answer: unknown;
  try {
    const response = await fetch(target, { method: 'POST', body, signal: AbortSignal.timeout(TIME_LIMIT) });
    answer = await response.json();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new CommandError(
      `${target}: no answer (${cause instanceof Error ? cause.message || cause.name : cause}); is the server running, with ADMIN_SECRET set?`,
    );
  }
  if (typeof answer !== 'object' || answer === null) throw new CommandError(`${target}: this is no Admin API`);
  if ('error' in answer) throw new CommandError(refusal(answer.error));
  return answer;
}

function refusal(error: unknown): string {
  const { code = 0, reason = '' } = error as { code?: number; reason?: string };
  return code === 403
    ? 'the server refused ADMIN_SECRET: it has another one'
    : `the server refused: ${reason} (${code})`;
}

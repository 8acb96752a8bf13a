import { isIPv4, isIPv6 } from 'node:net';
import type { Machine } from './machine.js';
import type { SettingValue } from './read.js';
import { type Config, SETTINGS, type SettingName } from './schema.js';
import type { Setting } from './setting.js';

/** Something that works, but probably not as it was meant. */
export interface Warning {
  setting: SettingName;
  /** What is the matter, and what to do. */
  text: string;
}

const SECRET_LENGTH_MIN = 16;

/** Printed in Janus' and other servers' examples: the first ones that are tried. */
const KNOWN_SECRETS = ['janusoverlord', 'janusrocks', 'supersecret', 'changeme', 'change_it', 'secret', 'password'];

const SECRET_ADVICE = 'make one at random, for example with "openssl rand -hex 24"';

/** Why clients elsewhere can't reach an address; null if they may. */
export function unreachable(address: string): string | null {
  if (isIPv4(address)) {
    const [a = 0, b = 0, c = 0] = address.split('.').map(Number);
    if (a === 0 || a >= 224) return 'is no host’s address';
    if (a === 127) return 'is this machine only';
    if (a === 169 && b === 254) return 'is link-local';
    if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return 'is private (RFC 1918)';
    if (a === 100 && b >= 64 && b < 128) return 'is a carrier’s (RFC 6598)';
    const documentation = [`${a}.${b}.${c}`].some((net) => ['192.0.2', '198.51.100', '203.0.113'].includes(net));
    return documentation ? 'is for documentation only (RFC 5737)' : null;
  }
  if (!isIPv6(address)) return null;
  const text = address.toLowerCase();
  if (text === '::' || text.startsWith('ff')) return 'is no host’s address';
  if (text === '::1') return 'is this machine only';
  if (/^fe[89ab]/.test(text)) return 'is link-local';
  if (/^f[cd]/.test(text)) return 'is private (RFC 4193)';
  return text.startsWith('2001:db8:') ? 'is for documentation only (RFC 3849)' : null;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** What an operator should know about settings that are not wrong. */
export function warningsOf(config: Config, values: readonly SettingValue[], machine: Machine): Warning[] {
  const warnings: Warning[] = [];
  const warn = (setting: SettingName, text: string) => warnings.push({ setting, text });
  for (const { name, value, origin } of values) {
    if (value === null || origin === 'default') continue;
    const { noEffect, secret = false }: Setting = SETTINGS[name];
    if (noEffect !== undefined) warn(name, `has no effect: ${noEffect}`);
    if (!secret) continue;
    if (KNOWN_SECRETS.includes(value.toLowerCase())) warn(name, `is a well-known example; ${SECRET_ADVICE}`);
    else if (value.length < SECRET_LENGTH_MIN) {
      warn(name, `is shorter than ${SECRET_LENGTH_MIN} characters; ${SECRET_ADVICE}`);
    }
    if (origin === 'flag')
      warn(name, 'is a flag, which every user of this machine can read; use the environment or a file');
  }
  for (const address of config.PUBLIC_IP) {
    const reason = unreachable(address);
    if (reason !== null) warn('PUBLIC_IP', `${address} ${reason}: clients elsewhere will not reach it`);
  }
  if (config.SFU_WORKERS > machine.cores) {
    warn(
      'SFU_WORKERS',
      `${config.SFU_WORKERS} workers share ${machine.cores} cores; set it to ${Math.max(1, machine.cores - 1)}`,
    );
  }
  for (const name of ['BAN_KICKED_TOKENS', 'TOKEN_USER_REQUIRED'] as const) {
    if (config[name] && config.AUTH_KEY === undefined)
      warn(name, 'has no effect: without AUTH_KEY there are no tokens');
  }
  if (
    config.CLUSTER_COOKIE === 'none' &&
    config.NATS_URL.length > 0 &&
    config.TLS_CERT === undefined &&
    config.TRUSTED_PROXIES.length === 0
  ) {
    warn('CLUSTER_COOKIE', 'browsers keep a cookie of this kind over TLS alone; set TLS_CERT, or speak TLS in a proxy');
  }
  const webhooks = config.WEBHOOK_URL === undefined ? null : new URL(config.WEBHOOK_URL);
  if (webhooks?.protocol === 'http:' && !isLoopback(webhooks.hostname.replace(/^\[|\]$/g, ''))) {
    warn('WEBHOOK_URL', 'events and ids of users cross the network unencrypted; use https://');
  }
  if (config.ADMIN_SECRET !== undefined && !isLoopback(config.ADMIN_BIND)) {
    warn(
      'ADMIN_BIND',
      `${config.ADMIN_BIND}: the secret crosses the network unencrypted; listen on 127.0.0.1 behind a TLS proxy`,
    );
  }
  return warnings;
}

import { enforcedAddresses, type Machine, thisMachine } from './machine.js';
import { masked } from './masks.js';
import { type Config, SETTINGS, type SettingName } from './schema.js';
import type { Setting } from './setting.js';
import { environmentSource, type Given, type Source } from './source.js';

/** A setting's value, and where it came from. */
export interface SettingValue {
  name: SettingName;
  /** As it was written; null = absent. Secrets are not masked here. */
  value: string | null;
  /** A source's name, or `default`. */
  origin: string;
  /** The name that was used there. */
  variable: string;
}

export type ReadSettings =
  | { ok: true; config: Config; values: SettingValue[] }
  | { ok: false; problems: string[]; values: SettingValue[] };

export type ReadConfig = { ok: true; config: Config } | { ok: false; problems: string[] };

/** Reads the settings from environment variables alone. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ReadConfig {
  return readSettings([environmentSource(env)]);
}

/**
 * Reads the settings.
 *
 * @param sources the first one that has a value for a setting decides it; an empty value counts as none
 * @returns all of them, or one line for each wrong value
 */
export function readSettings(sources: readonly Source[], machine: Machine = thisMachine()): ReadSettings {
  const problems: string[] = [];
  const values: SettingValue[] = [];
  const config: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting>(SETTINGS)) {
    const name = key as SettingName;
    const found = find(sources, [name, ...(setting.aliases ?? [])]);
    const value = found ? found.given.value : setting.fallback;
    values.push({ name, value, origin: found?.source.name ?? 'default', variable: found?.variable ?? name });
    if (value === null) continue;
    const parsed = setting.kind.schema.safeParse(value);
    const said = found?.given.said ?? `${name}=`;
    if (parsed.success) config[name] = parsed.data;
    else {
      const should = setting.kind.schema.description ?? 'valid';
      problems.push(`${said}${JSON.stringify(masked(setting, value))}: should be ${should}`);
    }
  }
  problems.push(...contradictions(config as Partial<Config>, machine));
  return problems.length === 0 ? { ok: true, config: config as Config, values } : { ok: false, problems, values };
}

function find(sources: readonly Source[], names: readonly string[]) {
  for (const source of sources) {
    for (const variable of names) {
      const given: Given | undefined = source.values.get(variable);
      if (given && given.value !== '') return { source, variable, given };
    }
  }
  return null;
}

function contradictions(config: Partial<Config>, machine: Machine): string[] {
  const { RTP_PORT: rtpPort, SFU_WORKERS: workers, NETWORK_INTERFACE: interfaces = [] } = config;
  const problems: string[] = [];
  if (rtpPort !== undefined && workers !== undefined && rtpPort + workers - 1 > 65535) {
    problems.push(`RTP_PORT=${rtpPort}: with ${workers} workers the ports would go past 65535; each worker takes one`);
  }
  // A secret that nothing is checked against would look like protection.
  if (config.TOKEN_AUTH_SECRET !== undefined && config.TOKEN_AUTH === false) {
    problems.push('TOKEN_AUTH_SECRET: needs TOKEN_AUTH=true');
  }
  if (config.ENFORCE_CORS && config.ALLOW_ORIGIN === undefined) problems.push('ENFORCE_CORS=true: needs ALLOW_ORIGIN');
  if ((config.TLS_CERT === undefined) !== (config.TLS_KEY === undefined)) {
    problems.push(config.TLS_KEY === undefined ? 'TLS_CERT: needs TLS_KEY' : 'TLS_KEY: needs TLS_CERT');
  }
  // Clients would ask a TURN server that lets nobody in.
  if (config.TURN_URLS?.length && config.TURN_SECRET === undefined) problems.push('TURN_URLS: needs TURN_SECRET');
  if ((config.WEBHOOK_URL === undefined) !== (config.WEBHOOK_SECRET === undefined)) {
    problems.push(
      config.WEBHOOK_SECRET === undefined ? 'WEBHOOK_URL: needs WEBHOOK_SECRET' : 'WEBHOOK_SECRET: needs WEBHOOK_URL',
    );
  }
  problems.push(...clusterProblems(config));
  if (enforcedAddresses(interfaces, machine)?.length === 0) {
    const there = [...machine.interfaces.keys()].join(', ');
    problems.push(
      `NETWORK_INTERFACE=${JSON.stringify(interfaces.join(','))}: no interface has this name and no address begins so; there are ${there}`,
    );
  }
  return problems;
}

const CLUSTER_SECRET_MIN = 32;

/** What keeps a cluster's node from being one. */
function clusterProblems(config: Partial<Config>): string[] {
  if (!config.NATS_URL?.length) return [];
  const problems: string[] = [];
  const secret = config.CLUSTER_SECRET;
  if (secret === undefined || secret.length < CLUSTER_SECRET_MIN) {
    const advice = 'make one at random, for example with "openssl rand -hex 24", the same for all nodes';
    problems.push(`CLUSTER_SECRET: needed with NATS_URL, at least ${CLUSTER_SECRET_MIN} characters; ${advice}`);
  }
  const files = ['CLUSTER_TLS_CA', 'CLUSTER_TLS_CERT', 'CLUSTER_TLS_KEY'] as const;
  const missing = files.filter((name) => config[name] === undefined);
  if (missing.length > 0 && missing.length < files.length)
    problems.push(`${missing.join(', ')}: needed with the other CLUSTER_TLS_ files`);
  if ((config.NATS_TLS_CERT === undefined) !== (config.NATS_TLS_KEY === undefined)) {
    problems.push('NATS_TLS_CERT and NATS_TLS_KEY: each needs the other');
  }
  return problems;
}

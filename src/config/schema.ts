import type { Kind } from './kinds.js';
import { ACCESS } from './sections/access.js';
import { CLUSTER } from './sections/cluster.js';
import { MEDIA } from './sections/media.js';
import { NETWORK } from './sections/network.js';
import { OBSERVABILITY } from './sections/observability.js';
import { ROOMS } from './sections/rooms.js';
import { SERVER } from './sections/server.js';
import { SESSIONS } from './sections/sessions.js';
import type { Setting } from './setting.js';

/** Every setting, by its variable. */
export const SETTINGS = {
  ...NETWORK,
  ...ROOMS,
  ...MEDIA,
  ...SESSIONS,
  ...ACCESS,
  ...OBSERVABILITY,
  ...CLUSTER,
  ...SERVER,
} as const satisfies Record<string, Setting>;

type Settings = typeof SETTINGS;
export type SettingName = keyof Settings;

/** The checked settings, by variable. Times are in milliseconds, lists are arrays, absent ones are undefined. */
export type Config = {
  readonly [N in SettingName]:
    | (Settings[N]['kind'] extends Kind<infer T> ? T : never)
    | (Settings[N]['fallback'] extends null ? undefined : never);
};

/** The settings in the order in which people read about them. */
export const SECTIONS: readonly { heading: string; about?: string; settings: Readonly<Record<string, Setting>> }[] = [
  { heading: 'Network', settings: NETWORK },
  { heading: 'Rooms and users', settings: ROOMS },
  { heading: 'Media and data channels', settings: MEDIA },
  { heading: 'Sessions and limits', settings: SESSIONS },
  {
    heading: 'Secrets and the Admin API',
    about:
      'With an API secret or tokens, each request but `info` and `ping` must carry one of them. This is beside the tokens for\n' +
      'rooms (`AUTH_KEY`), which are for users and go into `join`.',
    settings: ACCESS,
  },
  { heading: 'Metrics and webhooks', about: 'See [observability.md](observability.md).', settings: OBSERVABILITY },
  {
    heading: 'Cluster',
    about: 'For rooms over many nodes, see [cluster.md](cluster.md). Without `NATS_URL` none of them has an effect.',
    settings: CLUSTER,
  },
  { heading: 'Server', settings: SERVER },
];

const NAMES: ReadonlyMap<string, SettingName> = new Map(
  Object.entries<Setting>(SETTINGS).flatMap(([name, { aliases = [] }]) =>
    [name, ...aliases].map((one) => [one, name as SettingName] as const),
  ),
);

/** The setting that a variable's name or other name means. */
export function settingOf(variable: string): SettingName | undefined {
  return NAMES.get(variable);
}

/** Every variable that means a setting, other names included. */
export function variables(): string[] {
  return [...NAMES.keys()];
}

/** `WS_PORT` is `--ws-port` on the command line. */
export function flagOf(variable: string): string {
  return `--${variable.toLowerCase().replaceAll('_', '-')}`;
}

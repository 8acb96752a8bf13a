import { PLUGIN } from '../sfu/plugin.js';

export interface ServerFacts {
  /** `1.2.3`. */
  version: string;
  serverName: string;
  localIp: string;
  publicIps: string[];
  ipv6: boolean;
  workers: number;
  /** Seconds. */
  candidatesTimeout: number;
  apiSecret: boolean;
  tokenAuth: boolean;
  opaqueIds: boolean;
  fullTrickle: boolean;
}

/** What may change while the server runs. */
export interface ServerState {
  acceptingSessions: boolean;
  /** Seconds. */
  sessionTimeout: number;
  /** Seconds. */
  reclaimSessionTimeout: number;
  /** Milliseconds. */
  minNackQueue: number;
}

const AUTHOR = 'the janus-sfu project';

/** `1.2.3` as Janus counts versions: 1203. */
function versionNumber(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return major * 1000 + minor * 100 + patch;
}

/** The fields of `server_info` (janus-api.md 1.3): what a Janus of this shape would say of itself. */
export function serverInfo(facts: ServerFacts, state: ServerState): object {
  const version = { version_string: facts.version, version: versionNumber(facts.version), author: AUTHOR };
  const [publicIp] = facts.publicIps;
  return {
    name: 'Janus WebRTC Server',
    ...version,
    'commit-hash': `janus-sfu ${facts.version}`,
    'compile-time': '',
    'log-to-stdout': true,
    'log-to-file': false,
    data_channels: true,
    'accepting-new-sessions': state.acceptingSessions,
    'session-timeout': state.sessionTimeout,
    'reclaim-session-timeout': state.reclaimSessionTimeout,
    'candidates-timeout': facts.candidatesTimeout,
    'server-name': facts.serverName,
    'local-ip': facts.localIp,
    ...(publicIp === undefined ? {} : { 'public-ip': publicIp }),
    ...(facts.publicIps.length > 1 ? { 'public-ips': facts.publicIps } : {}),
    ipv6: facts.ipv6,
    'ice-lite': false,
    'ice-tcp': false,
    'ice-nomination': 'regular',
    'ice-consent-freshness': true,
    'ice-keepalive-conncheck': false,
    'full-trickle': facts.fullTrickle,
    'hangup-on-failed': true,
    'mdns-enabled': false,
    'min-nack-queue': state.minNackQueue,
    'nack-optimizations': false,
    'twcc-period': 200,
    'dtls-mtu': 1200,
    'static-event-loops': facts.workers,
    api_secret: facts.apiSecret,
    auth_token: facts.tokenAuth,
    event_handlers: false,
    opaqueid_in_api: facts.opaqueIds,
    dependencies: { node: process.versions.node },
    transports: {
      'janus.transport.http': {
        name: 'JANUS REST (HTTP/HTTPS) transport plugin',
        description: 'The Janus API over HTTP, with long polls',
        ...version,
      },
      'janus.transport.websockets': {
        name: 'JANUS WebSockets transport plugin',
        description: 'The Janus API over WebSockets',
        ...version,
      },
    },
    events: {},
    loggers: {},
    plugins: {
      [PLUGIN]: {
        name: 'Janus SFU plugin',
        description: 'Rooms whose users get each other’s media and data',
        ...version,
      },
    },
  };
}

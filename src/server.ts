/** Puts the parts of the server together, starts them, and takes them apart again. */
import type { KeyObject } from 'node:crypto';
import os from 'node:os';
import { setTimeout as elapse } from 'node:timers/promises';
import { enforcedAddresses, thisMachine } from './config/machine.js';
import { packageVersion } from './config/package-version.js';
import type { Config } from './config/schema.js';
import type { TlsCertificate } from './http/tls.js';
import { AdminSettings } from './janus/admin/settings.js';
import { JanusApi } from './janus/api.js';
import { Authority } from './janus/authority.js';
import { serverInfo } from './janus/server-info.js';
import { Sessions } from './janus/sessions.js';
import type { AdjustableLog, Log } from './observability/log.js';
import type { MeasuredApi } from './server/figures.js';
import { composeGatekeeper } from './server/gatekeeper.js';
import { composeMetrics } from './server/metrics.js';
import { composeAdmin, composeHttp, composeTransport } from './server/ports.js';
import { Readiness } from './server/readiness.js';
import { Tables } from './server/tables.js';
import { composeWebhooks } from './server/webhooks.js';
import { Attendance, type HappeningListener } from './sfu/attendance.js';
import type { BlockStore } from './sfu/block-store.js';
import { Blocks } from './sfu/blocks.js';
import type { Gatekeeper } from './sfu/gatekeeper.js';
import { Peers } from './sfu/peers.js';
import { SfuPlugin } from './sfu/plugin.js';
import { Presence } from './sfu/presence.js';
import { ALONE, type RoomAuthority } from './sfu/room-authority.js';
import { Switchboard } from './sfu/switchboard.js';
import type { Shards } from './shards/pool.js';

function localAddress(): string {
  const all = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1';
}

/** What the plugin needs beside the settings. */
interface PluginParts {
  shards: Shards;
  gatekeeper: Gatekeeper;
  store: BlockStore;
  authority: RoomAuthority;
  happened: HappeningListener;
  log: Log;
}

function composePlugin(config: Config, parts: PluginParts): SfuPlugin {
  const { shards, gatekeeper, store, authority, happened, log } = parts;
  const blocks = new Blocks(store, config.BLOCKS_PER_USER);
  const presence = new Presence(shards, blocks);
  const sdp = {
    videoCodecs: config.VIDEO_CODECS,
    dataChannelMaxMessageSize: config.DATA_MESSAGE_BYTES_MAX,
    subscriberData: config.SUBSCRIBER_DATA,
  };
  const descriptions = {
    sdp,
    publicIps: config.PUBLIC_IP,
    ownIps: enforcedAddresses(config.NETWORK_INTERFACE, thisMachine()),
    fullTrickle: config.FULL_TRICKLE,
  };
  return new SfuPlugin(
    { idBytesMax: config.ID_BYTES_MAX, subscribeWait: config.SUBSCRIBE_WAIT },
    {
      switchboard: new Switchboard({
        maxRoomSize: config.MAX_ROOM_SIZE,
        maxCcu: config.MAX_CCU,
        notifyScope: config.NOTIFY_SCOPE,
        replyIncludesSelf: config.JOIN_REPLY_INCLUDES_SELF,
      }),
      attendance: new Attendance(happened),
      blocks,
      presence,
      gatekeeper,
      peers: new Peers(shards, presence, descriptions, log),
      authority,
      shards,
      log,
    },
  );
}

function composeAuthority(config: Config): Authority {
  return new Authority({
    apiSecret: config.API_SECRET,
    tokenAuth: config.TOKEN_AUTH,
    tokenSecret: config.TOKEN_AUTH_SECRET,
    tokensMax: config.TOKENS_MAX,
  });
}

function composeApi(config: Config, shards: Shards, plugin: SfuPlugin, authority: Authority, log: AdjustableLog) {
  const sessions = new Sessions({
    sessionTimeout: config.SESSION_TIMEOUT,
    reclaimTimeout: config.RECLAIM_SESSION_TIMEOUT,
    sessionsPerConnection: config.SESSIONS_PER_CONNECTION,
    handlesPerConnection: config.HANDLES_PER_CONNECTION,
    unjoinedHandlesPerConnection: config.UNJOINED_HANDLES_PER_CONNECTION,
    requestsPerHandle: config.REQUESTS_PER_HANDLE,
    eventsMax: config.EVENT_QUEUE_MAX,
    eventBytesMax: config.EVENT_QUEUE_BYTES_MAX,
  });
  const facts = {
    version: packageVersion(),
    serverName: config.SERVER_NAME,
    localIp: localAddress(),
    publicIps: config.PUBLIC_IP,
    ipv6: true,
    workers: shards.count,
    candidatesTimeout: config.CANDIDATES_TIMEOUT / 1000,
    apiSecret: authority.usesSecret,
    tokenAuth: authority.usesTokens,
    opaqueIds: config.OPAQUEID_IN_API,
    fullTrickle: config.FULL_TRICKLE,
  };
  const settings = new AdminSettings({
    sessions,
    shards,
    authority,
    log,
    candidatesTimeout: config.CANDIDATES_TIMEOUT,
    minNackQueue: config.MIN_NACK_QUEUE,
  });
  const info = () =>
    serverInfo(facts, {
      acceptingSessions: api.acceptingSessions,
      sessionTimeout: settings.sessionTimeout,
      reclaimSessionTimeout: sessions.settings.reclaimTimeout / 1000,
      minNackQueue: settings.minNackQueue,
    });
  const now = () => performance.now();
  const sdpLimits = {
    bytes: config.SDP_BYTES_MAX,
    lines: config.SDP_LINES_MAX,
    media: config.SDP_MEDIA_MAX,
    candidates: config.SDP_CANDIDATES_MAX,
  };
  const opaqueIds = config.OPAQUEID_IN_API;
  const api = new JanusApi({ sessions, plugin, authority, info, opaqueIds, sdpLimits, log, now });
  return { api, sessions, authority, settings, info, now };
}

/** Milliseconds for all sessions to end: a worker that stands still answers nothing. */
const ENDING_LIMIT = 1500;
/** Milliseconds that a receiver of webhooks gets to take the last events. */
const WEBHOOKS_LIMIT = 2000;

export interface RunningServer {
  /** TCP ports that it listens on; `admin` is null where the Admin API is off. */
  ports: { ws: number; http: number; admin: { ws: number; http: number } | null };
  /** Where the other nodes of its cluster reach it; null where it is alone. */
  node: string | null;
  /** Takes no new sessions from now on, and is not ready any more. Resolves when those that there are have ended. */
  drain(): Promise<void>;
  /** Resolves, with a text for people, when only a new process can help: whoever runs this one should end it. */
  broken: Promise<string>;
  /** What a client sees of it: a hangup for each PeerConnection, then close code 1012. */
  stop(): Promise<void>;
}

/**
 * Starts everything.
 *
 * @param starting the media workers: it takes long, and needs nothing of this file
 * @param authKey what tokens are checked with; null = none are needed
 * @param tls what the WebSocket and page ports show; null = they speak no TLS
 * @throws Error that says what is not to be had: a port, a worker
 */
export async function startServer(
  config: Config,
  starting: Promise<Shards>,
  authKey: KeyObject | null,
  tls: TlsCertificate | null,
  log: AdjustableLog,
): Promise<RunningServer> {
  const opening = Tables.open(config, log);
  const shards = await starting;
  const tables = await opening;
  const gatekeeper = composeGatekeeper(config, authKey, tables, log);
  const authority = composeAuthority(config);
  const tokens = authority.storesTokens ? authority : null;
  const shared = { local: tables.blocks, bans: gatekeeper.bans, tokens };
  const clustering = config.NATS_URL.length > 0 ? await import('./server/cluster.js') : null;
  const cluster = (await clustering?.startCluster(config, shared, log)) ?? null;
  const store = cluster?.blocks ?? tables.blocks;
  const webhooks = composeWebhooks(config, log);
  const happened: HappeningListener = (happening) => webhooks?.tell(happening);
  const plugin = composePlugin(config, { shards, gatekeeper, store, authority: cluster ?? ALONE, happened, log });
  const composed = composeApi(config, shards, plugin, authority, log);
  const { api, sessions } = composed;
  const transport = composeTransport(config, api, tls, cluster, log);
  const ws = await transport.listen();
  const readiness = new Readiness(api, shards, tables, cluster);
  const httpParts = { api, gatekeeper, tls, wsPort: ws, readiness, cluster, log };
  const { listener, rest, iceServers } = composeHttp(config, httpParts);
  const http = await listener.listen();
  const transports = new Map([
    ['janus.transport.websockets', () => transport.connections],
    ['janus.transport.http', () => listener.connections],
  ]);
  const secret = config.ADMIN_SECRET;
  const adminCluster = (cluster && clustering?.adminClusterOf(cluster)) ?? null;
  const adminParts = { ...composed, plugin, shards, transports, cluster: adminCluster, log };
  const admin = secret === undefined ? null : composeAdmin(config, secret, adminParts);
  const adminPorts = admin && { ws: await admin.ws.listen(), http: await admin.http.listen() };
  const apis = new Map<string, MeasuredApi>([['janus', { api, ws: transport, http: listener, rest }]]);
  if (admin) apis.set('admin', admin);
  const parts = {
    api,
    sessions,
    plugin,
    gatekeeper,
    shards,
    readiness,
    webhooks,
    iceServers,
    tables,
    apis,
    cluster,
  };
  composeMetrics(config, listener, parts, log);
  const sweep = setInterval(() => api.sweep(), 1000);
  tls?.watch();
  const host = clustering?.hostOf({ api, sessions, plugin, shards, transport, rest, admin: admin?.api ?? null });
  if (host) cluster?.open(host);
  return {
    broken: shards.stuck.then((shard) => `media worker ${shard} has stood still for too long (WORKER_STALL_LIMIT)`),
    ports: { ws, http, admin: adminPorts },
    node: cluster?.address ?? null,
    drain() {
      if (cluster) {
        // New clients of the rooms that are here still come here, and all others are brought to other nodes.
        cluster.drain(true);
        return api.drain(false);
      }
      // Who comes to claim a session has to get in; everybody else is better off with another server at once.
      if (config.RECLAIM_SESSION_TIMEOUT === 0)
        transport.refusal = 'The server takes no new sessions: it will restart.';
      return api.drain();
    },
    async stop() {
      clearInterval(sweep);
      tls?.close();
      api.acceptingSessions = false;
      await cluster?.leave();
      transport.stopAccepting();
      listener.stopAccepting();
      admin?.ws.stopAccepting();
      admin?.http.stopAccepting();
      plugin.sayGoodbye();
      rest.close();
      await transport.close();
      await Promise.race([api.endAll(), elapse(ENDING_LIMIT, undefined, { ref: false })]);
      // Everybody has left now: the last events are there.
      const told = webhooks?.close(WEBHOOKS_LIMIT);
      await listener.close();
      await admin?.ws.close();
      await admin?.http.close();
      await shards.stop();
      await cluster?.close();
      await tables.blocks.close();
      await gatekeeper.bans?.close();
      await told;
    },
  };
}

/** The server as a node of a cluster. Loaded only where there is one. */
import os from 'node:os';
import { createSecureContext } from 'node:tls';
import { Cluster } from '../cluster/cluster.js';
import type { ClusterHost, Shared } from '../cluster/cluster-parts.js';
import type { NodeTls } from '../cluster/relay.js';
import { thisMachine } from '../config/machine.js';
import { packageVersion } from '../config/package-version.js';
import type { Config } from '../config/schema.js';
import { readSettingFile } from '../http/tls.js';
import type { AdminApi } from '../janus/admin/api.js';
import type { AdminCluster } from '../janus/admin/cluster-verbs.js';
import type { JanusApi } from '../janus/api.js';
import type { Sessions } from '../janus/sessions.js';
import type { RestTransport } from '../janus/transports/rest.js';
import type { WebSocketTransport } from '../janus/transports/websocket.js';
import type { Log } from '../observability/log.js';
import type { SfuPlugin } from '../sfu/plugin.js';
import type { Shards } from '../shards/pool.js';
import { nodeName } from './node-name.js';

/** Milliseconds that the start waits for NATS; then this node serves by itself until NATS is there. */
const PATIENCE = 3_000;

const MOVED = 'the room has moved: connect again';

/** The machine's address in the network, as good as it can be guessed: an IPv4 one that is not loopback. */
function ownAddress(): string {
  const all = [...thisMachine().interfaces.values()].flat();
  return all.find((one) => !one.includes(':') && !one.startsWith('127.')) ?? '127.0.0.1';
}

/** The certificates between nodes; null = what passes is not encrypted. @throws Error that names what can't be used */
function nodeTls(config: Config): NodeTls | null {
  const { CLUSTER_TLS_CA: ca, CLUSTER_TLS_CERT: cert, CLUSTER_TLS_KEY: key } = config;
  if (ca === undefined || cert === undefined || key === undefined) return null;
  const tls = {
    ca: readSettingFile('CLUSTER_TLS_CA', ca),
    cert: readSettingFile('CLUSTER_TLS_CERT', cert),
    key: readSettingFile('CLUSTER_TLS_KEY', key),
  };
  try {
    createSecureContext(tls);
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : String(error);
    throw new Error(`CLUSTER_TLS_CERT, CLUSTER_TLS_KEY and CLUSTER_TLS_CA: they can not be used together (${reason})`);
  }
  return tls;
}

/**
 * Connects this server with the others.
 *
 * @throws Error where the cluster port can't be had, or a file of the settings can't be read
 */
export async function startCluster(config: Config, shared: Shared, log: Log): Promise<Cluster> {
  const { CLUSTER_SECRET: secret } = config;
  if (secret === undefined) throw new Error('NATS_URL: needs CLUSTER_SECRET');
  for (const name of ['NATS_CREDENTIALS', 'NATS_TLS_CA', 'NATS_TLS_CERT', 'NATS_TLS_KEY'] as const) {
    // Only to say which one can't be read: it is read again with each connection.
    const file = config[name];
    if (file !== undefined) readSettingFile(name, file);
  }
  const node = nodeName(config) ?? '';
  const cluster = new Cluster(
    {
      nats: {
        urls: config.NATS_URL,
        name: `janus-sfu ${node}`,
        credentials: config.NATS_CREDENTIALS,
        tls: { ca: config.NATS_TLS_CA, cert: config.NATS_TLS_CERT, key: config.NATS_TLS_KEY },
        replicas: config.NATS_REPLICAS,
      },
      name: config.CLUSTER_NAME,
      node,
      version: packageVersion(),
      secret,
      host: config.CLUSTER_BIND,
      port: config.CLUSTER_PORT,
      address: config.CLUSTER_ADDRESS ?? config.CLUSTER_BIND ?? ownAddress(),
      tls: nodeTls(config),
      cookie: config.CLUSTER_COOKIE,
      placement: config.CLUSTER_PLACEMENT,
      relaysMax: config.CLUSTER_RELAYS_MAX,
      cores: os.availableParallelism(),
      loopDelayMax: config.LOOP_DELAY_MAX,
    },
    shared,
    log,
  );
  await cluster.start(PATIENCE);
  return cluster;
}

/** The parts of the server that a node serves others with. */
export interface NodeParts {
  api: JanusApi;
  sessions: Sessions;
  plugin: SfuPlugin;
  shards: Shards;
  transport: WebSocketTransport;
  rest: RestTransport;
  admin: AdminApi | null;
}

/** What the cluster does to this server. */
export function hostOf({ sessions, plugin, shards, transport, rest, admin }: NodeParts): ClusterHost {
  return {
    webSocket: (request, socket, head) => transport.accept(request, socket, head),
    http: (request, response) => rest.handler(request, response),
    occupied: (room) => plugin.isOccupied(room),
    dismiss: (room) => plugin.dismiss(room, MOVED),
    learnBlock: ({ blocker, blocked, active }) => void plugin.learnBlock(blocker, blocked, active),
    evict: (room, user, by) => plugin.evict(room, user, by),
    hasSession: (id) => sessions.find(id) !== null,
    async admin(document) {
      if (!admin) throw new Error('this node has no Admin API: set ADMIN_SECRET there');
      return { ...(await admin.passedOn(document)) };
    },
    clients: () => sessions.size,
    workerDelays: () =>
      Array.from({ length: shards.count }, (_, one) => (shards.counters(one).loopDelayMicros ?? 0) / 1000),
  };
}

/** What the Admin API does to the cluster. */
export function adminClusterOf(cluster: Cluster): AdminCluster {
  return {
    id: cluster.id,
    list: () =>
      cluster.nodes().map(({ started, proof: _proof, ...facts }) => ({
        ...facts,
        self: facts.id === cluster.id,
        trusted: cluster.membership.trusts(facts.id),
        started: new Date(started).toISOString(),
      })),
    get linked() {
      return cluster.linked;
    },
    drain: (draining) => cluster.drain(draining),
    ask: (node, document) => cluster.commander.ask(node, 'admin', { document }),
    findSession: (id) => cluster.router.findSession(id),
    evict: (room, user) => cluster.evict(room, user, null),
  };
}

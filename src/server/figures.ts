import type { Cluster } from '../cluster/cluster.js';
import { packageVersion } from '../config/package-version.js';
import type { HttpListener } from '../http/listener.js';
import type { JanusApi } from '../janus/api.js';
import type { RequestTally } from '../janus/request-tally.js';
import type { Sessions } from '../janus/sessions.js';
import type { RestTransport } from '../janus/transports/rest.js';
import type { WebSocketTransport } from '../janus/transports/websocket.js';
import type { ApiFigures, Figures } from '../observability/figures.js';
import type { Gatekeeper } from '../sfu/gatekeeper.js';
import type { SfuPlugin } from '../sfu/plugin.js';
import type { Shards } from '../shards/pool.js';
import type { Deliveries } from '../webhooks/deliveries.js';
import type { Readiness } from './readiness.js';
import type { Tables } from './tables.js';

/** One API, and the ways to it. */
export interface MeasuredApi {
  api: { readonly tally: RequestTally };
  ws: WebSocketTransport;
  http: HttpListener;
  rest: RestTransport;
}

/** The parts of the running server that the metrics tell of. */
export interface MeasuredParts {
  api: JanusApi;
  sessions: Sessions;
  plugin: SfuPlugin;
  gatekeeper: Gatekeeper;
  shards: Shards;
  readiness: Readiness;
  webhooks: Deliveries | null;
  /** Requests for ICE servers, by outcome. */
  iceServers: Readonly<Record<string, number>>;
  tables: Tables;
  /** Null where the server is alone. */
  cluster: Cluster | null;
  /** By name: `janus`, `admin`. */
  apis: ReadonlyMap<string, MeasuredApi>;
}

function figuresOfApi({ api, ws, http, rest }: MeasuredApi): ApiFigures {
  return {
    ...api.tally.read(),
    webSocket: { connections: ws.connections, counters: { ...ws.counters } },
    http: { connections: http.connections, counters: { ...http.counters } },
    rest: { sessions: rest.sessions, waitingPolls: rest.waitingPolls, counters: { ...rest.counters } },
  };
}

/** Reads all figures, where they are: nobody is asked and nothing waits. */
export function readFigures(parts: MeasuredParts): Figures {
  const { api, sessions, plugin, gatekeeper, shards, readiness, webhooks, iceServers, tables, apis } = parts;
  const { owned, orphaned, handles } = sessions.census();
  const { rooms, users, joined } = plugin.inspection.totals();
  const { messages, happenings, turnedAway, blocks, idsRefused } = plugin.counters;
  return {
    version: packageVersion(),
    ready: readiness.problems().length === 0,
    acceptingSessions: api.acceptingSessions,
    sessions: { owned, orphaned },
    sessionCounters: { ...sessions.counters, requestsRefused: api.handleVerbs.refused },
    // A handle that has joined may be on its way out: its session has forgotten it already.
    handles: { joined, unjoined: Math.max(0, handles - joined) },
    rooms,
    users,
    ...plugin.inspection.connections(),
    messages,
    happenings,
    turnedAway,
    idsRefused,
    descriptionsRefused: api.handleVerbs.descriptionsRefused.read(),
    blocks: { ...blocks },
    blockStoreDegraded: tables.problems().length > 0,
    tokensRefused: gatekeeper.refused.read(),
    bans: { size: gatekeeper.bans?.size ?? 0, ...gatekeeper.bans?.counters },
    iceServers: { ...iceServers },
    shards: Array.from({ length: shards.count }, (_, shard) => ({
      up: shards.isWell(shard),
      ...shards.figures(shard),
    })),
    apis: new Map([...apis].map(([name, one]) => [name, figuresOfApi(one)])),
    cluster: parts.cluster?.figures() ?? null,
    webhooks: webhooks && { waiting: webhooks.waiting, counters: { ...webhooks.counters } },
  };
}

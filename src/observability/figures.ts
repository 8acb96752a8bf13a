import type { Outcome } from './counts.js';

/** Numbers by name: those of one object that counts. */
export type Numbers = Readonly<Record<string, number>>;

/** Counts of what was asked, by outcome and by what it was. */
export type Outcomes = Readonly<Record<Outcome, Numbers>>;

/** One media worker. Its counters start anew when it is replaced. */
export interface ShardFigures {
  /** Whether it is there and its loop runs. */
  up: boolean;
  /** Workers that died in this place. */
  deaths: number;
  /** Of workers/counters.ts. */
  worker: Numbers;
  /** Of assembly/layout.ts, by their names in workers/memory.ts. */
  engine: Numbers;
}

/** One API: `janus` for clients, `admin` for operators. */
export interface ApiFigures {
  /** By verb. */
  requests: Outcomes;
  /** Errors by code. */
  errors: Numbers;
  webSocket: { connections: number; counters: Numbers };
  http: { connections: number; counters: Numbers };
  rest: { sessions: number; waitingPolls: number; counters: Numbers };
}

/** What can happen between nodes. */
export const CLUSTER_EVENTS = [
  'nats_lost',
  'rooms_created',
  'rooms_taken',
  'rooms_unconfirmed',
  'yielded',
  'contested',
  'sent_away',
  'not_remembered',
  'relayed',
  'relayed_requests',
  'relay_unreachable',
  'relay_unproven',
  'relay_limit',
  'waited_in_vain',
  'refused',
  'commands',
  'commands_failed',
] as const;

/** This node of a cluster. */
export interface ClusterFigures {
  /** Whether NATS is here. */
  linked: boolean;
  draining: boolean;
  /** Living nodes, this one too. */
  nodes: number;
  /** Rooms of this node, and those of them that NATS does not know of. */
  rooms: number;
  unconfirmed: number;
  /** WebSockets that go through this node to others at the moment. */
  relayed: number;
  /** Blocks that wait for NATS. */
  blocksWaiting: number;
  /** Times something happened, since the start. */
  counters: Record<(typeof CLUSTER_EVENTS)[number], number>;
}

/** Everything that the metrics tell of, as it was at one moment: numbers without ids of rooms, users or sessions. */
export interface Figures {
  version: string;
  /** Whether the server takes new clients and serves those that it has. */
  ready: boolean;
  acceptingSessions: boolean;
  /** Sessions that have a connection, and those that wait to be claimed. */
  sessions: { owned: number; orphaned: number };
  /** Sessions that ended without their client's doing, and what was refused, by bound. */
  sessionCounters: Numbers;
  handles: { joined: number; unjoined: number };
  rooms: number;
  users: number;
  publishers: number;
  subscribers: number;
  /** Messages to the plugin by kind. */
  messages: Outcomes;
  /** Of src/sfu/attendance.ts. */
  happenings: Numbers;
  turnedAway: Numbers;
  /** Room and user ids that were too long. */
  idsRefused: number;
  /** SDP that was not read, by what was wrong with it. */
  descriptionsRefused: Numbers;
  blocks: Numbers;
  /** Whether blocks are in memory alone though they should be on disk. */
  blockStoreDegraded: boolean;
  /** Joins, subscriptions, kicks and requests for TURN credentials that a token did not allow, by what was wrong with it. */
  tokensRefused: Numbers;
  /** Of src/sfu/bans.ts; all 0 where kicked users keep their tokens. */
  bans: Numbers;
  /** Requests for ICE servers, by outcome. */
  iceServers: Numbers;
  shards: readonly ShardFigures[];
  /** By name of the API; those that are off are missing. */
  apis: ReadonlyMap<string, ApiFigures>;
  /** Null where there is no receiver of webhooks. */
  webhooks: { waiting: number; counters: Numbers } | null;
  /** Null where the server is alone. */
  cluster: ClusterFigures | null;
}

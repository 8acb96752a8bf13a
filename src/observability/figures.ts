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

/** What can happen between nodes, and what each means, in Markdown without `|`. */
export const CLUSTER_EVENTS = {
  nats_lost: 'the connection to NATS was lost',
  rooms_created: 'a new room is this node’s',
  rooms_taken: 'a room of a node that has died is this node’s',
  rooms_unconfirmed: 'a room is served that NATS could not be told of',
  yielded: 'a conflict: a room was given up to the node that has it by right, and its clients sent there',
  contested: 'another node was faster to write whose a room is',
  sent_away: 'a client without `?room=` was remembered and sent to connect again',
  not_remembered: 'a client could be neither remembered nor sent away: its join was refused',
  relayed: 'a WebSocket goes through this node to another',
  relayed_requests: 'an HTTP request was answered by another node',
  relay_unreachable: 'a node was not reached on its cluster port; tried again for a while',
  relay_unproven:
    'a node refused this one, or could not prove that it knows the secret: `CLUSTER_SECRET`, certificates or clocks differ',
  relay_untrusted: 'a client was not sent to a node that does not know the secret',
  relay_limit: '`CLUSTER_RELAYS_MAX`: a client got 503, or a connection of another node was closed',
  searches_refused: 'too many HTTP requests asked at once where their session is: one got 503',
  waited_in_vain: 'a client got 503: the node of its room could not be reached for 9 s',
  refused:
    'a request on the cluster port or over NATS without proof of the secret, or a connection without a certificate',
  lifted_removed: 'a lifted block was removed from NATS: it holds 10,000 of them, for nodes that are away',
  lifted_not_removed: 'and NATS did not do it; tried again',
  commands: 'another node was asked something',
  commands_failed: 'and did not answer, or refused',
} as const;
export type ClusterEvent = keyof typeof CLUSTER_EVENTS;

/** This node of a cluster. */
export interface ClusterFigures {
  /** Whether NATS is here. */
  linked: boolean;
  draining: boolean;
  /** Living nodes, this one too. */
  nodes: number;
  /** Those of them that do not know the secret. */
  untrusted: number;
  /** Rooms of this node, and those of them that NATS does not know of. */
  rooms: number;
  unconfirmed: number;
  /** WebSockets that go through this node to others at the moment. */
  relayed: number;
  /** Blocks that wait for NATS. */
  blocksWaiting: number;
  /** Times something happened, since the start. */
  counters: Record<ClusterEvent, number>;
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

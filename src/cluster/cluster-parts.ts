import type { Bans } from '../sfu/bans.js';
import type { BlockStore } from '../sfu/block-store.js';
import type { NatsSettings } from './nats.js';
import type { NodeTls } from './relay.js';
import type { RelayTarget } from './relay-server.js';
import type { SharedBlock } from './shared-blocks.js';
import type { TokenStore } from './shared-tokens.js';

export interface ClusterSettings {
  nats: NatsSettings;
  /** What buckets and subjects begin with. */
  name: string;
  /** This node, for people. */
  node: string;
  version: string;
  secret: string;
  /** The private port: where it listens, and where the others reach it (the port is added if it is missing there). */
  host: string | undefined;
  port: number;
  address: string;
  tls: NodeTls | null;
  cookie: 'lax' | 'none' | 'off';
  /** Whether a new room stays where its first client comes. */
  placement: 'load' | 'arrival';
  relaysMax: number;
  cores: number;
  /** Milliseconds that a media worker may run late. */
  loopDelayMax: number;
}

/** What the cluster needs of the server that is one of its nodes. */
export interface ClusterHost extends RelayTarget {
  /** Whether somebody is in the room. */
  occupied(room: string): boolean;
  /** Makes everybody in the room connect again. */
  dismiss(room: string): void;
  /** Another node changed a block. */
  learnBlock(block: SharedBlock): void;
  evict(room: string, user: string, by: string | null): Promise<number>;
  hasSession(id: number): boolean;
  /** Serves an Admin request that another node passes on. */
  admin(document: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Sessions at the moment. */
  clients(): number;
  /** How late each media worker runs, milliseconds. */
  workerDelays(): number[];
}

/** What of a server all nodes share. */
export interface Shared {
  local: BlockStore;
  bans: Bans | null;
  tokens: TokenStore | null;
}

/** The Admin API of this server (docs/admin.md), over HTTP from the same origin. */

export interface Loop {
  id: number;
  handles: number;
  running: boolean;
  /** Microseconds. */
  'loop-delay': number;
  'packets-received': number;
  'packets-sent': number;
  'packets-unsent': number;
  'bytes-received': number;
  'bytes-sent': number;
  'up-tracks': number;
  'down-tracks': number;
  faults: number;
  drops: Record<string, number>;
}

export interface RoomHandle {
  session_id?: number;
  handle_id?: number;
  kind: 'publisher' | 'subscriber' | null;
  /** The user whose media it gets. */
  source?: string;
  shard: number | null;
}

export interface RoomUser {
  user_id: string;
  publisher: boolean;
  blocks: number;
  /** Whom it has blocked, of those who are there. */
  blocked: string[];
  handles: RoomHandle[];
}

export interface RoomState {
  room_id: string;
  /** The name of the node that it is on; absent where the server is alone. */
  node?: string;
  publishers: number;
  shards: number[];
  users: RoomUser[];
}

/** A server of the cluster. */
export interface ClusterNode {
  id: string;
  name: string;
  /** The one that was asked. */
  self: boolean;
  /** Of its cluster port. */
  address: string;
  /** 1 = all that it can do. */
  load: number;
  rooms: number;
  clients: number;
  draining: boolean;
  /** Whether it knows the cluster's secret. */
  trusted: boolean;
  /** ISO 8601. */
  started: string;
  version: string;
  /** Rooms that NATS does not know of. */
  unconfirmed: number;
  /** About rooms, since its start. */
  conflicts: number;
}

export interface ClusterState {
  nodes: ClusterNode[];
  /** Whether NATS is here. */
  nats: boolean;
}

export interface ServerInfo {
  version_string: string;
  'server-name': string;
  'accepting-new-sessions': boolean;
}

export interface Stream {
  kind: string;
  direction: 'up' | 'down';
  packets: number;
  lost: number;
  jitter: number | null;
  round_trip_time: number | null;
  nacks: number;
  keyframe_requests: number;
  receiving?: boolean;
  suspended?: boolean;
}

export interface HandleInfo {
  plugin_specific?: { kind?: string; source?: string; streams?: Stream[]; errors?: { reason: string }[] };
}

/** The server refused; `code` is Janus' (403: the secret). The message is for people. */
export class AdminRefusal extends Error {
  readonly code: number;

  constructor(code: number, reason: string) {
    super(code === 403 ? 'The server does not take this secret.' : `The server refused: ${reason} (${code}).`);
    this.code = code;
  }
}

/** Janus' code for what this server can't do. */
const ALONE = 490;
const ANSWER_LIMIT_MS = 8_000;
const UNREACHABLE = 'The server does not answer. Is it still running, and is the tunnel to it open?';

const REFUSED =
  'The server, or a proxy before it, refused. Where ENFORCE_CORS is on, ALLOW_ORIGIN must be the origin of this page.';

interface Reply {
  janus: string;
  error?: { code: number; reason: string };
}

export class AdminApi {
  readonly #base: string;
  readonly #secret: string;

  /** @param base the API's address, without a slash at its end */
  constructor(base: string, secret: string) {
    this.#base = base;
    this.#secret = secret;
  }

  async loops(): Promise<Loop[]> {
    return (await this.#ask<{ loops: Loop[] }>('loops_info')).loops;
  }

  async rooms(): Promise<RoomState[]> {
    return (await this.#ask<{ rooms: RoomState[] }>('list_rooms')).rooms;
  }

  /** @returns null for a server that is alone */
  async cluster(): Promise<ClusterState | null> {
    try {
      return await this.#ask<ClusterState>('list_nodes');
    } catch (error) {
      if (error instanceof AdminRefusal && error.code === ALONE) return null;
      throw error;
    }
  }

  async drainNode(node: string, draining: boolean): Promise<void> {
    await this.#ask('drain_node', { node, draining });
  }

  info(): Promise<ServerInfo> {
    return this.#ask<ServerInfo>('info');
  }

  async sessions(): Promise<number> {
    return (await this.#ask<{ sessions: number[] }>('list_sessions')).sessions.length;
  }

  async handle(session: number, handle: number): Promise<HandleInfo> {
    const fields = { plugin_only: true };
    return (await this.#ask<{ info: HandleInfo }>('handle_info', fields, `/${session}/${handle}`)).info;
  }

  async kick(room: string, user: string): Promise<void> {
    await this.#ask('kick', { room_id: room, user_id: user });
  }

  async acceptSessions(accept: boolean): Promise<void> {
    await this.#ask('accept_new_sessions', { accept });
  }

  /** @throws {AdminRefusal}; Error if there is no answer */
  async #ask<Answer>(verb: string, fields: object = {}, path = ''): Promise<Answer> {
    const transaction = crypto.randomUUID?.() ?? String(Math.random());
    const body = JSON.stringify({ ...fields, janus: verb, transaction, admin_secret: this.#secret });
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const response = await fetch(this.#base + path, { method: 'POST', body, signal }).catch(() => null);
    if (!response) throw new Error(UNREACHABLE);
    if (!response.ok) throw new Error(`${REFUSED} (HTTP ${response.status})`);
    const reply: Reply & Answer = await response.json();
    if (reply.error) throw new AdminRefusal(reply.error.code, reply.error.reason);
    return reply;
  }
}

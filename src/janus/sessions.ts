import { randomInt } from 'node:crypto';
import type { SfuHandle } from '../sfu/handle.js';
import type { Connection } from './connection.js';
import { JANUS_ERROR, type JanusError } from './errors.js';
import { Mailbox } from './mailbox.js';
import { RequestQueue } from './request-queue.js';

export interface SessionSettings {
  /** Milliseconds without a request until a session ends; 0 = never. */
  sessionTimeout: number;
  /** Milliseconds for which a session outlives its connection, to be claimed; 0 = not at all. */
  reclaimTimeout: number;
  sessionsPerConnection: number;
  handlesPerConnection: number;
  /** Handles that have not joined a room, of those. */
  unjoinedHandlesPerConnection: number;
  /** Requests that wait for their turn on one handle. */
  requestsPerHandle: number;
  /** Events, and their bytes, that wait for a client that is away. */
  eventsMax: number;
  eventBytesMax: number;
}

/** What the client said at its attach. */
export interface Attachment {
  opaqueId: string | null;
  /** The token that let it in, for the Admin API; never for the log. */
  token: string | null;
}

export interface Handle extends Readonly<Attachment> {
  /** Unique in its session. */
  readonly id: number;
  readonly session: Session;
  /** Milliseconds of the monotonic clock. */
  readonly createdAt: number;
  readonly queue: RequestQueue;
  /** Whether its client said that its PeerConnection's media is encrypted from client to client. */
  e2ee: boolean;
  /** What its client has trickled: nothing, some candidates, or that there are no more. */
  trickled: 'nothing' | 'some' | 'all';
  /** The plugin's side; set right after the plugin was attached. */
  plugin: SfuHandle | null;
}

export interface Session {
  readonly id: number;
  /** The only connection that may use the session, and gets its events; null while it waits to be claimed. */
  owner: Connection | null;
  readonly handles: Map<number, Handle>;
  /** Milliseconds of the monotonic clock. */
  lastActivity: number;
  /** When its connection closed. */
  orphanedSince: number;
  /** Events that wait for the session to be claimed; null while it has an owner. */
  mailbox: Mailbox | null;
  /** Milliseconds without a request until it ends, 0 = never; null = as all sessions. */
  timeout: number | null;
}

/** Times a session ended by itself, or something was refused, since the start. */
export interface SessionCounters {
  timedOut: number;
  unclaimed: number;
  /** Sessions with more events for their client than are kept. */
  overflowed: number;
  /** Sessions that a connection was not given, and handles. */
  sessionsRefused: number;
  handlesRefused: number;
}

/** Why a session ended by itself. */
export interface Expired {
  session: Session;
  cause: 'timeout' | 'unclaimed';
}

/** Random in 1..2^53-1, as Janus draws them: nobody guesses a session. */
export function randomId(): number {
  for (;;) {
    const id = randomInt(2 ** 21) * 2 ** 32 + randomInt(2 ** 32);
    if (id > 0) return id;
  }
}

/** The sessions, who owns them, and when they end. Time is an argument, in milliseconds of a monotonic clock. */
export class Sessions {
  /** Times may be changed while the server runs. */
  readonly settings: SessionSettings;
  readonly counters: SessionCounters = {
    timedOut: 0,
    unclaimed: 0,
    overflowed: 0,
    sessionsRefused: 0,
    handlesRefused: 0,
  };
  readonly #sessions = new Map<number, Session>();
  readonly #owned = new Map<Connection, Set<Session>>();
  #lastSweep = Number.NEGATIVE_INFINITY;

  constructor(settings: SessionSettings) {
    this.settings = settings;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** All sessions, whoever owns them. */
  all(): Session[] {
    return [...this.#sessions.values()];
  }

  /** The session, whoever owns it. */
  find(id: number): Session | null {
    return this.#sessions.get(id) ?? null;
  }

  ownedBy(connection: Connection): Session[] {
    return [...(this.#owned.get(connection) ?? [])];
  }

  /** @param wantedId 0 = draw one */
  create(owner: Connection, wantedId: number, now: number): Session | JanusError {
    if (this.#sessions.has(wantedId)) {
      return { code: JANUS_ERROR.SESSION_CONFLICT, reason: 'Session ID already in use' };
    }
    const full = this.#refusal(owner);
    if (full) return full;
    let id = wantedId;
    while (id === 0 || this.#sessions.has(id)) id = randomId();
    const session: Session = {
      id,
      owner: null,
      handles: new Map(),
      lastActivity: now,
      orphanedSince: now,
      mailbox: null,
      timeout: null,
    };
    this.#sessions.set(id, session);
    this.#setOwner(session, owner);
    return session;
  }

  /** The session, if this connection may use it. A stranger learns as much as about one that doesn't exist. */
  get(id: number, connection: Connection): Session | null {
    const session = this.#sessions.get(id);
    return session?.owner === connection ? session : null;
  }

  /** Makes the connection the owner, whoever was it before. What waits in the mailbox is to be delivered then. */
  claim(session: Session, connection: Connection): JanusError | null {
    if (session.owner === connection) return null;
    const refusal = this.#refusal(connection);
    if (refusal) return refusal;
    for (const event of session.owner?.takeUndelivered?.() ?? []) this.#mailboxOf(session).push(event);
    this.#setOwner(session, connection);
    return null;
  }

  remove(session: Session): void {
    this.#setOwner(session, null);
    this.#sessions.delete(session.id);
  }

  /** A new handle without its plugin side, or why not. */
  addHandle(session: Session, attachment: Attachment, now: number): Handle | JanusError {
    const { handlesPerConnection: most, unjoinedHandlesPerConnection: mostUnjoined } = this.settings;
    let handles = 0;
    let unjoined = 0;
    for (const sibling of session.owner ? this.ownedBy(session.owner) : [session]) {
      handles += sibling.handles.size;
      for (const handle of sibling.handles.values()) if (!handle.plugin?.joined) unjoined += 1;
    }
    const reason =
      handles >= most
        ? `this connection has ${most} handles, the most allowed`
        : `this connection has ${mostUnjoined} handles that have not joined a room, the most allowed`;
    if (handles >= most || unjoined >= mostUnjoined) {
      this.counters.handlesRefused += 1;
      return { code: JANUS_ERROR.PLUGIN_ATTACH, reason: `Couldn't attach to plugin: ${reason}` };
    }
    let id = randomId();
    while (session.handles.has(id)) id = randomId();
    const queue = new RequestQueue(this.settings.requestsPerHandle);
    const handle: Handle = {
      id,
      session,
      ...attachment,
      createdAt: now,
      queue,
      e2ee: false,
      trickled: 'nothing',
      plugin: null,
    };
    session.handles.set(id, handle);
    return handle;
  }

  /** The connection closed. Returns the sessions that end with it; the others wait to be claimed. */
  disconnect(connection: Connection, now: number): Session[] {
    const sessions = this.ownedBy(connection);
    if (this.settings.reclaimTimeout === 0) return sessions;
    for (const session of sessions) {
      session.orphanedSince = now;
      this.#mailboxOf(session);
      this.#setOwner(session, null);
    }
    return [];
  }

  /**
   * Sends an event to the session's owner, or keeps it for the next one, also if the owner is about to end.
   *
   * @returns false if more wait already than are kept: the session has to end
   */
  tell(session: Session, event: object): boolean {
    const { owner } = session;
    if (owner && !(owner.closing && this.settings.reclaimTimeout > 0)) {
      owner.send(event);
      return true;
    }
    if (owner) return this.#mailboxOf(session).push(event);
    return !session.mailbox || session.mailbox.push(event);
  }

  /** Where the session's events wait for whoever claims it. */
  #mailboxOf(session: Session): Mailbox {
    const { eventsMax, eventBytesMax } = this.settings;
    session.mailbox ??= new Mailbox(eventsMax, eventBytesMax);
    return session.mailbox;
  }

  /** Sessions that have an owner, and those that wait for one; handles of both. */
  census(): { owned: number; orphaned: number; handles: number } {
    let owned = 0;
    let handles = 0;
    for (const session of this.#sessions.values()) {
      if (session.owner) owned += 1;
      handles += session.handles.size;
    }
    return { owned, orphaned: this.#sessions.size - owned, handles };
  }

  /**
   * Says which sessions have expired; to be called every second or so. After a stall of the process nothing expires
   * before the requests that came meanwhile were read.
   */
  expire(now: number): Expired[] {
    const stalled = now - this.#lastSweep > SWEEP_STALL;
    this.#lastSweep = now;
    if (stalled) return [];
    const { sessionTimeout, reclaimTimeout } = this.settings;
    const expired: Expired[] = [];
    for (const session of this.#sessions.values()) {
      if (!session.owner && now - session.orphanedSince >= reclaimTimeout) {
        expired.push({ session, cause: 'unclaimed' });
        this.counters.unclaimed += 1;
        continue;
      }
      const timeout = session.timeout ?? sessionTimeout;
      if (timeout > 0 && now - session.lastActivity >= timeout) {
        expired.push({ session, cause: 'timeout' });
        this.counters.timedOut += 1;
      }
    }
    return expired;
  }

  #refusal(connection: Connection): JanusError | null {
    const most = this.settings.sessionsPerConnection;
    if ((this.#owned.get(connection)?.size ?? 0) < most) return null;
    this.counters.sessionsRefused += 1;
    const reason = `This connection has ${most} sessions, the most allowed`;
    return { code: JANUS_ERROR.NOT_ACCEPTING_SESSIONS, reason };
  }

  #setOwner(session: Session, owner: Connection | null): void {
    if (session.owner) {
      const owned = this.#owned.get(session.owner);
      owned?.delete(session);
      if (owned?.size === 0) this.#owned.delete(session.owner);
      session.owner.lost?.(session.id);
    }
    session.owner = owner;
    if (!owner) return;
    this.#owned.set(owner, (this.#owned.get(owner) ?? new Set()).add(session));
    owner.gained?.(session.id);
  }
}

/** Milliseconds between two sweeps from which on the process must have been stopped or very busy. */
const SWEEP_STALL = 1500;

export function noSuchSession(id: number): JanusError {
  return { code: JANUS_ERROR.SESSION_NOT_FOUND, reason: `No such session ${id}` };
}

export function noSuchHandle(id: number, session: Session): JanusError {
  return { code: JANUS_ERROR.HANDLE_NOT_FOUND, reason: `No such handle ${id} in session ${session.id}` };
}

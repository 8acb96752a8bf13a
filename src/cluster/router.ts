import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Commander } from './commands.js';
import { type Membership, NODE_TTL } from './membership.js';
import { chooseNode, type NodeRecord } from './node-choice.js';
import type { Ownership } from './ownership.js';
import { NO_TRUST, type Relay } from './relay.js';
import type { Visitors } from './visitors.js';

export interface RouterParts {
  membership: Membership;
  ownership: Ownership;
  relay: Relay;
  visitors: Visitors;
  commander: Commander;
  /** Whether NATS is here. */
  linked: () => boolean;
  /** Whether this node has the session. */
  hasSession: (id: number) => boolean;
  /** Most WebSockets and HTTP requests that go through this node at once. */
  relaysMax: number;
  /** Whether a new room is this node's if its first client comes here: somebody in front has chosen by the room. */
  staysWhereItComes: boolean;
  /** Milliseconds, monotonic. */
  now: () => number;
}

/** A WebSocket handshake, and what it says of where it belongs. */
export interface Handshake {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  /** The client's. */
  address: string;
  /** Of its URL. */
  room: string | null;
}

/** Milliseconds for which a handshake waits for a room whose node can't be reached: by then that is known to be dead. */
const WAIT_LIMIT = 9_000;
const RETRY_INTERVAL = 300;
/** The load from which on a node does all that it can. */
const OVERLOAD = 1;
/** Sessions of which it is remembered where they are. */
const SESSIONS_MAX = 10_000;
/** Searches for sessions at once; further requests are to be sent again. */
const SEARCHES_MAX = 64;
const UNKNOWN = 'It can not be found out at the moment where this session is: try again.';
const SESSION_PATH = /^\/janus\/(\d{1,16})(?:[/?]|$)/;

/** Brings clients to the nodes that they belong to. */
export class Router {
  readonly #parts: RouterParts;
  readonly #sessions = new Map<number, string>();
  #searches = 0;
  readonly counters = { full: 0, waitedInVain: 0, untrusted: 0, searchesRefused: 0 };

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  /** @returns whether the client is to be served here; if not, its socket is in other hands, or ended */
  async webSocket(handshake: Handshake): Promise<boolean> {
    const { visitors, now, relay, membership } = this.#parts;
    const { request, socket, head, address } = handshake;
    const room = handshake.room ?? (await visitors.roomOf(request));
    const since = now();
    while (!socket.destroyed) {
      const node = this.#nodeOf(room);
      if (node === null) return true;
      const refusal = this.#refusal(node);
      if (refusal !== null) {
        refuse(socket, refusal);
        return false;
      }
      const outcome = await relay.webSocket(node, request, socket, head, address);
      if (outcome === 'relayed' || outcome === 'refused') return false;
      if (outcome === 'unproven') {
        refuse(socket, NO_TRUST);
        return false;
      }
      if (now() - since >= NODE_TTL) membership.unreachable(node.id);
      if (now() - since >= WAIT_LIMIT) break;
      await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL));
    }
    this.counters.waitedInVain += 1;
    refuse(socket, 'The node of this room can not be reached.');
    return false;
  }

  /** Answers an HTTP request by another node if it belongs there, else by `here`. Never rejects. */
  async http(request: IncomingMessage, response: ServerResponse, address: string, here: () => void): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const session = SESSION_PATH.exec(path)?.[1];
    const room = session === undefined ? new URLSearchParams(query).get('room') : null;
    const node = session === undefined ? this.#nodeOf(room) : await this.#nodeOfSession(Number(session));
    if (response.destroyed) return;
    if (node === null) return here();
    const refusal = node === 'unknown' ? UNKNOWN : this.#refusal(node);
    if (node !== 'unknown' && refusal === null) return this.#parts.relay.http(node, request, response, address);
    const headers = { 'Content-Type': 'text/plain', 'Retry-After': '1', Connection: 'close' };
    response.writeHead(503, headers).end(`${refusal}\n`);
  }

  /** Why nobody is brought to a node at the moment; null = nothing is in the way. */
  #refusal(node: NodeRecord): string | null {
    const { relay, relaysMax, membership } = this.#parts;
    if (!membership.trusts(node.id)) {
      this.counters.untrusted += 1;
      return NO_TRUST;
    }
    if (relay.passages < relaysMax) return null;
    this.counters.full += 1;
    return 'This node brings as many clients to others as it may (CLUSTER_RELAYS_MAX).';
  }

  /** The other node that a room belongs to; null = this one. Without a room, any that takes new clients. */
  #nodeOf(room: string | null): NodeRecord | null {
    const { membership, ownership, linked, staysWhereItComes, now } = this.#parts;
    const find = (id: string | null) => (id === null || id === membership.self ? null : membership.find(id, now()));
    if (room === null) return ownership.draining ? find(chooseNode('', ownership.candidates())) : null;
    if (ownership.holds(room)) return null;
    const owner = ownership.directory.find(room)?.node;
    if (owner !== undefined && membership.alive(owner, now())) return find(owner);
    if (!linked() || (staysWhereItComes && this.#hasHeadroom())) return null;
    return find(chooseNode(room, ownership.candidates()));
  }

  /** Whether this node takes new rooms, and can. */
  #hasHeadroom(): boolean {
    const { membership, ownership, now } = this.#parts;
    return !ownership.draining && (membership.find(membership.self, now())?.load ?? 0) < OVERLOAD;
  }

  async #nodeOfSession(id: number): Promise<NodeRecord | null | 'unknown'> {
    const { membership, commander, hasSession, now } = this.#parts;
    if (hasSession(id)) return null;
    const known = this.#sessions.get(id);
    const found = known === undefined ? null : membership.find(known, now());
    if (found) return found;
    if (this.#searches >= SEARCHES_MAX) {
      this.counters.searchesRefused += 1;
      return 'unknown';
    }
    this.#searches += 1;
    try {
      const others = membership
        .living(now())
        .filter((node) => node.id !== membership.self && membership.trusts(node.id));
      const answers = await commander.askAll(
        others.map((node) => node.id),
        'session',
        { id },
      );
      const owner = others.find((node) => answers.get(node.id)?.here) ?? null;
      if (owner) this.#remember(id, owner.id);
      // A client that is told that its session is gone gives up; it may be at the node that said nothing.
      return owner ?? (answers.size < others.length ? 'unknown' : null);
    } finally {
      this.#searches -= 1;
    }
  }

  #remember(id: number, node: string): void {
    this.#sessions.set(id, node);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > SESSIONS_MAX && oldest !== undefined) this.#sessions.delete(oldest);
  }

  /** Where a session is that is not here; null if no other node has it either. */
  async findSession(id: number): Promise<string | null> {
    const node = await this.#nodeOfSession(id);
    return node === null || node === 'unknown' ? null : node.id;
  }
}

function refuse(socket: Duplex, text: string): void {
  if (socket.destroyed) return;
  const body = `${text}\n`;
  socket.end(
    `HTTP/1.1 503 ${STATUS_CODES[503]}\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

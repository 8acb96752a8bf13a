import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Bucket } from './bucket.js';
import { keyOf } from './directory.js';

const COOKIE = 'janus_sfu';
const ID = /^[\w-]{22}$/;
const ID_BYTES = 16;
/** Seconds for which a browser keeps its cookie. */
const COOKIE_AGE = 86_400;
/** Milliseconds for which it is remembered where a client wanted to go. */
export const MEMORY_TTL = 600_000;
/** Milliseconds within which who was sent away without a cookie should have been back with one. */
const RETURN_LIMIT = 30_000;
/** Longer ones are not read: a browser sends all that it has for the host. */
const HEADER_MAX = 8_192;

/** A client as a handshake shows it. */
export interface Visitor {
  id: string;
  /** Whether it brought its id along: one that does not keep cookies never will. */
  known: boolean;
}

/** The id in a handshake's cookies; null if it has none of ours. */
export function visitorOf(request: IncomingMessage): string | null {
  const { cookie = '' } = request.headers;
  if (cookie.length > HEADER_MAX) return null;
  for (const part of cookie.split(';')) {
    const [name = '', value = ''] = part.trim().split('=', 2);
    if (name === COOKIE && ID.test(value)) return value;
  }
  return null;
}

/** Clients without `?room=` by a random id in a cookie, and the rooms that they were on their way to. */
export class Visitors {
  readonly #mode: 'lax' | 'none' | 'off';
  readonly #bucket: Pick<Bucket, 'get' | 'put'>;
  readonly #clock: () => number;
  /** Ids of those whose handshakes brought none. */
  readonly #fresh = new WeakMap<IncomingMessage, string>();

  /** @param clock milliseconds since 1970: another node reads it */
  constructor(mode: 'lax' | 'none' | 'off', bucket: Pick<Bucket, 'get' | 'put'>, clock: () => number = Date.now) {
    this.#mode = mode;
    this.#bucket = bucket;
    this.#clock = clock;
  }

  /** Who comes here; null where nobody is recognized. */
  visitor(request: IncomingMessage): Visitor | null {
    if (this.#mode === 'off') return null;
    const brought = visitorOf(request);
    if (brought !== null) return { id: brought, known: true };
    const id = this.#fresh.get(request) ?? randomBytes(ID_BYTES).toString('base64url');
    this.#fresh.set(request, id);
    return { id, known: false };
  }

  /** The header line that gives a client its id; null for one that has one. */
  cookie(request: IncomingMessage): string | null {
    const visitor = this.visitor(request);
    if (!visitor || visitor.known) return null;
    // Partitioned (CHIPS): each page's site gets a cookie of its own, where browsers would block one that all sites share.
    const site = this.#mode === 'none' ? 'SameSite=None; Secure; Partitioned' : 'SameSite=Lax';
    return `Set-Cookie: ${COOKIE}=${visitor.id}; Path=/; Max-Age=${COOKIE_AGE}; HttpOnly; ${site}`;
  }

  /** The room that the client was on its way to; null if nothing is known. Never rejects. */
  async roomOf(request: IncomingMessage): Promise<string | null> {
    const visitor = this.visitor(request);
    if (!visitor?.known) return null;
    try {
      return (await this.#bucket.get(visitor.id))?.text ?? null;
    } catch {
      return null;
    }
  }

  /**
   * Remembers where a client belongs, before it is sent to connect again.
   *
   * @returns false if it can't be: it keeps no cookies, as its being back here without one shows, or NATS is away
   */
  async remember(visitor: Visitor, room: string, user: string): Promise<boolean> {
    try {
      if (!visitor.known && (await this.#wasSentAway(room, user))) return false;
      await this.#bucket.put(visitor.id, room);
      return true;
    } catch {
      return false;
    }
  }

  async #wasSentAway(room: string, user: string): Promise<boolean> {
    const key = keyOf('sent away', room, user);
    const last = Number((await this.#bucket.get(key))?.text ?? 0);
    const now = this.#clock();
    if (now - last < RETURN_LIMIT) return true;
    await this.#bucket.put(key, String(now));
    return false;
  }
}

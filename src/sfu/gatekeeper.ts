import type { KeyObject } from 'node:crypto';
import { Counts } from '../observability/counts.js';
import type { Ban } from './ban-store.js';
import { type Bans, tokenDigest } from './bans.js';
import { type Grant, readToken, type TokenGrant } from './token.js';

export interface GatekeeperSettings {
  /** Whether only tokens that name their user let anybody in. */
  userRequired?: boolean;
  /** Tokens that let nobody in any more; absent = kicked users may come back with theirs. */
  bans?: Bans;
  /** Characters; a longer token is not even looked at. */
  lengthMax?: number;
  /** Wall clock in Unix seconds: token expiry is the one thing that follows it. */
  now?: () => number;
}

/** Rooms that a bearer may hear; null = every room. */
export type Permission = { ok: true; rooms: readonly string[] | null } | { ok: false; reason: string };

/** `token` is what to ban if the bearer is kicked; null = nothing. */
export type JoinPermission =
  | { ok: true; rooms: readonly string[] | null; token: Ban | null }
  | { ok: false; reason: string };

/** Why tokens are refused, for the metrics. */
const REFUSALS = ['missing', 'too_long', 'invalid', 'banned', 'permission'] as const;
type TokenRefusal = (typeof REFUSALS)[number];

const LENGTH_MAX = 8192;

/** The clock that tokens expire by: Unix time in seconds. */
export const wallClock = () => Math.floor(Date.now() / 1000);

/** Decides about joins, subscriptions and kicks; without a key everything but kick is allowed. */
export class Gatekeeper {
  readonly refused = new Counts(REFUSALS);
  readonly bans: Bans | null;
  readonly #key: KeyObject | null;
  readonly #userRequired: boolean;
  readonly #lengthMax: number;
  readonly #now: () => number;

  /** @param key null = no tokens are needed */
  constructor(key: KeyObject | null, settings: GatekeeperSettings = {}) {
    const { userRequired = false, lengthMax = LENGTH_MAX, bans, now = wallClock } = settings;
    this.#key = key;
    this.#userRequired = userRequired;
    this.bans = bans ?? null;
    this.#lengthMax = lengthMax;
    this.#now = now;
  }

  /** Rooms beside the joined one that may be heard: those that the token lists. */
  join(token: string | null, room: string, user: string): JoinPermission {
    if (!this.#key) return { ok: true, rooms: [], token: null };
    if (token === null) return this.#refuse('missing', 'Rejecting anonymous join!');
    const grant = this.#read(token, this.#key);
    if (typeof grant === 'string') return this.#refuse(grant, `Rejecting join with ${wordFor(grant)} token!`);
    if (!grant.joinHub || !covers(grant, room) || !this.#isFor(grant, user)) {
      return this.#refuse('permission', 'Rejecting join without permission!');
    }
    const bannable = this.bans ? { token: tokenDigest(token), expires: grant.expires } : null;
    return { ok: true, rooms: grant.rooms ?? [], token: bannable };
  }

  /**
   * A `subscribe` message: with a token, it is checked and its rooms may be heard too. Before joining (`joined` false)
   * a token is needed if there is a key, and any room that it could join may be heard.
   */
  subscribe(token: string | null, joined: boolean, user: string | null): Permission {
    if (!this.#key) return { ok: true, rooms: joined ? [] : null };
    if (token === null) {
      return joined ? { ok: true, rooms: [] } : this.#refuse('missing', 'Rejecting anonymous subscribe!');
    }
    const grant = this.#read(token, this.#key);
    if (typeof grant === 'string') return this.#refuse(grant, `Rejecting subscribe with ${wordFor(grant)} token!`);
    if (!grant.joinHub || (user === null ? this.#userRequired && grant.user === null : !this.#isFor(grant, user))) {
      return this.#refuse('permission', 'Rejecting subscribe without permission!');
    }
    return { ok: true, rooms: grant.rooms ?? (joined ? [] : null) };
  }

  /** TURN credentials: for whoever may join some room. `user` is whom the token is for, if it names somebody. */
  relay(token: string | null): { ok: true; user: string | null } | { ok: false; reason: string } {
    if (!this.#key) return { ok: true, user: null };
    const grant = token === null ? 'missing' : this.#read(token, this.#key);
    if (typeof grant !== 'string' && grant.joinHub) return { ok: true, user: grant.user };
    const reason = 'A token that lets its bearer join a room is needed (Authorization: Bearer).';
    return this.#refuse(typeof grant === 'string' ? grant : 'permission', reason);
  }

  kick(token: string | null, room: string): Permission {
    if (!this.#key) return { ok: false, reason: NO_KEY };
    if (token === null) return this.#refuse('missing', 'Rejecting anonymous kick!');
    const grant = this.#read(token, this.#key);
    if (typeof grant === 'string') return this.#refuse(grant, `Rejecting kick with ${wordFor(grant)} token!`);
    const mayKick = grant.kickUsers && covers(grant, room);
    return mayKick ? { ok: true, rooms: null } : this.#refuse('permission', 'Rejecting kick without permission!');
  }

  /** Whether a token was taken away since it let its bearer in. */
  isBanned({ token }: Ban): boolean {
    return this.bans?.has(token) ?? false;
  }

  #read(token: string, key: KeyObject): TokenGrant | TokenRefusal {
    if (token.length > this.#lengthMax) return 'too_long';
    const grant = readToken(token, key, this.#now());
    if (!grant) return 'invalid';
    return this.bans?.has(tokenDigest(token)) ? 'banned' : grant;
  }

  #isFor(grant: Grant, user: string): boolean {
    return grant.user === null ? !this.#userRequired : grant.user === user;
  }

  #refuse(why: TokenRefusal, reason: string): { ok: false; reason: string } {
    this.refused.add(why);
    return { ok: false, reason };
  }
}

const NO_KEY = 'Kicking needs a token, and this server has no key to check one (AUTH_KEY).';

/** As clients are told: how a token is wrong is nobody's business, but that it was taken away is. */
function wordFor(refusal: TokenRefusal): string {
  return refusal === 'banned' ? 'banned' : 'invalid';
}

function covers(grant: Grant, room: string): boolean {
  return grant.rooms === null || grant.rooms.includes(room);
}

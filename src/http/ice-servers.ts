import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressOf } from './client-address.js';
import type { HttpHandler } from './listener.js';

/** One entry of a PeerConnection's configuration (WebRTC 4.2.4, RTCIceServer). */
export interface IceServer {
  urls: readonly string[];
  username?: string;
  credential?: string;
}

export interface IceServerSettings {
  stunUrls: readonly string[];
  turnUrls: readonly string[];
  /** What the TURN servers share with this one; absent = no TURN servers are told. */
  turnSecret: string | undefined;
  /** Milliseconds for which TURN credentials are valid. */
  turnTtl: number;
}

/** What may stand in a TURN username; other ids are left out of it. */
const USER_FORM = /^[\w.@+-]{1,64}$/;

/**
 * Credentials that a TURN server with the same secret takes until they expire (draft-uberti-behave-turn-rest-00, 2.2;
 * coturn's `use-auth-secret`).
 *
 * @param user who they are for, as the TURN server's log shows it; null = nobody in particular
 * @param expires Unix time, seconds
 */
export function turnCredentials(secret: string, user: string | null, expires: number) {
  const username = user !== null && USER_FORM.test(user) ? `${expires}:${user}` : String(expires);
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}

/** The STUN and TURN servers that clients are told. None of them is ever asked anything by this server. */
export class IceServers {
  readonly #settings: IceServerSettings;
  readonly #now: () => number;
  /** Requests since the start: answered, without a token that was needed (401), too many of an address (429). */
  readonly counters = { answered: 0, denied: 0, limited: 0 };

  /** @param now wall clock, Unix time in milliseconds: TURN servers compare with theirs */
  constructor(settings: IceServerSettings, now: () => number = Date.now) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Seconds for which credentials that are made now are valid. */
  get ttl(): number {
    return Math.floor(this.#settings.turnTtl / 1000);
  }

  /** Those that need no credentials. */
  get open(): IceServer[] {
    const { stunUrls } = this.#settings;
    return stunUrls.length > 0 ? [{ urls: stunUrls }] : [];
  }

  /** All, with credentials made now. */
  withCredentials(user: string | null): IceServer[] {
    const { turnUrls, turnSecret } = this.#settings;
    if (turnUrls.length === 0 || turnSecret === undefined) return this.open;
    const expires = Math.floor(this.#now() / 1000) + this.ttl;
    return [...this.open, { urls: turnUrls, ...turnCredentials(turnSecret, user, expires) }];
  }
}

export interface IceServersAccess {
  /** Whether the bearer of a token may have credentials; `token` null = the request has none. */
  admit(token: string | null): { ok: true; user: string | null } | { ok: false; reason: string };
  /** Headers for pages of other origins; null = this one is refused. */
  cors(request: IncomingHttpHeaders): Readonly<Record<string, string>> | null;
  addressOf: AddressOf;
  /** Milliseconds until an address may have its answer; null = it asks too often. */
  wait(address: string): number | null;
}

/**
 * Answers `GET /ice-servers` with `{"iceServers":[…],"ttl":…}`, a part of a PeerConnection's configuration. A room's token
 * goes into `Authorization: Bearer`.
 */
export function iceServersHandler(servers: IceServers, access: IceServersAccess): HttpHandler {
  return (request, response) => {
    const cors = access.cors(request.headers);
    for (const [name, value] of Object.entries(cors ?? {})) response.setHeader(name, value);
    if (cors === null) return send(response, 403, { error: 'Pages of this origin are not served here.' });
    if (request.method === 'OPTIONS') return send(response, 200, null);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD, OPTIONS');
      return send(response, 405, null);
    }
    const wait = access.wait(access.addressOf(request));
    if (wait === null) {
      servers.counters.limited += 1;
      response.setHeader('Retry-After', '1');
      return send(response, 429, { error: 'Too many requests from this address; send fewer a second.' });
    }
    const answer = () => {
      const admitted = access.admit(bearerToken(request.headers));
      servers.counters[admitted.ok ? 'answered' : 'denied'] += 1;
      if (!admitted.ok) response.setHeader('WWW-Authenticate', 'Bearer');
      const iceServers = admitted.ok ? servers.withCredentials(admitted.user) : [];
      const message = admitted.ok ? { iceServers, ttl: servers.ttl } : { error: admitted.reason };
      send(response, admitted.ok ? 200 : 401, message, request.method === 'HEAD');
    };
    if (wait === 0) return answer();
    const timer = setTimeout(answer, wait);
    response.on('close', () => clearTimeout(timer));
  };
}

/** The token of RFC 6750 2.1; null if there is none. */
function bearerToken({ authorization = '' }: IncomingHttpHeaders): string | null {
  return /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization)?.[1] ?? null;
}

function send(response: ServerResponse, status: number, message: object | null, head = false): void {
  const body = message === null ? '' : `${JSON.stringify(message)}\n`;
  response.writeHead(status, {
    ...(message === null ? {} : { 'Content-Type': 'application/json; charset=utf-8' }),
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(head ? undefined : body);
}

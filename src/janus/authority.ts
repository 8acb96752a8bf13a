import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Fields, field } from './envelope.js';

export interface AuthoritySettings {
  /** `apisecret` of requests; absent = there is none. */
  apiSecret: string | undefined;
  /** Whether requests may be let in by a `token`. */
  tokenAuth: boolean;
  /** With it tokens are signed by somebody who knows it; without it they are those that the Admin API added. */
  tokenSecret: string | undefined;
  tokensMax: number;
}

/** The realm of a signed token that is for this API, and not for the Admin one. */
const REALM = 'janus';
/** Longer ones are refused unread (threats.md A3). */
const TOKEN_BYTES_MAX = 8192;

/** Takes as long for a text that differs at its start as for one that differs at its end, or in length. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Who may use the API (janus-api.md 7): a shared secret, stored tokens or signed tokens. One that fits is enough. */
export class Authority {
  readonly #settings: AuthoritySettings;
  /** Seconds since 1970: a token's end is a time of day. */
  readonly #clock: () => number;
  /** The stored tokens by their keyed digests: how long a look-up takes then says nothing about the tokens that exist. */
  readonly #tokens = new Map<string, { token: string; plugins: Set<string> }>();
  readonly #digestKey = randomBytes(32);
  #listener: (token: string, plugins: string[] | null) => Promise<void> = async () => {};
  /** Resolves when what was last changed here has been passed on, or can't be at the moment. */
  shared: Promise<void> = Promise.resolve();

  constructor(settings: AuthoritySettings, clock: () => number = () => Date.now() / 1000) {
    this.#settings = settings;
    this.#clock = clock;
  }

  get usesSecret(): boolean {
    return this.#settings.apiSecret !== undefined;
  }

  get usesTokens(): boolean {
    return this.#settings.tokenAuth;
  }

  /** Whether tokens are kept here, and the Admin API's token verbs have something to act on. */
  get storesTokens(): boolean {
    return this.#settings.tokenAuth && this.#settings.tokenSecret === undefined;
  }

  /** Whether a request with these fields (`apisecret`, `token`) may be served. */
  allows(fields: Fields): boolean {
    const { apiSecret, tokenAuth } = this.#settings;
    if (apiSecret === undefined && !tokenAuth) return true;
    const secret = field(fields, 'apisecret');
    if (apiSecret !== undefined && typeof secret === 'string' && sameText(secret, apiSecret)) return true;
    const token = field(fields, 'token');
    return tokenAuth && typeof token === 'string' && this.#isValid(token);
  }

  /** Whether an attach that came with this token may be to this plugin; a token that is given must fit, secret or not. */
  mayUse(token: string, plugin: string): boolean {
    if (!this.#settings.tokenAuth) return true;
    if (this.storesTokens) return this.#stored(token)?.plugins.has(plugin) ?? false;
    return this.#readSigned(token)?.includes(plugin) ?? false;
  }

  /**
   * Stores a token, or gives a stored one more plugins.
   *
   * @returns what it may use now; null if there is no room for another token
   */
  addToken(token: string, plugins: readonly string[]): string[] | null {
    let stored = this.#stored(token);
    if (!stored) {
      if (this.#tokens.size >= this.#settings.tokensMax) return null;
      stored = { token, plugins: new Set() };
      this.#tokens.set(this.#digest(token), stored);
    }
    for (const plugin of plugins) stored.plugins.add(plugin);
    this.shared = this.#listener(token, [...stored.plugins]);
    return [...stored.plugins];
  }

  /** @returns what the token may use now; null if there is no such token */
  disallow(token: string, plugins: readonly string[]): string[] | null {
    const stored = this.#stored(token);
    if (!stored) return null;
    for (const plugin of plugins) stored.plugins.delete(plugin);
    this.shared = this.#listener(token, [...stored.plugins]);
    return [...stored.plugins];
  }

  hasToken(token: string): boolean {
    return this.#stored(token) !== undefined;
  }

  /** @returns whether there was such a token */
  removeToken(token: string): boolean {
    const removed = this.#tokens.delete(this.#digest(token));
    if (removed) this.shared = this.#listener(token, null);
    return removed;
  }

  /** Told of each token that is stored, changed (with all that it may use now) or removed (null) here. Must not reject. */
  onChange(listener: (token: string, plugins: string[] | null) => Promise<void>): void {
    this.#listener = listener;
  }

  /** Stores what another server of the cluster changed, as far as `tokensMax` allows; null = it was removed. */
  learn(token: string, plugins: string[] | null): void {
    const digest = this.#digest(token);
    if (plugins === null) this.#tokens.delete(digest);
    else if (this.#tokens.has(digest) || this.#tokens.size < this.#settings.tokensMax)
      this.#tokens.set(digest, { token, plugins: new Set(plugins) });
  }

  /** The stored tokens with what each may use. */
  tokens(): { token: string; plugins: string[] }[] {
    return [...this.#tokens.values()].map(({ token, plugins }) => ({ token, plugins: [...plugins] }));
  }

  #digest(token: string): string {
    return createHmac('sha256', this.#digestKey).update(token).digest('base64');
  }

  #stored(token: string): { token: string; plugins: Set<string> } | undefined {
    return this.#tokens.get(this.#digest(token));
  }

  #isValid(token: string): boolean {
    return this.storesTokens ? this.hasToken(token) : this.#readSigned(token) !== null;
  }

  /**
   * Reads `EXPIRY,REALM[,PLUGIN…]:SIGNATURE`.
   *
   * @returns its plugins; null if the token is not of this form, not signed by us, for another realm, or past its end
   */
  #readSigned(token: string): string[] | null {
    const { tokenSecret } = this.#settings;
    if (tokenSecret === undefined || token.length > TOKEN_BYTES_MAX) return null;
    const parts = token.split(':');
    const [content = '', signature = ''] = parts;
    if (parts.length !== 2) return null;
    const expected = createHmac('sha1', tokenSecret).update(content).digest('base64');
    if (!sameText(signature, expected)) return null;
    const [expiry = '', realm = '', ...plugins] = content.split(',');
    if (!/^\d{1,15}$/.test(expiry) || Number(expiry) < this.#clock() || realm !== REALM) return null;
    return plugins;
  }
}

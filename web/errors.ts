/** What can go wrong between a page and the server, each with words that say what to do about it. */

/** The WebSocket did not open, or broke before it was of use. */
export class SignallingUnreachable extends Error {
  override readonly name = 'SignallingUnreachable';

  constructor(url: string) {
    super(
      `Signalling not reachable: no answer from ${url.replace(/[?].*/, '')}. Is the server running, and does a firewall allow this port?`,
    );
  }
}

/** The server answered a request with a Janus error (`{"janus":"error","error":{code,reason}}`). */
export class JanusError extends Error {
  override readonly name = 'JanusError';
  readonly code: number;

  constructor(verb: string, code: number, reason: string) {
    super(`The server refused "${verb}": ${reason} (Janus error ${code}).`);
    this.code = code;
  }
}

/** A request got no answer in time, or the connection closed while it was waiting. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  constructor(verb: string, why: string) {
    super(`No answer to "${verb}": ${why}.`);
  }
}

/** The plugin refused a message (`{"success":false,"error":{"msg"}}`). */
export class Refused extends Error {
  override readonly name = 'Refused';
  /** The server's own words. */
  readonly reason: string;
  /** True if asking again with the same words would be refused again. */
  readonly final: boolean;

  constructor(kind: string, reason: string) {
    super(Refused.#explain(kind, reason));
    this.reason = reason;
    this.final = /^Rejecting |token|^Room is full|^Server is full|must |expected/i.test(reason);
  }

  static #explain(kind: string, reason: string): string {
    if (/^Rejecting |token/i.test(reason)) {
      return `Token refused: ${reason} Ask the room's owner for a link with a valid token.`;
    }
    if (/^Room is full/.test(reason))
      return 'The room is full. Try again when somebody has left, or choose another room.';
    if (/^Server is full/.test(reason)) return 'The server is full. Try again later.';
    return `The server refused to ${kind}: ${reason}`;
  }
}

/** The server ended this page's place in the room: asking for it again at once would only annoy whoever did that. */
export class Removed extends Error {
  override readonly name = 'Removed';

  constructor() {
    super('You were removed from the room.');
  }
}

/** ICE found no way to the server: signalling works, but media packets don't arrive. */
export class NoUdp extends Error {
  override readonly name = 'NoUdp';

  /** @param targets the server's candidates as `address:port` */
  constructor(targets: readonly string[]) {
    const where = targets.length > 0 ? `port ${targets.join(', ')}` : 'the server named no port';
    super(
      `No UDP reachable (${where}). Open this UDP port in the server's firewall, ` +
        'and set PUBLIC_IP if the server is behind a NAT.',
    );
  }
}

/** The words for any error, for a notice. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

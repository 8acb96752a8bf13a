/** What can go wrong, each with a code that stays the same and with words that say what to do about it. */

export type ErrorCode =
  | 'signalling-unreachable'
  | 'connection-lost'
  | 'janus-error'
  | 'no-answer'
  | 'refused'
  | 'removed'
  | 'hung-up'
  | 'peer-failed'
  | 'no-udp'
  | 'session-lost'
  | 'too-many-requests'
  | 'closed'
  | 'unsupported';

/** Any error of this client. */
export abstract class SfuError extends Error {
  abstract readonly code: ErrorCode;
  /** Whether asking again with the same words would fail again. */
  get final(): boolean {
    return false;
  }
}

/** The WebSocket did not open, or broke before it was of use. */
export class SignallingUnreachable extends SfuError {
  override readonly name = 'SignallingUnreachable';
  readonly code = 'signalling-unreachable';

  constructor(url: string) {
    super(
      `Signalling not reachable: no answer from ${url.replace(/[?].*/, '')}. Is the server running, and does a firewall allow this port?`,
    );
  }
}

/** The WebSocket was open, and closed. */
export class ConnectionLost extends SfuError {
  override readonly name = 'ConnectionLost';
  readonly code = 'connection-lost';

  constructor(why: string) {
    super(`The connection to the server was closed (${why}).`);
  }
}

const UNAUTHORIZED = 403;
const SESSION_NOT_FOUND = 458;

/** The server answered a request with a Janus error (`{"janus":"error","error":{code,reason}}`). */
export class JanusRefusal extends SfuError {
  override readonly name = 'JanusRefusal';
  readonly code = 'janus-error';
  /** A code of the Janus API, such as 458: session not found. */
  readonly janusCode: number;
  /** The server's own words. */
  readonly reason: string;

  constructor(verb: string, janusCode: number, reason: string) {
    const advice = janusCode === UNAUTHORIZED ? ' Check the API secret or token.' : '';
    super(`The server refused "${verb}": ${reason} (Janus error ${janusCode}).${advice}`);
    this.janusCode = janusCode;
    this.reason = reason;
  }

  override get final(): boolean {
    return this.janusCode === UNAUTHORIZED;
  }

  /** Whether the server knows no such session of this client: it has ended. */
  get sessionUnknown(): boolean {
    return this.janusCode === SESSION_NOT_FOUND;
  }
}

/** A request got no answer in time. */
export class NoAnswer extends SfuError {
  override readonly name = 'NoAnswer';
  readonly code = 'no-answer';

  constructor(verb: string, why: string) {
    super(`No answer to "${verb}": ${why}.`);
  }
}

/** The plugin refused a message (`{"success":false,"error":{"msg"}}`). */
export class Refused extends SfuError {
  override readonly name = 'Refused';
  readonly code = 'refused';
  /** The server's own words. */
  readonly reason: string;

  constructor(kind: string, reason: string) {
    super(explainRefusal(kind, reason));
    this.reason = reason;
  }

  override get final(): boolean {
    return /^Rejecting |token|^Room is full|^Server is full|must |expected|should be/i.test(this.reason);
  }
}

function explainRefusal(kind: string, reason: string): string {
  if (/^Rejecting |token/i.test(reason)) {
    return `Token refused: ${reason} Ask the room's owner for a link with a valid token.`;
  }
  if (/^Room is full/.test(reason)) {
    return 'The room is full. Try again when somebody has left, or choose another room.';
  }
  if (/^Server is full/.test(reason)) return 'The server is full. Try again later.';
  return `The server refused to ${kind}: ${reason}`;
}

/** The server ended this handle: somebody kicked its user. Asking again at once would only annoy whoever did that. */
export class Removed extends SfuError {
  override readonly name = 'Removed';
  readonly code = 'removed';

  constructor() {
    super('You were removed from the room.');
  }

  override get final(): boolean {
    return true;
  }
}

/** The server closed the PeerConnection. */
export class HungUp extends SfuError {
  override readonly name = 'HungUp';
  readonly code = 'hung-up';
  /** Janus' word for it, such as `DTLS alert`. */
  readonly reason: string;

  constructor(reason: string) {
    super(`The server hung up: ${reason}.`);
    this.reason = reason;
  }
}

/** The PeerConnection was up, and failed. */
export class PeerFailed extends SfuError {
  override readonly name = 'PeerFailed';
  readonly code = 'peer-failed';

  constructor(why = 'The connection for audio, video and messages was lost.') {
    super(why);
  }
}

/** ICE found no way to the server: signalling works, but media packets don't arrive. */
export class NoUdp extends SfuError {
  override readonly name = 'NoUdp';
  readonly code = 'no-udp';

  /** @param targets the server's candidates as `address:port` */
  constructor(targets: readonly string[]) {
    const where = targets.length > 0 ? `port ${targets.join(', ')}` : 'the server named no port';
    super(
      `No UDP reachable (${where}). Open this UDP port in the server's firewall, ` +
        'and set PUBLIC_IP if the server is behind a NAT.',
    );
  }
}

/** The server has ended the session, after a restart or a long silence: its handles are gone, and all that they had. */
export class SessionLost extends SfuError {
  override readonly name = 'SessionLost';
  readonly code = 'session-lost';

  constructor() {
    super('The server does not know this session any more; everything has to be joined anew.');
  }
}

/** More requests wait for answers than the client allows. */
export class TooManyRequests extends SfuError {
  override readonly name = 'TooManyRequests';
  readonly code = 'too-many-requests';

  constructor(most: number) {
    super(`${most} requests wait for answers; wait for some of them before you ask for more.`);
  }
}

/** It was closed by its own user. */
export class Closed extends SfuError {
  override readonly name = 'Closed';
  readonly code = 'closed';

  constructor(what: string) {
    super(`The ${what} is closed.`);
  }

  override get final(): boolean {
    return true;
  }
}

/** The platform lacks something. */
export class Unsupported extends SfuError {
  override readonly name = 'Unsupported';
  readonly code = 'unsupported';

  constructor(what: string, advice: string) {
    super(`There is no ${what} here; ${advice}.`);
  }

  override get final(): boolean {
    return true;
  }
}

/** Any thrown value as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The words for any error, for a notice. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

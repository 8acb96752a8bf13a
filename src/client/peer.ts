import type { TrickledCandidate } from '../janus/wire.js';
import { type BareCandidate, type IceServer, newPeerConnection, type Peer } from './environment.js';
import { Closed, NoUdp, PeerFailed } from './errors.js';
import type { Handle } from './handle.js';

/** From the exchange of descriptions to a connection; a reachable server takes well under a second. */
const CONNECT_TIMEOUT_MS = 10_000;
/** The server's candidates that may wait for its description. */
const EARLY_CANDIDATES_MAX = 64;

/**
 * A PeerConnection whose candidates go to the handle as they come.
 *
 * @throws {Unsupported} where there are none
 */
export function newPeer(handle: Handle, iceServers: IceServer[]): Peer {
  const pc = newPeerConnection(handle.session.environment, iceServers);
  pc.addEventListener('icecandidate', ({ candidate }: { candidate: BareCandidate | null }) =>
    handle.trickle(candidate),
  );
  return pc;
}

/** The server's candidates, which may come before its description (full trickle). */
export class RemoteCandidates {
  readonly #pc: Peer;
  #early: TrickledCandidate[] | null = [];

  constructor(pc: Peer) {
    this.#pc = pc;
  }

  /** A candidate has come. */
  add(candidate: TrickledCandidate): void {
    if (this.#early) {
      if (this.#early.length < EARLY_CANDIDATES_MAX) this.#early.push(candidate);
      // Nothing is to be done at the end of candidates: the server is checked from here as long as it takes.
    } else if ('candidate' in candidate) {
      // One that is of no use here, such as of an address family that this machine has not, does no harm.
      this.#pc.addIceCandidate(candidate).catch(() => {});
    }
  }

  /** The server's description is set. */
  release(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const candidate of early) this.add(candidate);
  }
}

/** The server's candidates as `address:port`, each once. */
export function candidateTargets(sdp: string): string[] {
  const targets = [...sdp.matchAll(/^a=candidate:\S+ \d+ udp \d+ (\S+) (\d+) /gim)].map(
    ([, ip, port]) => `${ip}:${port}`,
  );
  return [...new Set(targets)];
}

/**
 * Waits until ICE and DTLS are up.
 *
 * @throws {NoUdp} if ICE fails or 10 s pass, naming the server's candidates; {PeerFailed} if it is closed before
 */
export function untilConnected(pc: Peer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      clearTimeout(timer);
      pc.removeEventListener('connectionstatechange', look);
      if (error) reject(error);
      else resolve();
    };
    const unreachable = () => done(new NoUdp(candidateTargets(pc.remoteDescription?.sdp ?? '')));
    const look = () => {
      if (pc.connectionState === 'connected') done();
      else if (pc.connectionState === 'failed') unreachable();
      else if (pc.connectionState === 'closed') done(new Closed('connection'));
    };
    const timer = setTimeout(unreachable, CONNECT_TIMEOUT_MS);
    pc.addEventListener('connectionstatechange', look);
    look();
  });
}

/** Calls back when a PeerConnection that was up has failed. */
export function whenFailed(pc: Peer, lost: (problem: Error) => void): void {
  pc.addEventListener('connectionstatechange', () => {
    if (pc.connectionState === 'failed') lost(new PeerFailed());
  });
}

/** Runs tasks one after the other: descriptions of one PeerConnection must not overlap (RFC 8829 4.1.8). */
export class TaskQueue {
  #last: Promise<unknown> = Promise.resolve();

  add<Result>(task: () => Promise<Result>): Promise<Result> {
    const next = this.#last.then(task);
    this.#last = next.catch(() => {});
    return next;
  }
}

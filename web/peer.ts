import { NoUdp } from './errors.js';
import type { JanusHandle } from './janus-connection.js';

/** From the exchange of descriptions to a connection; a reachable server takes well under a second. */
const CONNECT_TIMEOUT_MS = 10_000;

/** A PeerConnection whose candidates go to the handle as they come. */
export function makePeer(handle: JanusHandle, iceServers: RTCIceServer[]): RTCPeerConnection {
  const pc = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' });
  pc.addEventListener('icecandidate', ({ candidate }) => handle.trickle(candidate));
  return pc;
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
 * @throws {NoUdp} if ICE fails or 10 s pass, naming the server's candidates
 */
export function untilConnected(pc: RTCPeerConnection): Promise<void> {
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
      else if (pc.connectionState === 'closed') done(new Error('The connection was closed.'));
    };
    const timer = setTimeout(unreachable, CONNECT_TIMEOUT_MS);
    pc.addEventListener('connectionstatechange', look);
    look();
  });
}

/** Runs tasks one after the other: descriptions of one PeerConnection must not overlap (RFC 8829 4.1.8). */
export class TaskQueue {
  #last: Promise<unknown> = Promise.resolve();

  add<T>(task: () => Promise<T>): Promise<T> {
    const next = this.#last.then(task);
    this.#last = next.catch(() => {});
    return next;
  }
}

export interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
}

/** A promise and the function that settles it; settling it again does nothing. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Rejects with the error that the promise brings: for a race between work and the loss of what it works on. */
export async function raise(error: Promise<Error>): Promise<never> {
  throw await error;
}

/** Any thrown value as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/**
 * When a publisher is asked for a keyframe: requests of all its subscribers merge into one (RFC 4585 6.3.1, RFC 5104 4.3.1).
 *
 * Pure: time comes in, a decision goes out.
 */
export type KeyframeRequestKind = 'pli' | 'fir';

/** Milliseconds between two requests to one publisher: more would only make it send more keyframes than pictures. */
export const REQUEST_INTERVAL = 500;
/** Milliseconds after which an unanswered request is repeated while somebody still waits: it or the picture was lost. */
export const RETRY_INTERVAL = 1000;

export class KeyframeRequester {
  private pending: KeyframeRequestKind | null = null;
  private lastKind: KeyframeRequestKind = 'pli';
  private lastSent = Number.NEGATIVE_INFINITY;

  /** A subscriber asks, or comes up: what to send now, null if it has to wait for its turn. A FIR outranks a PLI. */
  request(kind: KeyframeRequestKind, now: number): KeyframeRequestKind | null {
    if (this.pending !== 'fir') this.pending = kind;
    return this.due(false, now);
  }

  /** The publisher sent a keyframe: whoever waited has it now. */
  satisfied(): void {
    this.pending = null;
  }

  /** Called regularly; `waiting` says that some subscriber still has no picture though packets come. */
  due(waiting: boolean, now: number): KeyframeRequestKind | null {
    const elapsed = now - this.lastSent;
    if (this.pending === null && waiting && elapsed >= RETRY_INTERVAL) this.pending = this.lastKind;
    if (this.pending === null || elapsed < REQUEST_INTERVAL) return null;
    this.lastKind = this.pending;
    this.lastSent = now;
    this.pending = null;
    return this.lastKind;
  }
}

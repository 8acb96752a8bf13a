import type { LoadUserOptions } from './load-user.js';

/** What a bench, or `janus-sfu load`, and its load generator say to each other, over the child process's IPC channel; each command has one reply. */

export type LoadCommand =
  | { type: 'connect'; target: ({ kind: 'janus'; url: string } & LoadUserOptions) | { kind: 'bare'; port: number } }
  /** Users of one room each, or all in one room when each has fewer subscribers than there are publishers. */
  | { type: 'publish'; publishers: number; subscribers: number; room?: string }
  /** Connects the next subscriptions, or all that are left. */
  | { type: 'subscribe'; count?: number }
  /** Starts sending; packets per second and publisher. */
  | { type: 'send'; videoPps: number; audioPps: number }
  | { type: 'begin-measuring' }
  /** What was measured up to now; packets that are on their way count as expected. */
  | { type: 'look' }
  | { type: 'end-measuring' }
  | { type: 'close' };

export interface LoadMeasurement {
  /** RTP packets that the publishers sent while measuring. */
  sent: number;
  /** RTP packets that should have come out, and that did. */
  expected: number;
  received: number;
  /** From sending to receiving of a video packet, milliseconds. */
  latency: { p50: number; p99: number; worst: number };
}

export type LoadReply = { ok: true; measurement?: LoadMeasurement } | { ok: false; error: string };

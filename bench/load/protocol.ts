import type { Quantiles } from './histogram.js';
import type { LoadUserOptions } from './load-user.js';
import type { Shape } from './shape.js';
import type { LoadMeasurement } from './tally.js';

/** What a bench, or `janus-sfu load`, and its load generator say to each other, over the child process's IPC channel; each command has one reply. */

/** A server with `janus.plugin.sfu`, the bare loop (bench/bare-loop.ts), or a Janus with `janus.plugin.videoroom`. */
export type LoadTarget =
  | ({ kind: 'janus'; url: string } & LoadUserOptions)
  | { kind: 'bare'; port: number }
  | { kind: 'videoroom'; url: string; bindAddress: string };

/** How to connect many. */
export interface Pace {
  /** Peers that connect at the same time; 10 unless told: more only wait for each other's CPU. */
  atOnce?: number;
  /** Counts those that fail, and goes on without them; else the first one fails the command. */
  tolerant?: boolean;
}

/** A second and sender. */
export interface Rates {
  /** Of 1200 bytes. */
  videoPps?: number;
  /** Of 100 bytes. */
  audioPps?: number;
  /** Messages through a data channel, to all other senders of the room. */
  dataPps?: number;
  /** The same messages by way of the signalling (`data` of janus.plugin.sfu). */
  signalledPps?: number;
}

export type LoadCommand =
  | { type: 'connect'; target: LoadTarget }
  /** Connects the senders; `data`: with a data channel. */
  | ({ type: 'publish'; shape: Shape; room?: string; data?: boolean } & Pace)
  /** Connects the next subscriptions, or all that are left. */
  | ({ type: 'subscribe'; count?: number } & Pace)
  /** Starts sending, or goes on at other rates. */
  | ({ type: 'send' } & Rates)
  | { type: 'begin-measuring' }
  /** What was measured up to now; packets that are on their way count as expected. */
  | { type: 'look' }
  | { type: 'end-measuring' }
  | { type: 'close' };

/** How connecting went. */
export interface ConnectReport {
  connected: number;
  failed: number;
  /** Why, each reason once, a few of them. */
  reasons: string[];
  /**
   * From attaching to `webrtcup`, milliseconds, of all such commands so far; of a relay that has no such event, to its open
   * track.
   */
  setup: Quantiles;
}

export type LoadReply =
  | { ok: true; measurement?: LoadMeasurement; connected?: ConnectReport }
  | { ok: false; error: string };

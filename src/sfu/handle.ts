import type {
  HandleNumber,
  LocalTransport,
  MediaKind,
  ShardNumber,
  TransportParameters,
} from '../../workers/protocol.js';
import type { PublisherPlan } from '../sdp/publisher.js';
import type { SubscriberPlan, SubscriberSsrcs } from '../sdp/subscriber.js';

/** A session description as Janus carries it. */
export interface Jsep {
  type: 'offer' | 'answer';
  sdp: string;
}

/** What `plugindata.data` may hold: always an object. */
export type EventData = Record<string, unknown>;

/** Where the events of a handle go: the Janus side of it. */
export interface HandleSink {
  /** An event that answers no request. */
  event(data: EventData, jsep?: Jsep): void;
  webrtcup(): void;
  media(mid: string, kind: MediaKind, receiving: boolean): void;
  slowlink(mid: string, kind: MediaKind, uplink: boolean, lost: number): void;
  hangup(reason: string): void;
  /** The plugin ended the handle: it is known no more. */
  detached(): void;
}

/** A PeerConnection that its client offered. */
export interface PublisherPeer {
  role: 'publisher';
  plan: PublisherPlan;
}

/** A PeerConnection that we offered, fed by one publisher's handle. */
export interface SubscriberPeer {
  role: 'subscriber';
  source: SfuHandle;
  ssrcs: SubscriberSsrcs;
  plan: SubscriberPlan;
  /** Ours, once the shard has made the peer. */
  local: LocalTransport | null;
  /** The client's answer; kept because media of it may have to wait for the handle to join. */
  answered: { remote: TransportParameters; kinds: MediaKind[]; data: boolean } | null;
  /** Whether the client takes RTX; asked in the first offer. */
  rtx: boolean;
  /** An offer of ours is out and not answered. */
  awaitsAnswer: boolean;
  /** The publisher's lines changed while an offer was out: the next one follows the answer. */
  outdated: boolean;
}

/** One attachment of a client to the plugin. */
export interface SfuHandle {
  /** Unique in the process: what the shards call it. */
  readonly number: HandleNumber;
  readonly sink: HandleSink;
  /** The Janus session: its handles are placed near each other. */
  readonly session: object;
  /** Whether the client's signalling comes from this machine. */
  readonly loopback: boolean;
  /** Session id and version of the SDP that we write (RFC 8866 5.2). */
  readonly sdpSession: string;
  sdpVersion: number;
  /** Where its peer lives; null until something fixes it. */
  shard: ShardNumber | null;
  peer: PublisherPeer | SubscriberPeer | null;
  /** What the handle's last offer said, for subscribers that come after a hangup. */
  lastPlan: PublisherPlan | null;
  readonly subscribers: Set<SfuHandle>;
  /** Numbers of its room and user while it has joined. */
  joined: { room: number; user: number; publisher: boolean } | null;
  /** Whether it has used its one subscription, and what it asked for before it joined. */
  subscription: { publisher: boolean; notifications: boolean } | null;
  /** Set while a request waits for somebody to come. */
  waiting: AbortController | null;
  /** Detached, destroyed or kicked: nothing more happens to it. */
  gone: boolean;
}

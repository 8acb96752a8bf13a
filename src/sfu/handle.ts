import type {
  HandleNumber,
  LocalTransport,
  MediaKind,
  ShardNumber,
  TransportParameters,
} from '../../workers/protocol.js';
import type { PublisherPlan } from '../sdp/publisher.js';
import type { SubscriberPlan, SubscriberSsrcs } from '../sdp/subscriber.js';
import type { Ban } from './ban-store.js';
import { RecentErrors } from './recent-errors.js';
import type { Wants } from './switchboard.js';
import type { EventData, Jsep } from './wire.js';

/** Our candidates, when they are told apart from the description: all of them, to be sent right after it. */
export interface Trickle {
  /** The mid of the first line; everything is bundled with it. Empty if it has none. */
  mid: string;
  /** `candidate:…` (RFC 8839 5.1). */
  candidates: string[];
}

/** A description of ours on its way to the client. */
export interface LocalJsep extends Jsep {
  /** Absent in half trickle, and while the client knows the candidates already. */
  trickle?: Trickle;
}

/** Where the events of a handle go: the Janus side of it. */
export interface HandleSink {
  /** An event that answers no request. */
  event(data: EventData, jsep?: LocalJsep): void;
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

/** What the Janus side knows of a handle's client when it attaches. */
export interface ClientFacts {
  /** The Janus session: its handles are placed near each other. */
  readonly session: object;
  /** Whether the client's signalling comes from this machine. */
  readonly loopback: boolean;
  /** Digits, unguessable: the session id of the SDP that we write to it (RFC 8866 5.2). */
  readonly sdpSession: string;
  /** The room that its URL named, and the `loop_index` of its attach: hints for placement. */
  readonly room: string | null;
  readonly loopIndex: number | null;
  /** By what it is recognized when it connects again; absent or null = it isn't. */
  readonly visitor?: () => { id: string; known: boolean } | null;
  /** Makes it connect again, by closing its connection. Returns false where there is nothing to close (HTTP). */
  readonly reconnect?: (reason: string) => boolean;
}

/** One attachment of a client to the plugin. */
export interface SfuHandle {
  /** Unique in the process: what the shards call it. */
  readonly number: HandleNumber;
  readonly sink: HandleSink;
  readonly client: ClientFacts;
  /** Version of the SDP that we write (RFC 8866 5.2). */
  sdpVersion: number;
  /** Our ICE user name whose candidates the client was told apart from a description. */
  trickled: string | null;
  /** Where its peer lives; null until something fixes it. */
  shard: ShardNumber | null;
  peer: PublisherPeer | SubscriberPeer | null;
  /** What the handle's last offer said, for subscribers that come after a hangup. */
  lastPlan: PublisherPlan | null;
  readonly subscribers: Set<SfuHandle>;
  /** Other shards that carry some of them (mirrors.ts). */
  readonly mirrors: Set<ShardNumber>;
  /** Numbers of its room and user while it has joined. */
  joined: { room: number; user: number; publisher: boolean } | null;
  /** The token that let it join, as it is banned if its user is kicked; null if there is nothing to ban. */
  token: Ban | null;
  /** Whether it has used its one subscription, and what it asked for before it joined. */
  subscription: Wants | null;
  /** Whether it talks, as its shard last said. */
  talking: boolean;
  /** Set while a request waits for somebody to come. */
  waiting: AbortController | null;
  /** Requests in its queue, and its end, for whose sake nothing before them is to wait. */
  interrupts: number;
  /** For operators. */
  readonly errors: RecentErrors;
  /** Detached, destroyed or kicked: nothing more happens to it. */
  gone: boolean;
}

/** A handle that was just attached: it has no peer, no place and no room. */
export function newHandle(number: HandleNumber, sink: HandleSink, client: ClientFacts): SfuHandle {
  return {
    number,
    sink,
    client,
    sdpVersion: 0,
    trickled: null,
    shard: null,
    peer: null,
    lastPlan: null,
    subscribers: new Set(),
    mirrors: new Set(),
    joined: null,
    token: null,
    subscription: null,
    talking: false,
    waiting: null,
    interrupts: 0,
    errors: new RecentErrors(),
    gone: false,
  };
}

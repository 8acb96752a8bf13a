/** A handle as its shard sees it: its peer, its place in a room, what it sends and what it gets. */

import type { KeyframeRequestKind } from './keyframe-requester.js';
import type { DataChannel } from './native.js';
import type { OfferedTransport, Peer } from './peer.js';
import type {
  DownTrackParameters,
  HandleNumber,
  MediaKind,
  RoomNumber,
  ShardNumber,
  UpTrackParameters,
  UserNumber,
} from './protocol.js';
import type { Talking } from './talking.js';

/** A down track: one of a publisher's streams on its way to one subscriber. */
export interface DownTrack {
  /** The engine's index. */
  readonly index: number;
  readonly kind: MediaKind;
  readonly subscriber: Member;
}

/** One of a member's two up tracks, and who gets it. */
export interface UpTrack {
  /** The engine's index. */
  readonly index: number;
  readonly kind: MediaKind;
  negotiated: boolean;
  /** What `media` last said of it. */
  receiving: boolean;
  readonly talking: Talking;
  /** Edited as a whole, read per packet as a plain array. */
  downTracks: DownTrack[];
}

/** A data channel of a member, by label. */
export interface Channel {
  /** null: closed because the client was too slow; nothing is sent until the client opens a new one. */
  native: DataChannel | null;
  open: boolean;
  /** Messages for a channel of ours that is not open yet. */
  waiting: (string | Buffer)[];
  waitingBytes: number;
}

/** What a shard uses of a peer. */
export type MemberPeer = Pick<Peer, keyof Peer>;

/** The mirrors of a publisher on other shards, as what they must hear reaches them (workers/fan-out.ts). */
export interface MirrorsOf {
  /** The engine's admitted packet, before it is translated. */
  packet(track: UpTrack, now: number): void;
  /** RTCP of the publisher with a sender report in it. */
  report(rtcp: Buffer, now: number): void;
  /** The publisher's user or tracks changed. */
  configure(): void;
  /** What the publisher is told to stay under, bit/s. */
  tellHeld(bitrate: number): void;
  /** What each of the mirrors' subscribers is taken to carry, bit/s. */
  readonly limits: number[];
}

/** Where the publisher of a mirror lives. */
export interface MirrorHome {
  readonly shard: ShardNumber;
  /** What the publisher was told to stay under, bit/s; null: not known here. */
  held: number | null;
  requestKeyframe(kind: KeyframeRequestKind): void;
  /** What the better half of the mirror's subscribers can take, bit/s, and how many they are. */
  tellLimit(bitrate: number, subscribers: number): void;
}

export interface Member {
  readonly handle: HandleNumber;
  peer: MemberPeer | null;
  /** An offer of ours that the client has not answered: the peer is made with its answer. */
  offer: OfferedTransport | null;
  /** The client's ICE user name of this peer: another one in an offer is an ICE restart. */
  remoteUfrag: string;
  /** Milliseconds; when the peer was made, until it is connected. */
  connectingSince: number;
  room: RoomNumber;
  user: UserNumber;
  publisher: boolean;
  audio: UpTrack | null;
  video: UpTrack | null;
  /** What was negotiated for them. */
  upParameters: UpTrackParameters[];
  /** A publisher's mirrors on other shards; null: none, as long as this one carries all its subscribers. */
  mirrors: MirrorsOf | null;
  /** Of a mirror: it has no peer. */
  home: MirrorHome | null;
  /** The publisher that this handle subscribes to. */
  source: Member | null;
  downParameters: DownTrackParameters[];
  audioDown: DownTrack | null;
  videoDown: DownTrack | null;
  readonly channels: Map<string, Channel>;
}

export function newMember(handle: HandleNumber): Member {
  return {
    handle,
    peer: null,
    offer: null,
    remoteUfrag: '',
    connectingSince: 0,
    room: 0,
    user: 0,
    publisher: false,
    audio: null,
    video: null,
    upParameters: [],
    mirrors: null,
    home: null,
    source: null,
    downParameters: [],
    audioDown: null,
    videoDown: null,
    channels: new Map(),
  };
}

/** The engine's index of a track, or its "none". */
export const indexOf = (track: { index: number } | null): number => (track ? track.index : -1);

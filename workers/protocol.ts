/**
 * What the main thread and a shard say to each other: requests with one reply each, and a shard's own news.
 *
 * All of it but `StartShard` is plain data that JSON could carry: today a shard is a thread, tomorrow it may be
 * another machine. No SDP passes here; the main thread has parsed and checked it (src/sdp), the shard gets numbers,
 * short checked strings and nothing else from a client.
 */

import type { MessagePort } from 'node:worker_threads';

/** A handle as the shards know it: given by the main thread, unique in the process, 1..2^32-1. */
export type HandleNumber = number;
/** A user id as the shards know it: given while the user has joined handles, 1..2^31-1; 0 is nobody. */
export type UserNumber = number;
/** A room id as the shards know it: given while the room has joined handles, 1..2^31-1. */
export type RoomNumber = number;
/** A shard's place in the pool, 0..SFU_WORKERS-1. Its UDP port is `RTP_PORT` plus this. */
export type ShardNumber = number;

export type MediaKind = 'audio' | 'video';
export type Codec = 'opus' | 'h264' | 'vp8' | 'vp9' | 'av1';

/** One side's ICE and DTLS parameters (RFC 8839, RFC 8122, RFC 8842), each checked for form before it gets here. */
export interface TransportParameters {
  /** 4..256 ice-chars. */
  iceUfrag: string;
  /** 22..256 ice-chars. */
  icePwd: string;
  /** `sha-256` and the like, and upper-case hex pairs with colons. */
  fingerprint: { algorithm: string; value: string };
  setup: 'active' | 'passive' | 'actpass';
}

/** One of the shard's own host candidates (RFC 8839 5.1); UDP, component 1. */
export interface LocalCandidate {
  foundation: string;
  priority: number;
  address: string;
  port: number;
}

export interface LocalTransport extends TransportParameters {
  candidates: LocalCandidate[];
}

/** RFC 8285 ids (1..14 one-byte, 15..255 two-byte form) of the header extensions that the relay knows; absent = not negotiated. */
export interface HeaderExtensions {
  mid?: number;
  audioLevel?: number;
  absSendTime?: number;
  transportCc?: number;
  videoOrientation?: number;
  playoutDelay?: number;
}

/** What a publisher's accepted audio or video line says about its packets. */
export interface UpTrackParameters {
  kind: MediaKind;
  codec: Codec;
  /** 0..127 without 64..95. */
  payloadType: number;
  rtxPayloadType: number | null;
  /** Hz: 48000 or 90000. */
  clockRate: number;
  extensions: HeaderExtensions;
  /** The SSRC that the offer declares for the line (`a=ssrc`), so that a keyframe can be asked for before a packet came; null if none. */
  ssrc: number | null;
}

/** What a subscriber's audio or video line (an offer of ours) says about the packets it will get. */
export interface DownTrackParameters {
  kind: MediaKind;
  payloadType: number;
  rtxPayloadType: number | null;
  ssrc: number;
  rtxSsrc: number | null;
  extensions: HeaderExtensions;
}

/** Settings that a shard needs, in its own units. */
export interface ShardSettings {
  /** The shard's one UDP port: 1024..65535. */
  rtpPort: number;
  /** bit/s told to publishers of video by REMB. */
  videoBitrateMax: number;
  /** bit/s that they may send in any case. */
  videoBitrateMin: number;
  /** Bytes a data channel may have waiting before its messages are dropped or it is closed. */
  dataBacklogMax: number;
  /** Labels whose messages may be dropped when a receiver is slow; other channels are closed. */
  unreliableLabels: string[];
  /** Milliseconds that the shard's loop may be late until video is left out for audio and data to be in time; 0 = never. */
  loopDelayMax: number;
  /** Milliseconds until a peer that does not connect is given up (Janus: candidates_timeout). */
  connectTimeout: number;
  /** Milliseconds without a packet until `media` says receiving: false; 0 = never. */
  noMediaTimeout: number;
  /** Packets lost in a second until `slowlink` is said; 0 = never. */
  slowlinkThreshold: number;
  /** Folders to try for the private copy of the native addon, first one that allows executing wins. */
  addonFolders: string[];
  /** Whether the thread and its native ones run as batch ones (Linux). */
  batchScheduling: boolean;
  /** Whether they stay on one processor (Linux). */
  workerPinning: boolean;
}

/** The first task of a worker, pinned to it: its identity and its memory. Not plain data: it never leaves the process. */
export interface StartShard {
  type: 'start';
  shard: ShardNumber;
  /** Its end of the line to the main thread: all other requests come by it. */
  line: MessagePort;
  /** The compiled packet engine, and the shard's own memory for it. */
  engine: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** The pool's control words (workers/control.ts). */
  control: SharedArrayBuffer;
  /** The shard's counters (workers/counters.ts). */
  counters: SharedArrayBuffer;
  /** Data rings by sender and receiver: `rings[from][to]`, null on the diagonal. */
  rings: (SharedArrayBuffer | null)[][];
  /** The same for publishers that have mirrors. */
  mirrorRings: (SharedArrayBuffer | null)[][];
  settings: ShardSettings;
}

/** A publisher offered: makes (or, with other ICE credentials, replaces, or else updates) the handle's peer. */
export interface AcceptOffer {
  type: 'accept-offer';
  handle: HandleNumber;
  remote: TransportParameters;
  /** The accepted lines; none for a data-only publisher. */
  tracks: UpTrackParameters[];
  /** Whether the offer has an accepted data line (m=application). */
  data: boolean;
}

/** A subscriber wants an offer: its peer, made when it answers, is fed by another handle's tracks of this shard, or its mirror here. */
export interface MakeOffer {
  type: 'make-offer';
  handle: HandleNumber;
  source: HandleNumber;
  tracks: DownTrackParameters[];
}

/** The client answered our offer; tracks that it refused are not in `kinds`. Also for an update of a connected peer. */
export interface AcceptAnswer {
  type: 'accept-answer';
  handle: HandleNumber;
  remote: TransportParameters;
  kinds: MediaKind[];
  /** Whether the answer accepted the data line. */
  data: boolean;
}

/** The subscriber's lines changed (its publisher offered anew): same peer, other payload types. */
export interface UpdateDownTracks {
  type: 'update-down-tracks';
  handle: HandleNumber;
  tracks: DownTrackParameters[];
}

/** The handle joined: from now on it relays. Sent before or after its peer exists. */
export interface JoinRoom {
  type: 'join';
  handle: HandleNumber;
  room: RoomNumber;
  user: UserNumber;
  /** A publisher (data subscription) gets the room's data messages. */
  publisher: boolean;
}

/** Closes the handle's peer, if any; the handle stays joined and its subscribers stay (hangup). */
export interface ClosePeer {
  type: 'close-peer';
  handle: HandleNumber;
}

/** The handle is gone (detach, destroy, kick): its peer is closed, its membership and tracks end. */
export interface Forget {
  type: 'forget';
  handle: HandleNumber;
}

/** Sets whether two users hear each other; sent to every shard. */
export interface SetBlocked {
  type: 'set-blocked';
  userA: UserNumber;
  userB: UserNumber;
  blocked: boolean;
}

/** Which shards have publishers of a room; sent to each of them when the set changes. */
export interface SetRoomShards {
  type: 'set-room-shards';
  room: RoomNumber;
  shards: ShardNumber[];
}

/** Which other shards have a mirror of a publisher of this one; sent to its shard, whole, when the set changes. */
export interface SetMirrors {
  type: 'set-mirrors';
  handle: HandleNumber;
  shards: ShardNumber[];
}

/** Makes a mirror of a publisher that lives on another shard; `forget` ends it. Comes before the offers that it feeds. */
export interface MirrorPublisher {
  type: 'mirror';
  handle: HandleNumber;
  /** Where the publisher lives. */
  home: ShardNumber;
}

/** Asks the handle's video publisher for a keyframe (FIR), throttled as any other request. */
export interface RequestKeyframe {
  type: 'request-keyframe';
  handle: HandleNumber;
}

/** Asks what a handle is like at this moment; nothing changes. */
export interface DescribeHandle {
  type: 'describe';
  handle: HandleNumber;
}

/** The settings that may change while a shard runs. */
export type ShardLimits = Pick<ShardSettings, 'noMediaTimeout' | 'slowlinkThreshold'>;

/** Changes them; sent to every shard. */
export interface SetLimits {
  type: 'set-limits';
  limits: ShardLimits;
}

/** Any request but the first. */
export type ShardCall =
  | AcceptOffer
  | MakeOffer
  | AcceptAnswer
  | UpdateDownTracks
  | JoinRoom
  | ClosePeer
  | Forget
  | SetBlocked
  | SetRoomShards
  | SetMirrors
  | MirrorPublisher
  | RequestKeyframe
  | DescribeHandle
  | SetLimits;

export type ShardRequest = StartShard | ShardCall;

/** What one message to a shard carries: the requests of a turn of the main thread, in their order, by numbers of its own. */
export type RequestBatch = { number: number; request: ShardCall }[];

/** `problem`: why the request failed, for people. */
export type ShardAnswer = { number: number } & ({ reply: ShardReply } | { problem: string });

/** What one message of a shard carries; the news are older than the answers. */
export interface ShardSpeech {
  news: ShardNews[];
  answers: ShardAnswer[];
}

/** `accept-offer` and `make-offer` answer with the transport, `describe` with the description, all others with `{}`. */
export interface ShardReply {
  local?: LocalTransport;
  /** Absent if the shard does not know the handle. */
  description?: HandleDescription;
}

/** One end of the pair of candidates that media takes (RFC 8445 6.1.2). */
export interface SelectedCandidate {
  address: string;
  port: number;
  /** `host`, `prflx`, … */
  type: string;
  /** `udp`. */
  protocol: string;
}

/** A PeerConnection as native code tells of it. */
export interface PeerState {
  /** `connecting`, `connected`, … (W3C RTCPeerConnectionState). */
  state: string;
  /** `checking`, `connected`, … (W3C RTCIceConnectionState). */
  iceState: string;
  /** Whether DTLS is done. */
  connected: boolean;
  /** Ours in DTLS: `active` is the client's side of the handshake (RFC 8842 5.1). */
  dtlsRole: 'active' | 'passive' | 'actpass';
  localFingerprint: TransportParameters['fingerprint'];
  remoteFingerprint: TransportParameters['fingerprint'];
  selectedPair: { local: SelectedCandidate; remote: SelectedCandidate } | null;
  /** Bytes of SCTP, both ways; 0 without data channels. */
  dataBytesSent: number;
  dataBytesReceived: number;
}

export interface PeerDescription extends PeerState {
  /** Milliseconds since it was made. */
  age: number;
  localCandidates: LocalCandidate[];
  channels: { label: string; open: boolean }[];
}

/** One audio or video stream of a handle, as the packet engine counts it. Times in milliseconds. */
export interface StreamDescription {
  kind: MediaKind;
  /** `up`: from the client; `down`: to it. */
  direction: 'up' | 'down';
  ssrc: number;
  packets: number;
  /** Up: whole RTP packets; down: payloads, as sender reports count (RFC 3550 6.4.1). */
  bytes: number;
  /** Up: missing here; down: as its receiver reported. */
  lost: number;
  jitter: number;
  /** Null: unknown. */
  roundTripTime: number | null;
  /** Up: sent by us; down: came from the subscriber. */
  keyframeRequests: number;
  /** Packets asked for again, and those of them that came (up) or were sent (down). */
  nacks: number;
  retransmissions: number;
  /** Up: keyframes that came, SSRCs that followed each other, whether media comes, since when not, who gets it. */
  keyframes?: number;
  sources?: number;
  receiving?: boolean;
  silence?: number | null;
  subscribers?: number;
  /** Down: whether it is sent at all, and whether it waits for a packet to start with. */
  active?: boolean;
  suspended?: boolean;
}

export interface HandleDescription {
  /** Null: no PeerConnection. */
  peer: PeerDescription | null;
  streams: StreamDescription[];
}

/** What a shard says unasked. Janus' events are made from it. */
export type ShardNews =
  | { type: 'webrtcup'; handle: HandleNumber }
  | { type: 'media'; handle: HandleNumber; kind: MediaKind; receiving: boolean }
  | { type: 'slowlink'; handle: HandleNumber; kind: MediaKind; uplink: boolean; lost: number }
  /** The publisher talks, or has stopped, by the audio levels of its packets. */
  | { type: 'talking'; handle: HandleNumber; talking: boolean }
  /** The PeerConnection is gone without the main thread having asked for it; `reason` is one of Janus' texts. */
  | { type: 'hangup'; handle: HandleNumber; reason: string }
  /** An error of ours was contained to a peer, which was closed (hangup follows), or to the shard (handle null). */
  | { type: 'fault'; handle: HandleNumber | null; where: string; message: string };

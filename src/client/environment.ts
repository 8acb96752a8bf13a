/**
 * What the client needs of its surroundings: the browser's own classes where there are any, else those that it is given.
 * The types are the browser's own in a program that knows them (TypeScript's `dom` library), else as much as is used here.
 */
import { Unsupported } from './errors.js';

type Global<Name extends string, Otherwise> =
  typeof globalThis extends Record<Name, { prototype: infer Instance }> ? Instance : Otherwise;

/** A listener says what it expects of an event. */
type Listener = (event: never) => void;

interface Events<Type extends string> {
  addEventListener(type: Type, listener: Listener): void;
  removeEventListener(type: Type, listener: Listener): void;
}

/** As much of a WebSocket as is used: the browser's, Node 22's, or that of the package ws. */
export interface Socket {
  readonly readyState: number;
  /** Sends a text message. */
  send(text: string): void;
  /** Starts the closing handshake (RFC 6455 7). */
  close(code?: number): void;
  /** Open, or it can't be. */
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  /** A message: text, or bytes as the class gives them. */
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  /** Closed, by whomever. */
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}

/** A class like browsers' `WebSocket`. */
export type SocketClass = new (url: string, protocol: string) => Socket;

/** A STUN or TURN server, as in `RTCConfiguration.iceServers`. */
export interface IceServer {
  urls: string | string[];
  username?: string;
  credential?: string;
}

/** ICE servers, or how to get them: asked for each PeerConnection, so that credentials with an end are fresh ones. */
export type IceServerSource = IceServer[] | (() => Promise<IceServer[]>);

export interface BareTrack {
  readonly kind: string;
}

export interface BareStream {
  addTrack(track: Track): void;
  getTracks(): Track[];
}

export interface BareCandidate {
  readonly candidate: string;
  readonly sdpMid: string | null;
  readonly sdpMLineIndex: number | null;
}

export interface BareDescription {
  readonly type: string;
  readonly sdp: string;
}

/** How a data channel is opened (`RTCDataChannelInit`): reliable and ordered without options. */
export interface ChannelOptions {
  ordered?: boolean;
  maxRetransmits?: number;
  protocol?: string;
}

export interface BareChannel extends Events<'open' | 'close' | 'message'> {
  readonly label: string;
  readonly readyState: string;
  readonly bufferedAmount: number;
  send(data: string | ArrayBuffer): void;
  close(): void;
}

export interface BareTransceiver {
  readonly sender: { replaceTrack(track: Track | null): Promise<void> };
  readonly receiver: { readonly track: Track };
}

export interface BarePeer
  extends Events<'icecandidate' | 'connectionstatechange' | 'negotiationneeded' | 'datachannel' | 'track'> {
  readonly connectionState: string;
  readonly signalingState: string;
  readonly localDescription: BareDescription | null;
  readonly remoteDescription: BareDescription | null;
  createDataChannel(label: string, options?: ChannelOptions): Channel;
  addTrack(track: Track, ...streams: Stream[]): unknown;
  getTransceivers(): BareTransceiver[];
  createOffer(): Promise<{ type: 'offer' | 'answer' | 'pranswer' | 'rollback'; sdp?: string }>;
  createAnswer(): Promise<{ type: 'offer' | 'answer' | 'pranswer' | 'rollback'; sdp?: string }>;
  setLocalDescription(description: { type: 'offer' | 'answer' | 'pranswer' | 'rollback'; sdp?: string }): Promise<void>;
  setRemoteDescription(description: { type: 'offer' | 'answer'; sdp: string }): Promise<void>;
  addIceCandidate(candidate: {
    candidate: string;
    sdpMid?: string | null;
    sdpMLineIndex?: number | null;
  }): Promise<void>;
  close(): void;
}

/** `RTCPeerConnection`. */
export type Peer = Global<'RTCPeerConnection', BarePeer>;
/** `RTCDataChannel`. */
export type Channel = Global<'RTCDataChannel', BareChannel>;
/** `MediaStream`. */
export type Stream = Global<'MediaStream', BareStream>;
/** `MediaStreamTrack`. */
export type Track = Global<'MediaStreamTrack', BareTrack>;

/** A class like browsers' `RTCPeerConnection`; libraries that have one for Node type it in ways of their own. */
export type PeerClass = new (configuration: object) => object;

/** What to use in place of globals that are not there (Node), or not wanted. */
export interface Environment {
  /** Default: the global one; Node 20 has none, the package ws has. */
  WebSocket?: SocketClass;
  /** Default: the global one; without any only signalling works. */
  RTCPeerConnection?: PeerClass;
  /** Default: the global one; without it subscribers get no stream, but their tracks. */
  MediaStream?: new () => Stream;
}

/** A global of this name; its type is the caller's knowledge of what the platforms have under it. */
function global<Type>(name: string): Type | undefined {
  const found: unknown = Reflect.get(globalThis, name);
  return typeof found === 'function' ? (found as Type) : undefined;
}

/** @throws {Unsupported} if there is none */
export function socketClass({ WebSocket }: Environment): SocketClass {
  const found = WebSocket ?? global<SocketClass>('WebSocket');
  if (!found) throw new Unsupported('WebSocket', 'pass one, for example that of the package ws: { WebSocket }');
  return found;
}

/** Whether there are PeerConnections. */
export function hasPeers({ RTCPeerConnection }: Environment): boolean {
  return (RTCPeerConnection ?? global<PeerClass>('RTCPeerConnection')) !== undefined;
}

/** The ICE servers for a PeerConnection that is made now. */
export async function iceServersOf(source: IceServerSource): Promise<IceServer[]> {
  return typeof source === 'function' ? source() : source;
}

/** @throws {Unsupported} where there are no PeerConnections */
export function newPeerConnection({ RTCPeerConnection }: Environment, iceServers: IceServer[]): Peer {
  const PeerConnection = RTCPeerConnection ?? global<PeerClass>('RTCPeerConnection');
  if (!PeerConnection) throw new Unsupported('RTCPeerConnection', 'pass one in the options: { RTCPeerConnection }');
  return new PeerConnection({ iceServers, bundlePolicy: 'max-bundle' }) as Peer;
}

export function newStream({ MediaStream }: Environment): Stream | null {
  const found = MediaStream ?? global<new () => Stream>('MediaStream');
  return found ? new found() : null;
}

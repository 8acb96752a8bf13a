/**
 * The Janus API's objects as they travel (janus-api.md 1 to 3). Types only, and written once: the server builds replies
 * and events of these types, src/client reads them and builds the requests.
 */
import type { EventData, Jsep, PluginName, RequestBody } from '../sfu/wire.js';

/** A client's or the server's ICE candidate; `completed` says that there are no more. */
export type TrickledCandidate =
  | { candidate: string; sdpMid?: string | null; sdpMLineIndex?: number | null }
  | { completed: true };

/** What each verb takes beside `janus`, `transaction`, secrets and ids. */
export interface VerbFields {
  info: object;
  ping: object;
  /** `id`: the session id to have, if it is free. */
  create: { id?: number };
  claim: object;
  keepalive: object;
  destroy: object;
  /** `loop_index`: a hint where to place the handle's PeerConnection. */
  attach: { plugin: PluginName; opaque_id?: string; loop_index?: number };
  message: { body: RequestBody; jsep?: Jsep };
  trickle: { candidate: TrickledCandidate | null } | { candidates: (TrickledCandidate | null)[] };
  hangup: object;
  detach: object;
}

export type Verb = keyof VerbFields;

/** A request: `session_id` of all verbs but the first three, `handle_id` of the last four. */
export type JanusRequest<V extends Verb = Verb> = V extends Verb
  ? VerbFields[V] & {
      janus: V;
      transaction: string;
      session_id?: number;
      handle_id?: number;
      apisecret?: string;
      token?: string;
    }
  : never;

/** The direct reply to a verb that is done; `data` names the session made by a create, or the handle made by an attach. */
export interface SuccessReply {
  janus: 'success';
  /** Not in the reply to a create. */
  session_id?: number;
  transaction: string;
  data?: { id: number };
}

/** The direct reply to a keepalive or a trickle, and to a message, whose answer is an event that follows. */
export interface AckReply {
  janus: 'ack';
  session_id: number;
  transaction: string;
  hint?: string;
}

export interface PongReply {
  janus: 'pong';
  transaction: string;
}

/** Its many more fields: `serverInfo` in server-info.ts. */
export interface ServerInfoReply {
  janus: 'server_info';
  transaction: string;
}

/** Why a request failed: a code of JANUS_ERROR, and words for people. */
export interface JanusError {
  code: number;
  reason: string;
}

/** The reply to a request that failed; names the session that the request claimed, and no transaction if it had none. */
export interface ErrorReply {
  janus: 'error';
  session_id?: number;
  transaction?: string;
  error: JanusError;
}

export type JanusReply = SuccessReply | AckReply | PongReply | ServerInfoReply | ErrorReply;

/** What every event of a handle has; `opaque_id` only if the server is set to tell it. */
interface Sent {
  session_id: number;
  sender: number;
  opaque_id?: string;
}

/** The plugin's answer to the message with this transaction, or news. */
export interface PluginEvent extends Sent {
  janus: 'event';
  transaction?: string;
  plugindata: { plugin: PluginName; data: EventData };
  jsep?: Jsep;
}

/** A candidate of the server's (full trickle only). */
export interface TrickleEvent extends Sent {
  janus: 'trickle';
  candidate: TrickledCandidate;
}

/** ICE and DTLS are up, once per PeerConnection. */
export interface WebrtcUpEvent extends Sent {
  janus: 'webrtcup';
}

/** The server gets media of this line, or no more. */
export interface MediaEvent extends Sent {
  janus: 'media';
  mid: string;
  type: 'audio' | 'video';
  receiving: boolean;
}

/** Packets were lost in the last second: of the server's to the client if `uplink`, else of the client's. */
export interface SlowlinkEvent extends Sent {
  janus: 'slowlink';
  mid: string;
  media: 'audio' | 'video';
  uplink: boolean;
  lost: number;
}

/** The PeerConnection is gone, the handle is not. */
export interface HangupEvent extends Sent {
  janus: 'hangup';
  reason: string;
}

/** The handle is gone. */
export interface DetachedEvent extends Sent {
  janus: 'detached';
}

/** The session ended for want of requests. */
export interface TimeoutEvent {
  janus: 'timeout';
  session_id: number;
}

/** What happens to a handle. */
export type HandleEvent =
  | PluginEvent
  | TrickleEvent
  | WebrtcUpEvent
  | MediaEvent
  | SlowlinkEvent
  | HangupEvent
  | DetachedEvent;

/** All that a server sends. */
export type ServerMessage = JanusReply | HandleEvent | TimeoutEvent;

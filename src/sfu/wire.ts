/**
 * What `janus.plugin.sfu` and its clients say to each other (signalling-api.md). Types only, and written once: the server
 * builds these objects, src/client reads them.
 */
import type { Message } from './messages.js';

/** The name to attach to. */
export type PluginName = 'janus.plugin.sfu';

/** The body of a Janus `message`: one of the plugin's requests, or an empty one beside a session description. */
export type RequestBody = Message | Record<string, never>;

/** A session description as Janus carries it. */
export interface Jsep {
  type: 'offer' | 'answer';
  sdp: string;
  /** Media is encrypted from client to client; what a client says of its PeerConnection, the server repeats. */
  e2ee?: boolean;
}

/** The answer to a request that was done; `users` only to a join: the room's id, and its publishers before the joiner. */
export interface Success {
  success: true;
  response?: { users?: Record<string, string[]> };
}

/** The answer to a request that was refused, with words for people. */
export interface Failure {
  success: false;
  error: { msg: string };
}

/** A publisher came into the room, or one of its users is there again with another handle. */
export interface JoinEvent {
  event: 'join';
  user_id: string;
  room_id: string;
}

/** The last handle of a user in the room is gone. */
export interface LeaveEvent {
  event: 'leave';
  user_id: string;
  room_id: string;
}

/** `by` has blocked this user. */
export interface BlockedEvent {
  event: 'blocked';
  by: string;
}

/** `by` has lifted its block. */
export interface UnblockedEvent {
  event: 'unblocked';
  by: string;
}

/** Somebody's `data` request. */
export interface DataEvent {
  event: 'data';
  body: string;
  from: string;
}

/** A publisher of the room talks, or has stopped; for those who asked for it (`subscribe: {talking: true}`). */
export interface TalkingEvent {
  event: 'talking';
  user_id: string;
  room_id: string;
  talking: boolean;
}

/** News that answer no request. */
export type RoomEvent = JoinEvent | LeaveEvent | BlockedEvent | UnblockedEvent | DataEvent | TalkingEvent;

/** What `plugindata.data` may hold: always an object; an empty one comes with an offer that answers no request. */
export type EventData = Success | Failure | RoomEvent | Record<string, never>;

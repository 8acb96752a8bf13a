/** `janus-sfu/client`: rooms of a janus-sfu server, from the browser and from Node. See docs/client.md. */
export type {
  AckReply,
  DetachedEvent,
  ErrorReply,
  HandleEvent,
  HangupEvent,
  JanusError,
  JanusReply,
  JanusRequest,
  MediaEvent,
  PluginEvent,
  PongReply,
  ServerInfoReply,
  ServerMessage,
  SlowlinkEvent,
  SuccessReply,
  TimeoutEvent,
  TrickledCandidate,
  TrickleEvent,
  Verb,
  VerbFields,
  WebrtcUpEvent,
} from '../janus/wire.js';
export type {
  BlockedEvent,
  DataEvent,
  EventData,
  Failure,
  JoinEvent,
  Jsep,
  LeaveEvent,
  RequestBody,
  RoomEvent,
  Success,
  TalkingEvent,
  UnblockedEvent,
} from '../sfu/wire.js';
export { BACK_OFF, type BackOff, retryDelay } from './back-off.js';
export type {
  Channel,
  ChannelOptions,
  Environment,
  IceServer,
  IceServerSource,
  Peer,
  PeerClass,
  Socket,
  SocketClass,
  Stream,
  Track,
} from './environment.js';
export {
  Closed,
  ConnectionLost,
  describeError,
  type ErrorCode,
  HungUp,
  JanusRefusal,
  NoAnswer,
  NoUdp,
  PeerFailed,
  Refused,
  Removed,
  SessionLost,
  SfuError,
  SignallingUnreachable,
  TooManyRequests,
  Unsupported,
} from './errors.js';
export { Handle, type HandleEvents, type JoinOptions, type Subscription } from './handle.js';
export type { BlockMemory, Member, MemberState } from './members.js';
export { Publisher, type PublisherEvents, type PublishOptions } from './publisher.js';
export type { Reply } from './requests.js';
export { Room, type RoomEvents, type RoomOptions, type RoomStatus } from './room.js';
export {
  type AttachOptions,
  Session,
  type SessionEvents,
  type SessionOptions,
  type SessionState,
} from './session.js';
export { Subscriber, type SubscriberEvents } from './subscriber.js';

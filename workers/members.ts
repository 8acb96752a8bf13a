/** The shard's handles: what the main thread asks of each, and what its peer tells. */
import { randomBytes } from 'node:crypto';
import type { Certificate } from './certificate.js';
import type { ShardCounters } from './counters.js';
import type { DataRelay } from './data-relay.js';
import { describeMember } from './describe.js';
import type { Endings } from './endings.js';
import type { Engine } from './engine.js';
import type { FanOut } from './fan-out.js';
import type { Feedback } from './feedback.js';
import { hostCandidates } from './host-candidates.js';
import { indexOf, type Member, newMember, type UpTrack } from './member.js';
import type { Native } from './native.js';
import { Peer, type PeerListener, type PeerOptions } from './peer.js';
import type {
  AcceptAnswer,
  AcceptOffer,
  HandleNumber,
  JoinRoom,
  LocalTransport,
  MakeOffer,
  MediaKind,
  MirrorPublisher,
  SetMirrors,
  ShardNews,
  ShardReply,
  ShardSettings,
  TransportParameters,
  UpdateDownTracks,
} from './protocol.js';
import type { Relay } from './relay.js';
import { activateDownTracks, attachDownTracks, detachDownTracks, detachSubscriber } from './subscriptions.js';
import { newTalking } from './talking.js';

export interface MembersParts {
  native: Native;
  certificate: () => Certificate;
  endings: Endings;
  engine: Engine;
  relay: Relay;
  feedback: Feedback;
  data: DataRelay;
  fanOut: FanOut;
  counters: ShardCounters;
  settings: ShardSettings;
  say: (news: ShardNews) => void;
  /** Counts and tells an error that was contained; after some the worker ends. */
  fault: (handle: HandleNumber | null, where: string, error: unknown) => void;
}

/** Nothing comes until there is another peer. */
function endReception(track: UpTrack): void {
  track.receiving = false;
  Object.assign(track.talking, newTalking());
}

export class Members {
  private readonly parts: MembersParts;
  private readonly table = new Map<HandleNumber, Member>();

  constructor(parts: MembersParts) {
    this.parts = parts;
  }

  all(): Iterable<Member> {
    return this.table.values();
  }

  /** Finds the handle's member or makes it: a handle is known to its shard from the first request that names it. */
  private member(handle: HandleNumber): Member {
    const known = this.table.get(handle);
    if (known) return known;
    const member = newMember(handle);
    this.table.set(handle, member);
    return member;
  }

  /** Gives a member the two up tracks of a publisher, negotiated or not: subscribers can be there first. */
  private ensureUpTracks(member: Member): void {
    member.audio ??= this.addUpTrack(member, 'audio');
    member.video ??= this.addUpTrack(member, 'video');
    this.parts.feedback.addPublisher(member);
  }

  private addUpTrack(member: Member, kind: MediaKind): UpTrack {
    const index = this.parts.engine.addUpTrack(kind);
    if (index < 0) throw new Error('This server holds as many publishers as it can; try again later.');
    this.parts.engine.setUpTrackUser(index, member.user);
    return { index, kind, negotiated: false, receiving: false, talking: newTalking(), downTracks: [] };
  }

  acceptOffer(request: AcceptOffer): ShardReply {
    const member = this.member(request.handle);
    if (member.source) throw new Error('This handle subscribes; it can not publish too. Attach another handle.');
    this.ensureUpTracks(member);
    const fresh = !member.peer || member.remoteUfrag !== request.remote.iceUfrag;
    if (fresh) {
      const peer = Peer.answering(this.peerOptions(member), request.remote, request.data);
      this.dropPeer(member);
      this.adoptPeer(member, peer);
      member.remoteUfrag = request.remote.iceUfrag;
      for (const track of [member.audio, member.video]) this.parts.engine.restartUpTrack(indexOf(track));
    } else if (request.data) {
      member.peer?.addData(request.remote);
    }
    for (const track of [member.audio, member.video]) {
      if (!track) continue;
      const parameters = request.tracks.find((one) => one.kind === track.kind) ?? null;
      this.parts.engine.configureUpTrack(track.index, parameters);
      track.negotiated = parameters !== null;
    }
    member.upParameters = request.tracks;
    member.mirrors?.configure();
    if (!member.peer) throw new Error('the peer ended while it was being made');
    return { local: this.withCandidates(member.peer.local()) };
  }

  makeOffer(request: MakeOffer): ShardReply {
    const member = this.member(request.handle);
    if (member.peer || member.offer || member.audio) {
      throw new Error('This handle has a PeerConnection already. Attach another handle.');
    }
    const source = this.member(request.source);
    this.ensureUpTracks(source);
    const certificate = this.parts.certificate();
    // RFC 8839 5.4: ice-chars, which base64 without its padding is; at least 24 and 128 random bits.
    const drawn = randomBytes(24).toString('base64');
    const [iceUfrag, icePwd] = [drawn.slice(0, 8), drawn.slice(8)];
    member.offer = { iceUfrag, icePwd, certificate };
    member.source = source;
    member.downParameters = request.tracks;
    const transport: TransportParameters = { iceUfrag, icePwd, fingerprint: certificate.fingerprint, setup: 'actpass' };
    return { local: this.withCandidates(transport) };
  }

  acceptAnswer(request: AcceptAnswer): ShardReply {
    const member = this.table.get(request.handle);
    if (!member?.source) throw new Error('There is no offer that this answers.');
    if (member.offer) {
      this.adoptPeer(member, Peer.offering(this.peerOptions(member), member.offer, request.remote, request.data));
      member.offer = null;
    }
    attachDownTracks(this.parts.engine, member, request.kinds);
    this.subscriberUp(member);
    return {};
  }

  updateDownTracks(request: UpdateDownTracks): ShardReply {
    const member = this.table.get(request.handle);
    if (!member) return {};
    member.downParameters = request.tracks;
    for (const down of [member.audioDown, member.videoDown]) {
      const parameters = request.tracks.find((one) => one.kind === down?.kind);
      if (down && parameters) this.parts.engine.configureDownTrack(down.index, parameters);
    }
    return {};
  }

  join(request: JoinRoom): ShardReply {
    const member = this.member(request.handle);
    member.room = request.room;
    member.user = request.user;
    member.publisher = request.publisher;
    for (const track of [member.audio, member.video]) {
      if (track) this.parts.engine.setUpTrackUser(track.index, member.user);
    }
    member.mirrors?.configure();
    if (member.publisher) this.parts.data.join(member);
    return {};
  }

  setMirrors(request: SetMirrors): ShardReply {
    const member = this.table.get(request.handle);
    if (member) this.parts.fanOut.setMirrors(member, request.shards);
    return {};
  }

  /** A publisher of another shard has subscribers here from now on, until it is forgotten. */
  mirror(request: MirrorPublisher): ShardReply {
    const member = this.member(request.handle);
    if (member.peer || member.source) throw new Error('This handle lives here itself; it can not be mirrored.');
    this.ensureUpTracks(member);
    this.parts.fanOut.mirror(member, request.home);
    return {};
  }

  /** Hangup: the peer ends, the handle stays joined, a publisher's subscribers stay. */
  closePeer(handle: HandleNumber): ShardReply {
    const member = this.table.get(handle);
    if (member) this.dropPeer(member);
    return {};
  }

  forget(handle: HandleNumber): ShardReply {
    const member = this.table.get(handle);
    if (!member) return {};
    const { engine, feedback, data, fanOut } = this.parts;
    this.dropPeer(member);
    if (member.publisher) data.leave(member);
    for (const track of [member.audio, member.video]) {
      if (!track) continue;
      for (const down of [...track.downTracks]) detachSubscriber(engine, down.subscriber);
      engine.removeUpTrack(track.index);
    }
    // Only what has up tracks can be somebody's source.
    if (member.audio) for (const other of this.table.values()) if (other.source === member) other.source = null;
    feedback.removePublisher(member);
    fanOut.forget(member);
    this.table.delete(handle);
    return {};
  }

  requestKeyframe(handle: HandleNumber): ShardReply {
    const member = this.table.get(handle);
    const { feedback } = this.parts;
    const now = performance.now();
    if (member && !feedback.startWaiting(member, now)) feedback.requestKeyframe(member, 'fir', now);
    return {};
  }

  /** What a handle is like now; nothing of one that the shard doesn't know. */
  describe(handle: HandleNumber): ShardReply {
    const member = this.table.get(handle);
    if (!member) return {};
    const { engine, settings } = this.parts;
    return { description: describeMember(engine, member, settings.rtpPort, performance.now()) };
  }

  closeAll(): void {
    for (const member of this.table.values()) this.dropPeer(member);
  }

  /** Ends a member's peer and tells the main thread why. */
  hangup(member: Member, reason: string): void {
    this.dropPeer(member);
    this.parts.say({ type: 'hangup', handle: member.handle, reason });
  }

  private withCandidates(transport: TransportParameters): LocalTransport {
    return { ...transport, candidates: hostCandidates(this.parts.settings.rtpPort) };
  }

  private adoptPeer(member: Member, peer: Peer): void {
    member.peer = peer;
    member.remoteUfrag = '';
    member.connectingSince = performance.now();
    this.parts.counters.add('peers');
  }

  private dropPeer(member: Member): void {
    const { peer } = member;
    member.offer = null;
    detachDownTracks(this.parts.engine, member);
    member.source = null;
    if (!peer) return;
    member.peer = null;
    member.channels.clear();
    for (const track of [member.audio, member.video]) if (track) endReception(track);
    peer.close();
    this.parts.counters.add('peers', -1);
  }

  private subscriberUp(member: Member): void {
    if (!member.peer?.connected || !member.source) return;
    activateDownTracks(this.parts.engine, member);
    this.parts.feedback.subscriberUp(member, member.source, performance.now());
  }

  private peerOptions(member: Member): PeerOptions {
    const { native, endings, settings, fault } = this.parts;
    const report = (where: string, error: Error) => {
      fault(member.handle, where, error);
      if (member.peer) this.hangup(member, 'Internal error');
    };
    return { native, endings, port: settings.rtpPort, report, listener: this.listener(member) };
  }

  private listener(member: Member): PeerListener {
    const { relay, data, say } = this.parts;
    return {
      connected: () => {
        say({ type: 'webrtcup', handle: member.handle });
        this.subscriberUp(member);
      },
      ended: (reason) => this.hangup(member, reason),
      packet: (bytes) => relay.receive(member, bytes, performance.now()),
      message: (channel, content) => data.receive(member, channel, content),
      channelOpen: (channel) => data.channelOpen(member, channel),
      channelClosed: (channel) => data.channelClosed(member, channel),
    };
  }
}

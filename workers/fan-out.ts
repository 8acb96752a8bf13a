/**
 * A publisher whose subscribers outgrow its shard: other shards have a mirror of it, a member without a peer that gets
 * each packet which the publisher's own shard, its home, has admitted. History, down tracks, answers to NACKs and blocks
 * are the mirror's own; keyframe requests and what its subscribers' lines take go back to the home, which talks with the
 * publisher. All of it goes through rings in shared memory, one per ordered pair of shards.
 */
import type { ShardCounters } from './counters.js';
import type { Engine } from './engine.js';
import type { Feedback } from './feedback.js';
import type { KeyframeRequestKind } from './keyframe-requester.js';
import type { Member, MirrorHome, MirrorsOf, UpTrack } from './member.js';
import {
  bodyOf,
  FIR,
  KEYFRAME,
  RECORD,
  type RecordHead,
  readConfiguration,
  readHead,
  VIDEO,
  writeConfiguration,
  writeHead,
} from './mirror-records.js';
import type { HandleNumber, ShardNumber } from './protocol.js';
import type { Relay } from './relay.js';
import { RING_BYTES, type Ring } from './ring.js';

/** Bytes of a ring that are not for video, and not for audio: reports, settings and requests always have a place. */
const VIDEO_SPARE = RING_BYTES / 4;
const AUDIO_SPARE = RING_BYTES / 16;
/** Milliseconds of reading rings until the shard's own peers have their turn. */
const TURN = 4;
/** A limit that falls below this share of the former one is told to the publisher at once. */
const FALL = 0.95;

const NO_BODY = Buffer.alloc(0);

export interface FanOutParts {
  engine: Engine;
  relay: Pick<Relay, 'mirrored'>;
  feedback: Pick<Feedback, 'fromPublisher' | 'requestKeyframe' | 'reportAtOnce'>;
  counters: ShardCounters;
  /** The rings to the other shards, null for this one. */
  outgoing: (Ring | null)[];
  /** The rings from the other shards, null for this one. */
  incoming: (Ring | null)[];
  /** Wakes another shard to read its rings. */
  wake: (shard: ShardNumber) => void;
}

interface Mirror {
  readonly shard: ShardNumber;
  readonly ring: Ring;
  /** It has not been told the newest configuration. */
  stale: boolean;
  /** It has missed a video packet. */
  gap: boolean;
  /** The tracks of which it has had a packet. */
  readonly begun: Set<UpTrack>;
  /** What the better half of its subscribers can take, bit/s, and how many they are. */
  limit: number;
  subscribers: number;
}

/** Milliseconds from a thread's own clock to the one that all threads of the process share. */
const clockOffset = (): number => Number(process.hrtime.bigint()) / 1e6 - performance.now();

export class FanOut {
  private readonly parts: FanOutParts;
  private readonly offset = clockOffset();
  /** Publishers that live here and have mirrors. */
  private readonly publishers = new Map<HandleNumber, { member: Member; mirrors: Mirrors }>();
  /** Mirrors that live here. */
  private readonly mirrors = new Map<HandleNumber, Member>();

  constructor(parts: FanOutParts) {
    this.parts = parts;
  }

  /** Which other shards have a mirror of a publisher of this one. */
  setMirrors(member: Member, shards: ShardNumber[]): void {
    const known = this.publishers.get(member.handle)?.mirrors ?? new Mirrors(member, this.parts, this.offset);
    known.set(shards);
    member.mirrors = known.size > 0 ? known : null;
    if (known.size > 0) this.publishers.set(member.handle, { member, mirrors: known });
    else this.publishers.delete(member.handle);
  }

  /** The member mirrors a publisher of another shard from now on. */
  mirror(member: Member, home: ShardNumber): void {
    const ring = this.parts.outgoing[home];
    if (!ring) throw new Error(`A mirror can't live on its publisher's own shard ${home}.`);
    member.home = new Home(member.handle, home, ring, this.parts.wake);
    this.mirrors.set(member.handle, member);
    this.parts.counters.set('mirrors', this.mirrors.size);
  }

  /** The member is gone. */
  forget(member: Member): void {
    this.publishers.delete(member.handle);
    if (this.mirrors.delete(member.handle)) this.parts.counters.set('mirrors', this.mirrors.size);
  }

  /** Reads what other shards have written. @returns whether there is more, for another turn of the loop */
  drain(): boolean {
    const { incoming } = this.parts;
    const end = performance.now() + TURN;
    for (let shard = 0; shard < incoming.length; shard++) {
      const ring = incoming[shard];
      for (let record = ring?.peek(); ring && record; record = ring.peek()) {
        const now = performance.now();
        if (now > end) return true;
        try {
          this.take(shard, record, now);
        } finally {
          ring.advance();
        }
      }
    }
    return false;
  }

  private take(from: ShardNumber, record: Buffer, now: number): void {
    const head = readHead(record);
    if (!head) return;
    if (head.type === RECORD.keyframe || head.type === RECORD.limit) {
      const known = this.publishers.get(head.handle);
      if (known) this.fromMirror(known, from, head, now);
      return;
    }
    const member = this.mirrors.get(head.handle);
    // Packets cross with the end of a mirror, and with that of a shard.
    if (member?.home && member.home.shard === from) this.fromHome(member, member.home, head, record, now);
  }

  private fromMirror(
    { member, mirrors }: { member: Member; mirrors: Mirrors },
    from: ShardNumber,
    head: Required<RecordHead>,
    now: number,
  ): void {
    const { feedback } = this.parts;
    if (head.type === RECORD.keyframe) feedback.requestKeyframe(member, head.flags & FIR ? 'fir' : 'pli', now);
    else if (mirrors.setLimit(from, head.value, head.number)) feedback.reportAtOnce(member, now);
  }

  private fromHome(member: Member, home: MirrorHome, head: Required<RecordHead>, record: Buffer, now: number): void {
    const { relay, feedback, counters } = this.parts;
    const arrived = Math.min(now, head.time - this.offset);
    switch (head.type) {
      case RECORD.packet: {
        const track = head.flags & VIDEO ? member.video : member.audio;
        counters.set('mirrorDelayMicros', Math.round((now - arrived) * 1000));
        if (track) relay.mirrored(member, track, bodyOf(record), head, now);
        break;
      }
      case RECORD.report:
        feedback.fromPublisher(member, bodyOf(record), arrived, now);
        break;
      case RECORD.configuration:
        this.configure(member, bodyOf(record));
        break;
      case RECORD.held:
        home.held = head.value;
        break;
    }
  }

  private configure(member: Member, body: Buffer): void {
    const { engine } = this.parts;
    const { user, tracks } = readConfiguration(body);
    member.user = user;
    for (const track of [member.audio, member.video]) {
      if (!track) continue;
      const parameters = tracks.find(({ kind }) => kind === track.kind) ?? null;
      engine.configureUpTrack(track.index, parameters);
      engine.setUpTrackUser(track.index, user);
      track.negotiated = parameters !== null;
    }
  }
}

/** A publisher's mirrors, as its home sees them. */
class Mirrors implements MirrorsOf {
  private readonly member: Member;
  private readonly parts: FanOutParts;
  private readonly offset: number;
  private list: Mirror[] = [];

  constructor(member: Member, parts: FanOutParts, offset: number) {
    this.member = member;
    this.parts = parts;
    this.offset = offset;
  }

  get size(): number {
    return this.list.length;
  }

  set(shards: ShardNumber[]): void {
    this.list = shards.flatMap((shard) => {
      const known = this.list.find((one) => one.shard === shard);
      const ring = this.parts.outgoing[shard];
      if (known || !ring) return known ?? [];
      return {
        shard,
        ring,
        stale: true,
        gap: false,
        begun: new Set(),
        limit: Number.POSITIVE_INFINITY,
        subscribers: 0,
      };
    });
    for (const mirror of this.list) if (mirror.stale) this.tellConfiguration(mirror);
  }

  packet(track: UpTrack, now: number): void {
    const { engine, counters, wake } = this.parts;
    const packet = engine.exportPacket(track.index, now);
    if (!packet) return;
    const video = track.kind === 'video';
    const flags = (video ? VIDEO : 0) | (engine.admittedKeyframe ? KEYFRAME : 0);
    let missed = false;
    for (const mirror of this.list) {
      const told = !mirror.stale || this.tellConfiguration(mirror);
      const { exportedEpoch, exportedSequence } = engine;
      const { handle } = this.member;
      const head = writeHead(RECORD.packet, handle, flags, exportedEpoch, exportedSequence, now + this.offset);
      if (told && mirror.ring.write(head, packet, video ? VIDEO_SPARE : AUDIO_SPARE)) {
        counters.add('packetsToShards');
        wake(mirror.shard);
        missed ||= video && mirror.gap;
        if (video) mirror.gap = false;
        if (!mirror.begun.has(track)) this.begin(mirror, track);
      } else {
        counters.add(video ? 'videoRingFull' : 'audioRingFull');
        mirror.gap ||= video;
      }
    }
    // A picture of the mirror's subscribers is broken: the first packet after the gap asks for a whole one.
    if (missed) this.parts.feedback.requestKeyframe(this.member, 'pli', now);
  }

  report(rtcp: Buffer, now: number): void {
    for (const mirror of this.list) this.tellReport(mirror, rtcp, now);
  }

  configure(): void {
    for (const mirror of this.list) this.tellConfiguration(mirror);
  }

  tellHeld(bitrate: number): void {
    for (const mirror of this.list)
      this.tell(mirror, writeHead(RECORD.held, this.member.handle, 0, 0, bitrate), NO_BODY);
  }

  get limits(): number[] {
    return this.list.flatMap(({ limit, subscribers }) => new Array<number>(subscribers).fill(limit));
  }

  /** @returns whether the publisher should hear of it at once */
  setLimit(shard: ShardNumber, limit: number, subscribers: number): boolean {
    const mirror = this.list.find((one) => one.shard === shard);
    if (!mirror) return false;
    const falls = limit < mirror.limit * FALL;
    mirror.limit = limit;
    mirror.subscribers = subscribers;
    return falls;
  }

  /** The mirror knows the track's source from now on: what the publisher said of it before is of use. */
  private begin(mirror: Mirror, track: UpTrack): void {
    mirror.begun.add(track);
    const last = this.parts.engine.exportReport(track.index);
    if (last) this.tellReport(mirror, last.report, last.at);
  }

  /** @returns false if there is no room for it: it is told with the next packet */
  private tellConfiguration(mirror: Mirror): boolean {
    const { user, upParameters: tracks, handle } = this.member;
    const body = writeConfiguration({ user, tracks });
    mirror.stale = !this.tell(mirror, writeHead(RECORD.configuration, handle), body);
    return !mirror.stale;
  }

  private tellReport(mirror: Mirror, rtcp: Buffer, at: number): void {
    this.tell(mirror, writeHead(RECORD.report, this.member.handle, 0, 0, 0, at + this.offset), rtcp);
  }

  private tell(mirror: Mirror, head: Buffer, body: Buffer): boolean {
    const written = mirror.ring.write(head, body);
    if (written) this.parts.wake(mirror.shard);
    return written;
  }
}

/** A mirror's publisher, as the mirror sees it. */
class Home implements MirrorHome {
  readonly shard: ShardNumber;
  held: number | null = null;
  private readonly handle: HandleNumber;
  private readonly ring: Ring;
  private readonly wake: (shard: ShardNumber) => void;

  constructor(handle: HandleNumber, shard: ShardNumber, ring: Ring, wake: (shard: ShardNumber) => void) {
    this.handle = handle;
    this.shard = shard;
    this.ring = ring;
    this.wake = wake;
  }

  requestKeyframe(kind: KeyframeRequestKind): void {
    if (this.ring.write(writeHead(RECORD.keyframe, this.handle, kind === 'fir' ? FIR : 0), NO_BODY))
      this.wake(this.shard);
  }

  tellLimit(bitrate: number, subscribers: number): void {
    if (this.ring.write(writeHead(RECORD.limit, this.handle, 0, subscribers, bitrate), NO_BODY)) this.wake(this.shard);
  }
}

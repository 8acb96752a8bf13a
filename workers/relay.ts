/** Who gets a packet: each RTP packet of a publisher goes through the engine to every subscriber of it. */
import { FORWARD } from '../assembly/layout.js';
import type { ShardCounters } from './counters.js';
import type { Engine } from './engine.js';
import type { Feedback } from './feedback.js';
import { indexOf, type Member, type UpTrack } from './member.js';
import { KEYFRAME, type RecordHead } from './mirror-records.js';

export class Relay {
  private readonly engine: Engine;
  private readonly feedback: Feedback;
  private readonly counters: ShardCounters;

  constructor(engine: Engine, feedback: Feedback, counters: ShardCounters) {
    this.engine = engine;
    this.feedback = feedback;
    this.counters = counters;
  }

  /** A decrypted packet came from a member's peer; hostile until the engine has parsed it. */
  receive(member: Member, bytes: Buffer, now: number): void {
    this.counters.add('packetsReceived');
    const second = bytes[1] ?? 0;
    // RFC 5761 4: RTCP's packet types 192..223 are no RTP payload types with a marker bit.
    if (second >= 192 && second <= 223) this.feedback.receive(member, bytes, now);
    else if (member.source) this.counters.add('rtpFromSubscriber');
    else this.forward(member, bytes, now);
  }

  private forward(member: Member, bytes: Buffer, now: number): void {
    const { engine } = this;
    const verdict = engine.receive(indexOf(member.audio), indexOf(member.video), bytes, now);
    const { feedbackDue } = engine;
    if (verdict === FORWARD) this.fanOut(member, now);
    if (feedbackDue !== 0) this.feedback.tellPublisher(member, now);
  }

  /** A packet that the publisher's own shard has admitted came for its mirror here. */
  mirrored(member: Member, track: UpTrack, packet: Buffer, head: Required<RecordHead>, now: number): void {
    const { engine } = this;
    const keyframe = (head.flags & KEYFRAME) !== 0;
    const verdict = engine.receiveMirrored(track.index, packet, head.number, head.value, keyframe, now);
    if (verdict === FORWARD) this.fanOut(member, now);
  }

  private fanOut(member: Member, now: number): void {
    const { engine } = this;
    const isVideo = engine.admittedTrack === indexOf(member.video);
    const track = isVideo ? member.video : member.audio;
    if (!track) return;
    member.mirrors?.packet(track, now);
    const packet = engine.packet;
    const { downTracks } = track;
    let sent = 0;
    let unsent = 0;
    for (let i = 0; i < downTracks.length; i++) {
      const down = downTracks[i];
      if (down === undefined || engine.translate(down.index, now) !== FORWARD) continue;
      if (down.subscriber.peer?.send(packet)) sent++;
      else unsent++;
    }
    this.counters.add('packetsSent', sent);
    if (unsent > 0) this.counters.add('packetsUnsent', unsent);
    if (isVideo) this.feedback.videoForwarded(member, engine.admittedKeyframe, now);
    if (isVideo && engine.admittedLate) this.feedback.startWaiting(member, now);
  }
}

/** What is noticed by looking regularly: media that stopped or came, who talks, losses, peers that never connected. */
import type { Engine } from './engine.js';
import { indexOf, type Member, type UpTrack } from './member.js';
import type { ShardNews, ShardSettings } from './protocol.js';
import { listen } from './talking.js';

/** Milliseconds between two looks at the losses: `slowlink` counts per second. */
const LOSS_INTERVAL = 1000;

export class Supervision {
  private readonly engine: Engine;
  private readonly settings: ShardSettings;
  private readonly say: (news: ShardNews) => void;
  private lastLossCheck = 0;

  constructor(engine: Engine, settings: ShardSettings, say: (news: ShardNews) => void) {
    this.engine = engine;
    this.settings = settings;
    this.say = say;
  }

  /**
   * Looks at every member once.
   *
   * @returns the members whose peer did not connect in time
   */
  tick(members: Iterable<Member>, now: number): Member[] {
    const late: Member[] = [];
    const countLosses = now - this.lastLossCheck >= LOSS_INTERVAL;
    if (countLosses) this.lastLossCheck = now;
    for (const member of members) {
      if (!member.peer) continue;
      if (!member.peer.connected) {
        if (now - member.connectingSince > this.settings.connectTimeout) late.push(member);
        continue;
      }
      this.watchMedia(member, member.audio, now);
      this.watchMedia(member, member.video, now);
      if (member.audio) this.watchTalking(member, member.audio);
      if (countLosses && this.settings.slowlinkThreshold > 0) this.watchLosses(member);
    }
    return late;
  }

  private watchMedia(member: Member, track: UpTrack | null, now: number): void {
    if (!track) return;
    const last = this.engine.lastPacketAt(track.index);
    const timeout = this.settings.noMediaTimeout;
    const receiving = track.negotiated && last > 0 && (timeout === 0 || now - last <= timeout);
    if (receiving === track.receiving) return;
    track.receiving = receiving;
    this.say({ type: 'media', handle: member.handle, kind: track.kind, receiving });
  }

  private watchTalking(member: Member, { index, negotiated, talking }: UpTrack): void {
    if (!negotiated || !listen(talking, this.engine.takeLoudness(index))) return;
    this.say({ type: 'talking', handle: member.handle, talking: talking.talking });
  }

  private watchLosses(member: Member): void {
    for (const down of [member.audioDown, member.videoDown]) {
      if (!down) continue;
      const lost = this.engine.takeLost(down.index);
      if (lost >= this.settings.slowlinkThreshold) {
        this.say({ type: 'slowlink', handle: member.handle, kind: down.kind, uplink: true, lost });
      }
    }
    for (const track of [member.audio, member.video]) {
      if (!track?.negotiated) continue;
      const lost = this.engine.takeLostUp(indexOf(track));
      if (lost >= this.settings.slowlinkThreshold) {
        this.say({ type: 'slowlink', handle: member.handle, kind: track.kind, uplink: false, lost });
      }
    }
  }
}

/** Ties a subscriber's down tracks to its publisher's up tracks, and unties them. */
import type { Engine } from './engine.js';
import type { DownTrack, Member, UpTrack } from './member.js';
import type { MediaKind } from './protocol.js';

const upTrackOf = (source: Member, kind: MediaKind): UpTrack | null => (kind === 'audio' ? source.audio : source.video);

/**
 * Gives a subscriber down tracks for the kinds that its answer accepted and takes those that it refused; inactive at first.
 *
 * @throws Error if the engine's table is full
 */
export function attachDownTracks(engine: Engine, member: Member, kinds: MediaKind[]): void {
  if (!member.source) return;
  member.audioDown = attach(engine, member, member.source, 'audio', member.audioDown, kinds);
  member.videoDown = attach(engine, member, member.source, 'video', member.videoDown, kinds);
}

function attach(
  engine: Engine,
  member: Member,
  source: Member,
  kind: MediaKind,
  present: DownTrack | null,
  kinds: MediaKind[],
): DownTrack | null {
  const parameters = member.downParameters.find((one) => one.kind === kind);
  const up = upTrackOf(source, kind);
  if (!kinds.includes(kind) || !parameters || !up) {
    if (present) detach(engine, source, present);
    return null;
  }
  if (present) return present;
  const index = engine.addDownTrack(up.index, parameters, member.user);
  if (index < 0) throw new Error('This server holds as many subscriptions as it can; try again later.');
  engine.setDownTrackActive(index, false);
  const down: DownTrack = { index, kind, subscriber: member };
  up.downTracks = [...up.downTracks, down];
  return down;
}

function detach(engine: Engine, source: Member, down: DownTrack): void {
  const up = upTrackOf(source, down.kind);
  if (up) up.downTracks = up.downTracks.filter((other) => other !== down);
  engine.removeDownTrack(down.index);
}

/** Takes a subscriber's down tracks away. */
export function detachDownTracks(engine: Engine, member: Member): void {
  const { source } = member;
  if (source) for (const down of [member.audioDown, member.videoDown]) if (down) detach(engine, source, down);
  member.audioDown = null;
  member.videoDown = null;
}

/** Its publisher is gone: the subscriber keeps its peer and hears nobody. */
export function detachSubscriber(engine: Engine, member: Member): void {
  detachDownTracks(engine, member);
  member.source = null;
}

/** The subscriber is connected: packets may go to it. */
export function activateDownTracks(engine: Engine, member: Member): void {
  for (const down of [member.audioDown, member.videoDown]) if (down) engine.setDownTrackActive(down.index, true);
}

import type { SfuHandle } from './handle.js';
import type { KickMessage } from './messages.js';
import { Refusal } from './refusal.js';
import type { PluginReply, Rooms, RoomsParts } from './rooms.js';

/** What users do about each other: block, unblock, kick. */
export class Moderation {
  readonly #parts: RoomsParts;
  readonly #rooms: Rooms;
  readonly #detach: (handle: SfuHandle) => Promise<void>;

  /** @param detach ends a handle; resolves when its PeerConnection is closed */
  constructor(parts: RoomsParts, rooms: Rooms, detach: (handle: SfuHandle) => Promise<void>) {
    this.#parts = parts;
    this.#rooms = rooms;
    this.#detach = detach;
  }

  /** Answers a `block` or `unblock`. */
  async setBlock(handle: SfuHandle, verb: 'block' | 'unblock', whom: string): Promise<PluginReply> {
    const { switchboard, blocks, presence, log } = this.#parts;
    const member = switchboard.member(handle.number);
    if (!member?.announced) throw new Refusal(`Cannot ${verb} when not in a room.`);
    const change = blocks[verb](member.user, whom);
    if (!change.ok) throw new Refusal(change.reason);
    const [told, saved] = await Promise.allSettled([
      change.changed ? presence.setHidden(member.user, whom, change.hidden) : Promise.resolve(),
      change.saved,
    ]);
    if (told.status === 'rejected') throw told.reason;
    log('info', `${verb}ed`, { handle: handle.number, room: member.room, user: member.user, whom });
    this.#rooms.deliver(switchboard.blockNotices(`${verb}ed`, member.user, whom));
    if (verb === 'unblock' && change.changed && !change.hidden) this.#refresh([member.user, whom]);
    if (saved.status === 'rejected') {
      throw new Refusal(`The ${verb} works now, but it could not be saved: a restart of the server will undo it.`);
    }
    return { data: { success: true, response: {} } };
  }

  /** Another server of the cluster took a block, or lifted one: what follows for those who are here. */
  async learnBlock(user: string, whom: string, active: boolean): Promise<void> {
    const { switchboard, blocks, presence } = this.#parts;
    const hidden = blocks.learn(user, whom, active);
    if (hidden !== null) await presence.setHidden(user, whom, hidden);
    this.#rooms.deliver(switchboard.blockNotices(active ? 'blocked' : 'unblocked', user, whom));
    if (hidden === false) this.#refresh([user, whom]);
  }

  /** Who sees each other again needs a whole picture to start from. */
  #refresh(users: string[]): void {
    for (const member of users.flatMap((user) => this.#parts.switchboard.userMembers(user))) {
      const handle = this.#parts.peers.find(member.handle);
      if (handle) this.#parts.peers.requestKeyframe(handle);
    }
  }

  /** Answers a `kick`. */
  async kick(handle: SfuHandle, message: KickMessage): Promise<PluginReply> {
    const { gatekeeper, switchboard, authority, log } = this.#parts;
    const { room_id: room, user_id: user } = message;
    const permission = gatekeeper.kick(message.token ?? null, room);
    if (!permission.ok) throw new Refusal(permission.reason);
    const member = switchboard.member(handle.number);
    const by = member?.user ?? null;
    const last = member?.room === room && member.user === user;
    const handles = (await this.evict(room, user, by, handle)) || (await authority.evict(room, user, by));
    log('info', 'kicked', { handle: handle.number, room, user, by, handles });
    return { data: { success: true, response: {} }, ...(last && { last }) };
  }

  /**
   * Ends all handles of a user in a room, and tells their client.
   *
   * @param by who wants it; null = an operator
   * @param kicker the handle that waits for an answer to it: should it be one of them, its end is left to the caller
   * @returns how many there were
   */
  async evict(room: string, user: string, by: string | null, kicker: SfuHandle | null = null): Promise<number> {
    const { switchboard, attendance, peers, gatekeeper } = this.#parts;
    const targets = switchboard.userMembers(user).filter((member) => member.room === room);
    if (targets.length > 0) attendance.kicked(room, user, by);
    // First of all: a client that comes back at once must find the door closed.
    const banned = targets.map(({ handle }) => {
      const token = peers.find(handle)?.token;
      return token && gatekeeper.bans?.ban(token);
    });
    const handles = targets.flatMap((member) => peers.find(member.handle) ?? []);
    const ended = handles.map(async (target) => {
      if (target === kicker) return;
      await this.#detach(target);
      target.sink.detached();
    });
    await Promise.all([...ended, ...banned]);
    return handles.length;
  }
}

import { Counts } from '../observability/counts.js';
import { ROOM_FULL, SERVER_FULL } from './switchboard.js';

/** Something about rooms and their users that others than clients may want to know. */
export type Happening =
  /** The user has come: the first of its handles joined the room. */
  | { type: 'join'; room: string; user: string }
  /** The user has gone: the last of its handles left the room. */
  | { type: 'leave'; room: string; user: string }
  /** The user is put out of the room; its `leave` follows. `by` is null where an operator did it. */
  | { type: 'kick'; room: string; user: string; by: string | null }
  /** The last user has gone. */
  | { type: 'room-empty'; room: string }
  /** Somebody was turned away because as many publish in the room as may; said once until somebody leaves it. */
  | { type: 'room-full'; room: string; user: string };

export const HAPPENINGS = ['join', 'leave', 'kick', 'room-empty', 'room-full'] as const satisfies Happening['type'][];

/** Told at once, while the server acts: it must be quick, and must not throw. */
export type HappeningListener = (happening: Happening) => void;

interface RoomAttendance {
  /** Handles in the room, by user. */
  readonly users: Map<string, number>;
  toldFull: boolean;
}

/** Makes of handles that come and go what is to be said of users and rooms, and counts it. Holds what is there, no more. */
export class Attendance {
  readonly happened = new Counts(HAPPENINGS);
  /** Joins that were refused because a limit on publishers was reached. */
  readonly refused = new Counts(['room_full', 'server_full']);
  readonly #tell: HappeningListener;
  readonly #rooms = new Map<string, RoomAttendance>();

  constructor(tell: HappeningListener) {
    this.#tell = tell;
  }

  /** Rooms that somebody is in. */
  get size(): number {
    return this.#rooms.size;
  }

  /** A handle joined. */
  came(room: string, user: string): void {
    const attendance = this.#rooms.get(room) ?? { users: new Map(), toldFull: false };
    this.#rooms.set(room, attendance);
    const handles = attendance.users.get(user) ?? 0;
    attendance.users.set(user, handles + 1);
    if (handles === 0) this.#say({ type: 'join', room, user });
  }

  /** A handle that had come left. */
  went(room: string, user: string): void {
    const attendance = this.#rooms.get(room);
    const handles = attendance?.users.get(user) ?? 0;
    if (!attendance || handles === 0) return;
    attendance.toldFull = false;
    if (handles > 1) {
      attendance.users.set(user, handles - 1);
      return;
    }
    attendance.users.delete(user);
    this.#say({ type: 'leave', room, user });
    if (attendance.users.size > 0) return;
    this.#rooms.delete(room);
    this.#say({ type: 'room-empty', room });
  }

  kicked(room: string, user: string, by: string | null): void {
    this.#say({ type: 'kick', room, user, by });
  }

  /** Somebody may not publish, for this reason of the switchboard's; any other than a limit is none of ours. */
  turnedAway(room: string, user: string, reason: string): void {
    if (reason === SERVER_FULL) this.refused.add('server_full');
    if (reason !== ROOM_FULL) return;
    this.refused.add('room_full');
    const attendance = this.#rooms.get(room);
    if (!attendance || attendance.toldFull) return;
    attendance.toldFull = true;
    this.#say({ type: 'room-full', room, user });
  }

  #say(happening: Happening): void {
    this.happened.add(happening.type);
    this.#tell(happening);
  }
}

import type { Happening } from '../sfu/attendance.js';

/** What a receiver is told, as JSON. `id` names the event, also where it is sent again. */
export interface WebhookEvent {
  id: string;
  type: Happening['type'];
  /** When it happened, ISO 8601. */
  timestamp: string;
  /** `SERVER_NAME`. */
  server: string;
  /** Of a cluster: which of its nodes tells it. `sequence` is that node's. */
  node?: string;
  /** Counts this server's events from 1, since its start: a gap means that some were lost. */
  sequence: number;
  data: {
    room_id: string;
    /** Who joined, left, was put out, was turned away; not of `room-empty`. */
    user_id?: string;
    /** Of a `kick`: the user who wanted it; null = an operator, or somebody outside the room. */
    by?: string | null;
  };
}

/** What is the same in all events, and what is not in what happened. */
export interface EventFacts {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  server: string;
  /** Absent where the server is alone. */
  node?: string | undefined;
  sequence: number;
}

/** Writes an event. Only ids and times are in it: never a token, an address or SDP. */
export function eventOf(happening: Happening, { id, at, server, node, sequence }: EventFacts): WebhookEvent {
  const { type, room } = happening;
  return {
    id,
    type,
    timestamp: new Date(at).toISOString(),
    server,
    ...(node === undefined ? {} : { node }),
    sequence,
    data: {
      room_id: room,
      ...('user' in happening ? { user_id: happening.user } : {}),
      ...('by' in happening ? { by: happening.by } : {}),
    },
  };
}

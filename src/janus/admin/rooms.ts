import type { SfuHandle } from '../../sfu/handle.js';
import type { Sessions } from '../sessions.js';
import type { AdminParts } from './parts.js';

/** The Janus ids of the plugin's handles: one pass over all sessions. */
function janusIds(sessions: Pick<Sessions, 'all'>): Map<SfuHandle, { session_id: number; handle_id: number }> {
  const ids = new Map<SfuHandle, { session_id: number; handle_id: number }>();
  for (const session of sessions.all()) {
    for (const { id, plugin } of session.handles.values()) {
      if (plugin) ids.set(plugin, { session_id: session.id, handle_id: id });
    }
  }
  return ids;
}

/**
 * Who is in which room, for `list_rooms`.
 *
 * @param room that one alone
 */
export function describeRooms({ sessions, plugin }: AdminParts, room?: string): object[] {
  const rooms = plugin.inspection.rooms(room);
  const ids = janusIds(sessions);
  return rooms.map(({ room: room_id, users, shards }) => ({
    room_id,
    publishers: users.filter(({ publisher }) => publisher).length,
    shards,
    users: users.map(({ user: user_id, publisher, blocks, blocked, handles }) => ({
      user_id,
      publisher,
      blocks,
      blocked,
      handles: handles.map(({ handle, kind, source, shard }) => ({
        ...ids.get(handle),
        kind,
        ...(source === null ? {} : { source }),
        shard,
      })),
    })),
  }));
}

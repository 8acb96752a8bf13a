import { ADMIN_URL_OPTION, askAdmin } from './admin-client.js';
import { type Command, EXIT_OK } from './command.js';
import { loadSettings } from './settings.js';

interface Room {
  room_id: string;
  publishers: number;
  shards: number[];
  users: { user_id: string; publisher: boolean; blocks: string[]; handles: unknown[] }[];
}

/** Ids come from clients: quoted, so that none can write lines or move the terminal's cursor. */
const quoted = (id: string) => JSON.stringify(id).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e]/g, '?');

function table(rooms: readonly Room[]): string {
  if (rooms.length === 0) return 'no rooms\n';
  const lines = rooms.map(({ room_id: room, users, publishers, shards }) => {
    const who = users.map(({ user_id: user, publisher, handles }) => {
      const role = publisher ? 'publisher' : 'listener';
      return `  ${quoted(user)} (${role}, ${handles.length} ${handles.length === 1 ? 'handle' : 'handles'})\n`;
    });
    const count = `${users.length} ${users.length === 1 ? 'user' : 'users'}, ${publishers} publishing`;
    return `${quoted(room)}: ${count}, media on worker ${shards.join(', ') || 'none'}\n${who.join('')}`;
  });
  return lines.join('');
}

export const rooms: Command = {
  name: 'rooms',
  summary: 'lists the rooms of a running server and who is in them (Admin API)',
  usage: '[--room R] [--json] [settings]',
  settings: true,
  options: [
    { name: 'room', value: 'room', meaning: 'that one alone' },
    { name: 'json', meaning: 'as JSON, with all that the server says' },
    ADMIN_URL_OPTION,
  ],
  async run(given, surroundings) {
    const { config } = loadSettings(given, surroundings);
    const room = given.value('room');
    const fields = room === undefined ? {} : { room_id: room };
    const answer = await askAdmin(config, given.value('url') ?? null, 'list_rooms', fields);
    const found = (answer as { rooms: Room[] }).rooms;
    surroundings.out(given.has('json') ? `${JSON.stringify(found, null, 2)}\n` : table(found));
    return EXIT_OK;
  },
};

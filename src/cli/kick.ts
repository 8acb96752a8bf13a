import { ADMIN_URL_OPTION, askAdmin } from './admin-client.js';
import { type Command, CommandError, EXIT_OK, EXIT_USAGE } from './command.js';
import { loadSettings } from './settings.js';

export const kick: Command = {
  name: 'kick',
  summary: 'puts a user out of a room of a running server (Admin API)',
  usage: '--room R --user U [settings]',
  settings: true,
  options: [
    { name: 'room', value: 'room', meaning: 'the room' },
    { name: 'user', value: 'user', meaning: 'the user' },
    ADMIN_URL_OPTION,
  ],
  async run(given, surroundings) {
    const room = given.value('room');
    const user = given.value('user');
    if (room === undefined || user === undefined) throw new CommandError('--room and --user are needed', EXIT_USAGE);
    const { config } = loadSettings(given, surroundings);
    const fields = { room_id: room, user_id: user };
    const { handles } = (await askAdmin(config, given.value('url') ?? null, 'kick', fields)) as { handles: number };
    surroundings.out(`kicked; ${handles} ${handles === 1 ? 'handle' : 'handles'} ended\n`);
    return EXIT_OK;
  },
};

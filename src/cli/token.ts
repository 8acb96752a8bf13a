import path from 'node:path';
import { readToken, signToken } from '../sfu/token.js';
import { type Command, CommandError, EXIT_OK, EXIT_USAGE } from './command.js';
import { readDuration } from './duration.js';
import { privateKeyOf } from './private-key.js';

export const token: Command = {
  name: 'token',
  summary: 'writes a token (JWT) for joining a room of a server with AUTH_KEY',
  usage: '--room R [--user U] [--kick] [--ttl 1h] [--key private.pem]',
  settings: false,
  options: [
    { name: 'room', value: 'room', meaning: 'room that may be joined; several times for several', repeated: true },
    { name: 'all-rooms', meaning: 'any room may be joined' },
    { name: 'user', value: 'user', meaning: 'the only user id that it is for; unless told, any' },
    { name: 'kick', meaning: 'its bearer may kick users of these rooms' },
    { name: 'ttl', value: 'time', meaning: 'for how long it is valid: 90s, 15m, 1h, 7d; 1h unless told' },
    { name: 'key', value: 'file', meaning: 'the private key, PEM or DER; private.pem unless told' },
  ],
  async run(given, { folder, out }) {
    const rooms = given.values('room');
    const problems: string[] = [];
    if (rooms.length === 0 && !given.has('all-rooms')) problems.push('--room is needed (or --all-rooms)');
    if (rooms.length > 0 && given.has('all-rooms')) problems.push('--room and --all-rooms contradict each other');
    const ttl = given.value('ttl') ?? '1h';
    const seconds = readDuration(ttl);
    if (seconds === null) problems.push(`--ttl ${ttl}: should be a time such as 90s, 15m, 1h or 7d`);
    if (problems.length > 0 || seconds === null) throw new CommandError(problems, EXIT_USAGE);
    const { privateKey, publicKey } = privateKeyOf(path.resolve(folder, given.value('key') ?? 'private.pem'));
    const now = Math.floor(Date.now() / 1000);
    const grant = {
      joinHub: true,
      kickUsers: given.has('kick'),
      rooms: rooms.length > 0 ? rooms : null,
      user: given.value('user') ?? null,
    };
    const text = signToken(grant, privateKey, now, now + seconds);
    if (!readToken(text, publicKey, now)) throw new CommandError('the token is too long: name fewer rooms', EXIT_USAGE);
    out(`${text}\n`);
    return EXIT_OK;
  },
};

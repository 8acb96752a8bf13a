import { file, flag, folder, MAX, seconds, whole, word } from '../kinds.js';
import { setting } from '../setting.js';

export const ROOMS = {
  MAX_ROOM_SIZE: setting(whole(0, MAX, 'users'), '0', 'publishing users per room, 0 = no limit'),
  MAX_CCU: setting(whole(0, MAX, 'users'), '0', 'publishing users on the server, 0 = no limit'),
  AUTH_KEY: setting(
    file,
    null,
    'file with the public RSA key (PKCS#1 DER, SPKI DER or PEM, 2048 bits or more) that tokens are checked with; unset = no tokens needed',
  ),
  TOKEN_LENGTH_MAX: setting(whole(256, 65_536, 'characters'), '8192', 'longest token that is looked at'),
  TOKEN_USER_REQUIRED: setting(
    flag,
    'false',
    'let only tokens in that name their user (`user_id` or `sub`): then nobody can join with the id of somebody else',
  ),
  BAN_KICKED_TOKENS: setting(
    flag,
    'false',
    'a user who is kicked can’t come back with the same token, until it expires; only for tokens that no two users share',
  ),
  BANS_MAX: setting(
    whole(1, 1_000_000),
    '10000',
    'banned tokens that are remembered; with more, the ban that ends first is given up',
  ),
  SUBSCRIBE_WAIT: setting(seconds(0, 60), '5', 'for how long a subscription waits for its publisher to come'),
  NOTIFY_SCOPE: setting(word(['room', 'server']), 'room', 'who learns of joins and leaves: `room` or `server`'),
  JOIN_REPLY_INCLUDES_SELF: setting(
    flag,
    'false',
    'list the joiner in its own join reply; naf-janus-adapter takes that for a session of its past',
  ),
  BLOCK_STORE: setting(
    word(['lmdb', 'memory']),
    'lmdb',
    'where blocks are kept: `lmdb` (they outlive restarts) or `memory`',
  ),
  DATA_DIR: setting(folder, 'data', 'folder of the block store, and of the bans'),
  BLOCKS_PER_USER: setting(whole(1, 100_000), '1000', 'blocks that one user may have'),
  ID_BYTES_MAX: setting(whole(16, 1024, 'bytes'), '256', 'longest room or user id'),
  MESSAGE_THREADS: setting(whole(0, MAX), null, 'of Janus; has no effect', {
    noEffect: 'messages need no threads here; media workers are counted by SFU_WORKERS',
  }),
};

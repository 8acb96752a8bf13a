import type { Outcomes } from '../figures.js';
import { byWord, labelled, type Metric, type Sample, single } from '../metric.js';

/** Samples with the labels: what was asked, how it ended. */
export function outcomes(counts: Outcomes): Sample[] {
  return Object.entries(counts).flatMap(([outcome, words]) =>
    Object.entries(words).map(([word, count]): Sample => [count, word, outcome]),
  );
}

/** Rooms, users, and what they asked the plugin for. */
export const ROOM_METRICS: readonly Metric[] = [
  single('gauge', 'rooms', 'Rooms that somebody is in', ({ rooms }) => rooms),
  single('gauge', 'users', 'Users who are in a room', ({ users }) => users),
  single('gauge', 'publishers', 'PeerConnections that clients send by', ({ publishers }) => publishers),
  single(
    'gauge',
    'subscribers',
    'PeerConnections by which clients get somebody’s media',
    (figures) => figures.subscribers,
  ),
  labelled(
    'counter',
    'messages_total',
    ['kind', 'outcome'],
    'Messages to the plugin; `other` is an empty body or one that was not understood',
    ({ messages }) => outcomes(messages),
  ),
  labelled(
    'counter',
    'room_events_total',
    ['event'],
    'What happened in rooms: the events that webhooks tell of',
    ({ happenings }) => byWord(happenings),
  ),
  labelled(
    'counter',
    'joins_refused_total',
    ['reason'],
    'Publishers who were turned away by `MAX_ROOM_SIZE` (`room_full`) or `MAX_CCU` (`server_full`)',
    ({ turnedAway }) => byWord(turnedAway),
  ),
  single(
    'counter',
    'ids_refused_total',
    'Messages with a room or user id of more than `ID_BYTES_MAX`',
    ({ idsRefused }) => idsRefused,
  ),
  labelled(
    'counter',
    'tokens_refused_total',
    ['reason'],
    'Joins, subscriptions, kicks and requests of TURN credentials that were refused for their token: `missing`, `too_long` (`TOKEN_LENGTH_MAX`), `invalid`, `banned` (`BAN_KICKED_TOKENS`), `permission` (it is valid, but not for this)',
    ({ tokensRefused }) => byWord(tokensRefused),
  ),
  single('gauge', 'token_bans', 'Tokens of kicked users that are banned', ({ bans }) => bans.size ?? 0),
  single('counter', 'token_bans_total', 'Tokens that were banned', ({ bans }) => bans.banned ?? 0),
  single(
    'counter',
    'token_bans_displaced_total',
    'Bans that were given up before their time: there were more than `BANS_MAX`',
    ({ bans }) => bans.displaced ?? 0,
  ),
  single(
    'counter',
    'token_ban_saves_failed_total',
    'Bans that the next restart will undo: they could not be saved',
    ({ bans }) => bans.savesFailed ?? 0,
  ),
  single(
    'counter',
    'blocks_refused_total',
    'Blocks of users who have blocked `BLOCKS_PER_USER`',
    (figures) => figures.blocks.refused ?? 0,
  ),
  single(
    'counter',
    'block_saves_failed_total',
    'Blocks that the next restart will undo: they could not be saved',
    (figures) => figures.blocks.savesFailed ?? 0,
  ),
  single(
    'gauge',
    'block_store_degraded',
    '1 if blocks are not on disk as they should be, or were lost: the store could not be opened, was damaged, or does not take them',
    (figures) => Number(figures.blockStoreDegraded),
  ),
];

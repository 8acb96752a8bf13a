import { byWord, labelled, type Metric, type Sample, single } from '../metric.js';
import { outcomes } from './rooms.js';

/** Sessions, handles, and what is asked of the APIs. */
export const SESSION_METRICS: readonly Metric[] = [
  labelled(
    'gauge',
    'sessions',
    ['state'],
    'Janus sessions: `owned` by a connection, or `orphaned`, waiting to be claimed',
    ({ sessions }) => [
      [sessions.owned, 'owned'],
      [sessions.orphaned, 'orphaned'],
    ],
  ),
  labelled('gauge', 'handles', ['state'], 'Janus handles: `joined` a room, or not (`unjoined`)', ({ handles }) => [
    [handles.joined, 'joined'],
    [handles.unjoined, 'unjoined'],
  ]),
  labelled(
    'counter',
    'sessions_ended_total',
    ['reason'],
    'Sessions that the server ended: `timeout` (`SESSION_TIMEOUT`), `unclaimed` (`RECLAIM_SESSION_TIMEOUT`), `overflow` (`EVENT_QUEUE_MAX`, `EVENT_QUEUE_BYTES_MAX`)',
    ({ sessionCounters: counters }) => [
      [counters.timedOut ?? 0, 'timeout'],
      [counters.unclaimed ?? 0, 'unclaimed'],
      [counters.overflowed ?? 0, 'overflow'],
    ],
  ),
  single(
    'counter',
    'sessions_refused_total',
    'Sessions beyond `SESSIONS_PER_CONNECTION`',
    ({ sessionCounters }) => sessionCounters.sessionsRefused ?? 0,
  ),
  single(
    'counter',
    'handles_refused_total',
    'Handles beyond `HANDLES_PER_CONNECTION` or `UNJOINED_HANDLES_PER_CONNECTION`',
    ({ sessionCounters }) => sessionCounters.handlesRefused ?? 0,
  ),
  single(
    'counter',
    'handle_requests_refused_total',
    'Requests beyond `REQUESTS_PER_HANDLE`',
    ({ sessionCounters }) => sessionCounters.requestsRefused ?? 0,
  ),
  labelled(
    'counter',
    'descriptions_refused_total',
    ['reason'],
    'Offers and answers that were not read (error 465): `bytes` (`SDP_BYTES_MAX`), `lines` (`SDP_LINES_MAX`), `media` (`SDP_MEDIA_MAX`), `candidates` (`SDP_CANDIDATES_MAX`), `invalid`',
    ({ descriptionsRefused }) => byWord(descriptionsRefused),
  ),
  labelled(
    'counter',
    'requests_total',
    ['api', 'verb', 'outcome'],
    'Requests by verb; `other` is a verb that there is not, or a request that could not be read',
    ({ apis }) =>
      [...apis].flatMap(([api, { requests }]) =>
        outcomes(requests).map(([count, ...labels]): Sample => [count, api, ...labels]),
      ),
  ),
  labelled(
    'counter',
    'request_errors_total',
    ['api', 'code'],
    'Requests that were answered with an error, by Janus’ code of it',
    ({ apis }) =>
      [...apis].flatMap(([api, { errors }]) =>
        Object.entries(errors).map(([code, count]): Sample => [count, api, code]),
      ),
  ),
];

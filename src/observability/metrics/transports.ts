import type { ApiFigures } from '../figures.js';
import { byWord, labelled, type Metric, PREFIX, type Sample } from '../metric.js';

/** A metric with the label `api`, and one more where several counters are told apart by it. */
function perApi(
  type: Metric['type'],
  name: string,
  help: string,
  read: (figures: ApiFigures) => Iterable<Sample>,
  ...more: string[]
): Metric {
  return {
    name: PREFIX + name,
    type,
    help,
    labels: ['api', ...more],
    *read({ apis }) {
      for (const [api, figures] of apis) for (const [value, ...labels] of read(figures)) yield [value, api, ...labels];
    },
  };
}

/** Connections, and what their bounds refused. */
export const TRANSPORT_METRICS: readonly Metric[] = [
  labelled('gauge', 'connections', ['api', 'transport'], 'Open TCP connections', ({ apis }) =>
    [...apis].flatMap(([api, { webSocket, http }]): Sample[] => [
      [webSocket.connections, api, 'websocket'],
      [http.connections, api, 'http'],
    ]),
  ),
  perApi(
    'counter',
    'websocket_connections_opened_total',
    'WebSockets that were opened',
    ({ webSocket: { counters } }) => [[counters.opened ?? 0]],
  ),
  perApi(
    'counter',
    'websocket_connections_refused_total',
    'Connections that did not become a WebSocket: `limit` (`WS_CONNECTIONS_MAX`), `address` (`WS_CONNECTIONS_PER_ADDRESS`), `slow` (`HTTP_HEADERS_TIMEOUT`), `handshake` (no WebSocket, or not our subprotocol), `unavailable` (the server ends or is drained)',
    ({ webSocket: { counters } }) => [
      [counters.refusedLimit ?? 0, 'limit'],
      [counters.refusedAddress ?? 0, 'address'],
      [counters.handshakesSlow ?? 0, 'slow'],
      [counters.refusedHandshake ?? 0, 'handshake'],
      [counters.refusedUnavailable ?? 0, 'unavailable'],
    ],
    'reason',
  ),
  perApi(
    'counter',
    'websocket_connections_closed_total',
    'Connections that the server closed: `size` (`WS_MESSAGE_BYTES_MAX`), `fragments` (`WS_FRAGMENTS_MAX`), `protocol` (not RFC 6455), `backlog` (`WS_BACKLOG_BYTES_MAX`), `idle` (`WS_IDLE_TIMEOUT`), `dead` (`WS_PONG_TIMEOUT`)',
    ({ webSocket: { counters } }) => [
      [counters.closedSize ?? 0, 'size'],
      [counters.closedFragments ?? 0, 'fragments'],
      [counters.closedProtocol ?? 0, 'protocol'],
      [counters.closedBacklog ?? 0, 'backlog'],
      [counters.closedIdle ?? 0, 'idle'],
      [counters.closedDead ?? 0, 'dead'],
    ],
    'reason',
  ),
  perApi(
    'counter',
    'websocket_rate_limit_waits_total',
    'Times a connection had to wait: it sends more than `WS_REQUEST_RATE`',
    ({ webSocket: { counters } }) => [[counters.rateLimitWaits ?? 0]],
  ),
  perApi(
    'counter',
    'websocket_address_rate_limit_waits_total',
    'Times a connection had to wait: all those of its address send more than `WS_REQUEST_RATE_PER_ADDRESS`',
    ({ webSocket: { counters } }) => [[counters.addressRateLimitWaits ?? 0]],
  ),
  perApi(
    'counter',
    'http_connections_refused_total',
    'Connections that were not served: `limit` (`HTTP_CONNECTIONS_MAX`, answered with 503), `cut` (twice that), `pipeline` (too many requests at once), `handshake` (TLS)',
    ({ http: { counters } }) => [
      [counters.connectionsRefused ?? 0, 'limit'],
      [counters.connectionsCut ?? 0, 'cut'],
      [counters.pipelinesCut ?? 0, 'pipeline'],
      [counters.handshakesFailed ?? 0, 'handshake'],
    ],
    'reason',
  ),
  perApi(
    'counter',
    'http_requests_refused_total',
    'Requests that were not served: `unreadable` (no HTTP, or headers of more than `HTTP_HEADER_BYTES_MAX`), `slow` (`HTTP_HEADERS_TIMEOUT`, `HTTP_REQUEST_TIMEOUT`, 408), `rate` (`HTTP_REQUEST_RATE`, 429), `size` (`HTTP_BODY_BYTES_MAX`, 413)',
    ({ http, rest }) => [
      [http.counters.requestsUnreadable ?? 0, 'unreadable'],
      [http.counters.requestsSlow ?? 0, 'slow'],
      [rest.counters.requestsRefused ?? 0, 'rate'],
      [rest.counters.bodiesRefused ?? 0, 'size'],
    ],
    'reason',
  ),
  perApi('gauge', 'rest_sessions', 'Sessions that HTTP clients own', ({ rest }) => [[rest.sessions]]),
  perApi('gauge', 'rest_polls_waiting', 'Long polls that wait for an event', ({ rest }) => [[rest.waitingPolls]]),
  perApi('counter', 'rest_requests_total', 'Requests of the API over HTTP', ({ rest: { counters } }) => [
    [counters.requests ?? 0],
  ]),
  perApi('counter', 'rest_polls_total', 'Long polls', ({ rest: { counters } }) => [[counters.polls ?? 0]]),
  perApi(
    'counter',
    'rest_requests_delayed_total',
    'Requests that waited: their address sends more than `HTTP_REQUEST_RATE`',
    ({ rest: { counters } }) => [[counters.requestsDelayed ?? 0]],
  ),
  perApi(
    'counter',
    'rest_sessions_refused_total',
    'Sessions beyond `HTTP_SESSIONS_PER_ADDRESS`',
    ({ rest: { counters } }) => [[counters.sessionsRefused ?? 0]],
  ),
  perApi(
    'counter',
    'rest_queues_overflowed_total',
    'HTTP clients that did not fetch their events: their sessions ended',
    ({ rest: { counters } }) => [[counters.queuesOverflowed ?? 0]],
  ),
  perApi(
    'counter',
    'rest_replies_missing_total',
    'Requests that got no reply within 10 s: error 490',
    ({ rest: { counters } }) => [[counters.repliesMissing ?? 0]],
  ),
  labelled(
    'counter',
    'ice_servers_requests_total',
    ['outcome'],
    'Requests of `/ice-servers`: `answered`, `denied` (no token of `AUTH_KEY`, 401), `limited` (`HTTP_REQUEST_RATE`, 429)',
    ({ iceServers }) => byWord(iceServers),
  ),
];

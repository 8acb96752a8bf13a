import { flag, MAX, seconds, text, whole } from '../kinds.js';
import { setting } from '../setting.js';

export const SESSIONS = {
  SESSION_TIMEOUT: setting(seconds(0, 86_400), '60', 'time without a request until a session ends, 0 = never'),
  RECLAIM_SESSION_TIMEOUT: setting(
    seconds(0, 86_400),
    '0',
    'for how long a session outlives its connection, to be claimed',
  ),
  CANDIDATES_TIMEOUT: setting(seconds(1, 3600), '45', 'time until a PeerConnection that does not connect is given up'),
  EVENT_QUEUE_MAX: setting(
    whole(1, 100_000, 'events'),
    '256',
    'events that wait for a client that polls over HTTP or is away; a session with more is ended',
  ),
  EVENT_QUEUE_BYTES_MAX: setting(whole(65_536, MAX, 'bytes'), '1048576', 'the same, counted in bytes'),
  OPAQUEID_IN_API: setting(flag, 'false', 'say a handle’s `opaque_id` in its events'),
  FULL_TRICKLE: setting(flag, 'false', 'tell our ICE candidates in `trickle` events instead of in the SDP'),
  WS_MESSAGE_BYTES_MAX: setting(
    whole(1024, 16_777_216, 'bytes'),
    '131072',
    'longest WebSocket message; longer ones close the connection with 1009',
  ),
  WS_FRAGMENTS_MAX: setting(whole(1, 100_000), '64', 'fragments of one message; more close the connection with 1008'),
  WS_BACKLOG_BYTES_MAX: setting(
    whole(65_536, MAX, 'bytes'),
    '1048576',
    'what may wait for a client that does not read',
  ),
  WS_REQUEST_RATE: setting(whole(1, MAX, '1/s'), '100', 'requests on one connection'),
  WS_REQUEST_BURST: setting(whole(1, MAX), '200', 'requests at once on one connection'),
  WS_REQUEST_RATE_PER_ADDRESS: setting(
    whole(1, MAX, '1/s'),
    '5000',
    'requests on all connections of one address (behind a proxy, all clients are one: see `TRUSTED_PROXIES`)',
  ),
  WS_REQUEST_BURST_PER_ADDRESS: setting(whole(1, MAX), '20000', 'requests at once on all connections of one address'),
  WS_CONNECTIONS_MAX: setting(
    whole(1, MAX),
    '10000',
    'open connections to a WebSocket port, those in the handshake included; further ones are closed at once',
  ),
  WS_CONNECTIONS_PER_ADDRESS: setting(whole(1, MAX), '1000', 'connections from one address'),
  WS_IDLE_TIMEOUT: setting(seconds(0, 3600), '10', 'for how long a connection may stay without a session'),
  WS_PING_INTERVAL: setting(seconds(0, 3600), '15', 'time between pings to a silent client'),
  WS_PONG_TIMEOUT: setting(seconds(1, 3600), '10', 'time until a ping must be answered'),
  HTTP_CONNECTIONS_MAX: setting(whole(1, MAX), '1020', 'open HTTP connections; further ones get 503'),
  HTTP_HEADERS_TIMEOUT: setting(
    seconds(0.2, 600),
    '10',
    'time that the headers of a request may take, of a WebSocket’s handshake too',
  ),
  HTTP_REQUEST_TIMEOUT: setting(seconds(0.2, 600), '30', 'time that a whole request may take'),
  HTTP_HEADER_BYTES_MAX: setting(
    whole(1024, 1_048_576, 'bytes'),
    '16384',
    'longest headers of a request, of a WebSocket’s handshake too',
  ),
  HTTP_BODY_BYTES_MAX: setting(whole(1024, 16_777_216, 'bytes'), '131072', 'longest body of an HTTP request'),
  HTTP_POLL_TIMEOUT: setting(
    seconds(1, 55),
    '30',
    'time until a long poll without events is answered with a `keepalive`',
  ),
  HTTP_SESSIONS_PER_ADDRESS: setting(whole(1, MAX), '1000', 'sessions made over HTTP from one address'),
  HTTP_REQUEST_RATE: setting(whole(1, MAX, '1/s'), '200', 'HTTP requests from one address'),
  HTTP_REQUEST_BURST: setting(whole(1, MAX), '400', 'HTTP requests at once from one address'),
  ALLOW_ORIGIN: setting(
    text,
    null,
    'the origin whose pages may use the HTTP API (CORS); also of WebSockets, with ENFORCE_CORS',
    { shown: 'any' },
  ),
  ENFORCE_CORS: setting(
    flag,
    'false',
    'refuse requests and WebSockets of other origins, or of none, with 403 instead of leaving that to browsers',
  ),
  SESSIONS_PER_CONNECTION: setting(whole(1, 100_000), '16', 'sessions of one connection'),
  HANDLES_PER_CONNECTION: setting(whole(1, 100_000), '1024', 'handles of one connection'),
  UNJOINED_HANDLES_PER_CONNECTION: setting(whole(1, 100_000), '64', 'of these, handles that have not joined'),
  REQUESTS_PER_HANDLE: setting(whole(1, 100_000), '256', 'requests that may wait for their turn on one handle'),
};

/** The ports that the server listens on: what each of them serves, and within which limits. */
import type { Cluster } from '../cluster/cluster.js';
import type { Config } from '../config/schema.js';
import { type AddressOf, addressBehind } from '../http/client-address.js';
import { dashboardHandler } from '../http/dashboard.js';
import { healthHandler } from '../http/health.js';
import { heldSockets } from '../http/held-sockets.js';
import { IceServers, iceServersHandler } from '../http/ice-servers.js';
import { HttpListener } from '../http/listener.js';
import { pageHandler } from '../http/page.js';
import type { TlsCertificate } from '../http/tls.js';
import { AdminApi } from '../janus/admin/api.js';
import type { JanusApi } from '../janus/api.js';
import { corsHeaders, originAllowed } from '../janus/transports/cors.js';
import { RestTransport } from '../janus/transports/rest.js';
import { Addresses } from '../janus/transports/rest-addresses.js';
import { WebSocketTransport } from '../janus/transports/websocket.js';
import type { Log } from '../observability/log.js';
import type { Gatekeeper } from '../sfu/gatekeeper.js';
import type { Readiness } from './readiness.js';

/** What every request keeps to, a WebSocket's handshake too. */
function requestLimits(config: Config) {
  return {
    headersTimeout: config.HTTP_HEADERS_TIMEOUT,
    requestTimeout: config.HTTP_REQUEST_TIMEOUT,
    headerBytesMax: config.HTTP_HEADER_BYTES_MAX,
  };
}

/** What every WebSocket port keeps to. */
function webSocketLimits(config: Config) {
  return {
    messageBytesMax: config.WS_MESSAGE_BYTES_MAX,
    fragmentsMax: config.WS_FRAGMENTS_MAX,
    backlogBytesMax: config.WS_BACKLOG_BYTES_MAX,
    requestRate: config.WS_REQUEST_RATE,
    requestBurst: config.WS_REQUEST_BURST,
    addressRequestRate: config.WS_REQUEST_RATE_PER_ADDRESS,
    addressRequestBurst: config.WS_REQUEST_BURST_PER_ADDRESS,
    connectionsMax: config.WS_CONNECTIONS_MAX,
    connectionsPerAddress: config.WS_CONNECTIONS_PER_ADDRESS,
    idleTimeout: config.WS_IDLE_TIMEOUT,
    pingInterval: config.WS_PING_INTERVAL,
    pongTimeout: config.WS_PONG_TIMEOUT,
    ...requestLimits(config),
  };
}

/** Whose a request is: as the node says that it came to, or as the connection and its proxies say. */
function addressesOf(config: Config, cluster: Cluster | null): AddressOf {
  const direct = addressBehind(config.TRUSTED_PROXIES);
  return cluster ? (request) => cluster.addressOf(request) ?? direct(request) : direct;
}

/** The Janus API over WebSockets. */
export function composeTransport(
  config: Config,
  api: JanusApi,
  tls: TlsCertificate | null,
  cluster: Cluster | null,
  log: Log,
): WebSocketTransport {
  const { ws: fd } = heldSockets(process.env, process.pid);
  const own = {
    subprotocol: 'janus-protocol',
    sessions: true,
    host: config.BIND,
    port: config.WS_PORT,
    fd,
    addressOf: addressesOf(config, cluster),
    cors: { allowOrigin: config.ALLOW_ORIGIN, enforce: config.ENFORCE_CORS },
    router: cluster ?? undefined,
  };
  return new WebSocketTransport({ ...own, ...webSocketLimits(config) }, api, log, tls);
}

/** Milliseconds that a connection may stand still beyond a long poll's wait: its client reads nothing, or has gone. */
const STILL_TIMEOUT = 30_000;

/** What every HTTP port of the server keeps to. */
function httpLimits(config: Config) {
  return {
    connectionsMax: config.HTTP_CONNECTIONS_MAX,
    stillTimeout: config.HTTP_POLL_TIMEOUT + STILL_TIMEOUT,
    ...requestLimits(config),
  };
}

/** What every API over HTTP keeps to. */
function restLimits(config: Config, cluster: Cluster | null) {
  return {
    allowOrigin: config.ALLOW_ORIGIN,
    enforce: config.ENFORCE_CORS,
    requestRate: config.HTTP_REQUEST_RATE,
    requestBurst: config.HTTP_REQUEST_BURST,
    sessionsPerAddress: config.HTTP_SESSIONS_PER_ADDRESS,
    eventsMax: config.EVENT_QUEUE_MAX,
    eventBytesMax: config.EVENT_QUEUE_BYTES_MAX,
    pollTimeout: config.HTTP_POLL_TIMEOUT,
    bodyBytesMax: config.HTTP_BODY_BYTES_MAX,
    addressOf: addressesOf(config, cluster),
  };
}

/** Which STUN and TURN servers clients are told, and who is told them. */
function composeIceServers(config: Config, gatekeeper: Gatekeeper, cluster: Cluster | null) {
  const servers = new IceServers({
    stunUrls: config.STUN_URLS,
    turnUrls: config.TURN_URLS,
    turnSecret: config.TURN_SECRET,
    turnTtl: config.TURN_TTL,
  });
  const limits = restLimits(config, cluster);
  const addresses = new Addresses(limits);
  const handler = iceServersHandler(servers, {
    admit: (token) => gatekeeper.relay(token),
    cors: (headers) => (originAllowed(limits, headers) ? corsHeaders(limits, headers) : null),
    addressOf: limits.addressOf,
    wait: (address) => addresses.request(address, performance.now()),
  });
  /** For the page, before its user has said a token. */
  const forPage = () => (gatekeeper.relay(null).ok ? servers.withCredentials(null) : servers.open);
  return { handler, forPage, counters: servers.counters };
}

/** What the parts of the HTTP port need beside the settings. */
interface HttpParts {
  api: JanusApi;
  gatekeeper: Gatekeeper;
  tls: TlsCertificate | null;
  wsPort: number;
  readiness: Readiness;
  cluster: Cluster | null;
  log: Log;
}

/** The page, the API over HTTP and what supervisors ask, on one port. */
export function composeHttp(config: Config, parts: HttpParts) {
  const { api, gatekeeper, tls, wsPort, readiness, cluster, log } = parts;
  const { http: fd } = heldSockets(process.env, process.pid);
  const own = { host: config.BIND, port: config.HTTP_PORT, fd };
  const listener = new HttpListener({ ...own, ...httpLimits(config) }, log, tls);
  const rest = new RestTransport({ base: '/janus', ...restLimits(config, cluster) }, api, api, log);
  const addressOf = addressesOf(config, cluster);
  listener.mount(
    '/janus',
    cluster
      ? (request, response) =>
          void cluster.router.http(request, response, addressOf(request), () => rest.handler(request, response))
      : rest.handler,
  );
  listener.mount(
    '/healthz',
    healthHandler(() => []),
  );
  listener.mount(
    '/readyz',
    healthHandler(
      () => readiness.problems(),
      () => readiness.degradations(),
    ),
  );
  const ice = composeIceServers(config, gatekeeper, cluster);
  listener.mount('/ice-servers', ice.handler);
  listener.mount('/', pageHandler({ wsPort, wsUrl: config.SIGNALLING_URL, iceServers: ice.forPage }));
  return { listener, rest, iceServers: ice.counters };
}

/** The Admin API on its two ports, with the dashboard beside it. */
export function composeAdmin(config: Config, secret: string, parts: ConstructorParameters<typeof AdminApi>[1]) {
  const { log } = parts;
  const admin = new AdminApi(secret, parts);
  const host = config.ADMIN_BIND;
  const rest = new RestTransport({ base: '/admin', ...restLimits(config, null) }, admin, null, log);
  const http = new HttpListener({ host, port: config.ADMIN_PORT, ...httpLimits(config) }, log);
  http.mount('/admin', rest.handler);
  http.mount('/', dashboardHandler());
  const own = { subprotocol: 'janus-admin-protocol', sessions: false, host, port: config.ADMIN_WS_PORT };
  return { api: admin, rest, http, ws: new WebSocketTransport({ ...own, ...webSocketLimits(config) }, admin, log) };
}

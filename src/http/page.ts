import { fileURLToPath } from 'node:url';
import type { IceServer } from './ice-servers.js';
import type { HttpHandler } from './listener.js';
import { Site } from './site.js';

/** What the page needs to know. */
export interface PageOptions {
  /** The port of the signalling WebSocket, told to the page. */
  wsPort: number;
  /** The signalling WebSocket's address, told to the page instead, where a proxy is in front. */
  wsUrl?: string | undefined;
  /** ICE servers for the page's PeerConnections; none are needed where the server is reachable. */
  iceServers?: () => readonly IceServer[];
  /** The folder of the built page; absent = `web` beside `src` below the output root. */
  folder?: string;
  /** The folder of the client's modules, which the page imports; absent = `src/client` below the output root. */
  clientFolder?: string;
}

/** Where the page finds the client's modules: as in the output folder, so that its imports hold there and here. */
const CLIENT_URL = '/src/client/';
const CONFIG_URL = '/config.json';
/** The dashboard's part of the built page: it is served beside the Admin API (`dashboard.ts`), not to everybody. */
export const DASHBOARD_URL = '/dashboard/';

/** The folder of all that browsers load, of this build. */
export function builtPage(): string {
  return fileURLToPath(new URL('../../web/', import.meta.url));
}

/**
 * Serves the built page at `/`, the client's modules at `/src/client/` and `GET /config.json`.
 *
 * @throws Error if the page isn't built
 */
export function pageHandler(options: PageOptions): HttpHandler {
  const { wsPort, wsUrl, iceServers = () => [], folder = builtPage() } = options;
  const site = new Site(securityHeaders(wsPort, wsUrl));
  site.addFolder(folder, '/', (url) => !url.startsWith(DASHBOARD_URL));
  if (!site.alias('/', '/index.html')) {
    throw new Error(`The page is not built: ${folder} has no index.html. Run "npm run build".`);
  }
  site.addFolder(options.clientFolder ?? fileURLToPath(new URL('../client/', import.meta.url)), CLIENT_URL);
  return (request, response) => {
    // Made for each request: credentials of TURN servers expire.
    if (request.url?.startsWith(CONFIG_URL)) {
      const settings = { wsPort, ...(wsUrl && { wsUrl }), iceServers: iceServers() };
      site.add(CONFIG_URL, Buffer.from(JSON.stringify(settings)), '.json');
    }
    site.handler(request, response);
  };
}

/** Scripts and styles only from here, connections only here and to the signalling port. */
function securityHeaders(wsPort: number, wsUrl: string | undefined): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${wsUrl ? new URL(wsUrl).origin : `ws://*:${wsPort} wss://*:${wsPort}`}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'Permissions-Policy': 'camera=(self), microphone=(self), display-capture=(self)',
  };
}

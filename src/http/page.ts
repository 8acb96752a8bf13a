import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** A request's headers must be there within 5 s, and all of it within 10 s: a slow one holds nothing for long. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often Node looks for requests that are over these limits. */
const CHECK_INTERVAL_MS = 1_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 512;

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** What the page server needs to know. */
export interface PageOptions {
  /** TCP port, 0 = any free one. */
  port: number;
  /** The address to listen on; absent = all. */
  host?: string | undefined;
  /** The port of the signalling WebSocket, told to the page. */
  wsPort: number;
  /** ICE servers for the page's PeerConnections; none are needed where the server is reachable. */
  iceServers?: readonly { urls: string | string[]; username?: string; credential?: string }[];
  /** The folder of the built page; absent = `web` beside `src` below the output root. */
  folder?: string;
  log: { debug(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** A running page server. */
export interface PageServer {
  /** The port it listens on. */
  port: number;
  /** Stops listening and drops open connections. */
  close(): Promise<void>;
}

interface StaticFile {
  body: Buffer;
  contentType: string;
  etag: string;
}

/**
 * Serves the built page and `GET /config.json` over HTTP.
 *
 * All files are read once, at the start, and looked up by the request's path as it is: a path that isn't in the table
 * is a 404, so no spelling of `..` leads anywhere.
 *
 * @throws Error if the page isn't built, or the port can't be had (`EADDRINUSE`, `EACCES`)
 */
export async function startPage(options: PageOptions): Promise<PageServer> {
  const folder = options.folder ?? fileURLToPath(new URL('../../web/', import.meta.url));
  const files = readFolder(folder);
  const index = files.get('/index.html');
  if (!index) throw new Error(`The page is not built: ${folder} has no index.html. Run "npm run build".`);
  files.set('/', index);
  const settings = { wsPort: options.wsPort, iceServers: options.iceServers ?? [] };
  files.set('/config.json', staticFile(Buffer.from(JSON.stringify(settings)), '.json'));
  const headers = securityHeaders(options.wsPort);

  const server = createServer(
    {
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    (request, response) => respond(files, headers, request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', (error, socket) => {
    options.log.debug({ err: error }, 'page: unreadable HTTP request');
    const late = 'code' in error && error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const status = late ? '408 Request Timeout' : '400 Bad Request';
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port, ...(options.host === undefined ? {} : { host: options.host }) }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => options.log.warn({ err: error }, 'page: server error'));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sent with every answer. Scripts and styles only from here, connections only here and to the signalling port. */
function securityHeaders(wsPort: number): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ws://*:${wsPort} wss://*:${wsPort}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': 'camera=(self), microphone=(self)',
    'Cache-Control': 'no-cache',
  };
}

function respond(
  files: ReadonlyMap<string, StaticFile>,
  headers: Record<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const head = request.method === 'HEAD';
  if (request.method !== 'GET' && !head) {
    response.setHeader('Allow', 'GET, HEAD');
    sendText(response, 405, 'Only GET and HEAD are served here.\n', head);
    return;
  }
  const file = files.get((request.url ?? '').replace(/[?#].*$/s, ''));
  if (!file) {
    sendText(response, 404, 'There is no such file here. The page is at /.\n', head);
    return;
  }
  response.setHeader('ETag', file.etag);
  if (request.headers['if-none-match'] === file.etag) {
    response.writeHead(304).end();
    return;
  }
  response.writeHead(200, { 'Content-Type': file.contentType, 'Content-Length': file.body.length });
  response.end(head ? undefined : file.body);
}

function sendText(response: ServerResponse, status: number, text: string, head: boolean): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(head ? undefined : text);
}

function readFolder(folder: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  let entries: Dirent[] = [];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new Error(`The page is not built: ${folder} can't be read. Run "npm run build".`, { cause: error });
  }
  for (const entry of entries) {
    const extension = path.extname(entry.name);
    if (!entry.isFile() || !(extension in CONTENT_TYPES)) continue;
    const file = path.join(entry.parentPath, entry.name);
    const url = `/${path.relative(folder, file).split(path.sep).join('/')}`;
    files.set(url, staticFile(readFileSync(file), extension));
  }
  return files;
}

function staticFile(body: Buffer, extension: string): StaticFile {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { body, contentType: CONTENT_TYPES[extension] ?? 'application/octet-stream', etag };
}

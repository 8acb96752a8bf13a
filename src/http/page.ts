import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HttpHandler } from './listener.js';

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** What the page needs to know. */
export interface PageOptions {
  /** The port of the signalling WebSocket, told to the page. */
  wsPort: number;
  /** ICE servers for the page's PeerConnections; none are needed where the server is reachable. */
  iceServers?: readonly { urls: string | string[]; username?: string; credential?: string }[];
  /** The folder of the built page; absent = `web` beside `src` below the output root. */
  folder?: string;
  /** The folder of the client's modules, which the page imports; absent = `src/client` below the output root. */
  clientFolder?: string;
}

interface StaticFile {
  body: Buffer;
  contentType: string;
  etag: string;
}

/** Where the page finds the client's modules: as in the output folder, so that its imports hold there and here. */
const CLIENT_URL = '/src/client/';

/**
 * Serves the built page at `/`, the client's modules at `/src/client/` and `GET /config.json`.
 *
 * All files are read once, at the start, and looked up by the request's path as it is: a path that isn't in the table
 * is a 404, so no spelling of `..` leads anywhere.
 *
 * @throws Error if the page isn't built
 */
export function pageHandler(options: PageOptions): HttpHandler {
  const folder = options.folder ?? fileURLToPath(new URL('../../web/', import.meta.url));
  const clientFolder = options.clientFolder ?? fileURLToPath(new URL('../client/', import.meta.url));
  const files = readFolder(folder, '/');
  if (!files) throw new Error(`The page is not built: ${folder} can't be read. Run "npm run build".`);
  const index = files.get('/index.html');
  if (!index) throw new Error(`The page is not built: ${folder} has no index.html. Run "npm run build".`);
  files.set('/', index);
  for (const [url, file] of readFolder(clientFolder, CLIENT_URL) ?? []) files.set(url, file);
  const settings = { wsPort: options.wsPort, iceServers: options.iceServers ?? [] };
  files.set('/config.json', staticFile(Buffer.from(JSON.stringify(settings)), '.json'));
  const headers = securityHeaders(options.wsPort);
  return (request, response) => respond(files, headers, request, response);
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
  const file = files.get((request.url ?? '').replace(/[?#].*$/s, ''));
  if (!file) {
    sendText(response, 404, 'There is no such file here. The page is at /.\n', head);
    return;
  }
  if (request.method !== 'GET' && !head) {
    response.setHeader('Allow', 'GET, HEAD');
    sendText(response, 405, 'Only GET and HEAD are served here.\n', head);
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

/** The files below a folder by their URL; null if it can't be read. */
function readFolder(folder: string, below: string): Map<string, StaticFile> | null {
  const files = new Map<string, StaticFile>();
  let entries: Dirent[] = [];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return null;
  }
  for (const entry of entries) {
    const extension = path.extname(entry.name);
    if (!entry.isFile() || !(extension in CONTENT_TYPES)) continue;
    const file = path.join(entry.parentPath, entry.name);
    const url = below + path.relative(folder, file).split(path.sep).join('/');
    files.set(url, staticFile(readFileSync(file), extension));
  }
  return files;
}

function staticFile(body: Buffer, extension: string): StaticFile {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { body, contentType: CONTENT_TYPES[extension] ?? 'application/octet-stream', etag };
}

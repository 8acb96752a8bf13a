import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
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
/** Packed already, or only for who debugs. */
const LEFT_AS_THEY_ARE = ['.png', '.map'];
/** Bytes below which packing gains nothing: such a file is one packet anyhow. */
const PACK_FROM = 1000;
/** Of 0..11; the last two take ten times as long for a twentieth less. */
const BROTLI_QUALITY = 9;

/** `identity` is the file as it is. */
type Encoding = 'br' | 'gzip' | 'identity';

interface StaticFile {
  contentType: string;
  /** A fingerprint of what is in the file. */
  tag: string;
  /** Packed when first asked for: at the start of a server that crashed, its clients wait for other things. */
  bodies: () => ReadonlyMap<Encoding, Buffer>;
}

/**
 * Files that are read once, when the server starts, packed once, when first asked for, and looked up by the request's path as it is: a path that
 * isn't in the table is a 404, so no spelling of `..` leads anywhere.
 */
export class Site {
  readonly #files = new Map<string, StaticFile>();
  readonly #headers: Record<string, string>;

  /** @param headers sent with every answer, errors too */
  constructor(headers: Record<string, string>) {
    this.#headers = { ...headers, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };
  }

  /**
   * Adds the files of a folder whose kind is known, each at its path in the folder below `url`.
   *
   * @param kept which of them, by URL; absent = all
   * @returns false if the folder can't be read
   */
  addFolder(folder: string, url: string, kept: (url: string) => boolean = () => true): boolean {
    let entries: Dirent[] = [];
    try {
      entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    } catch {
      return false;
    }
    for (const entry of entries) {
      const extension = path.extname(entry.name);
      const file = path.join(entry.parentPath, entry.name);
      const at = url + path.relative(folder, file).split(path.sep).join('/');
      if (entry.isFile() && extension in CONTENT_TYPES && kept(at)) this.add(at, readFileSync(file), extension);
    }
    return true;
  }

  /** @param extension says the kind, such as `.json` */
  add(url: string, body: Buffer, extension: string): void {
    const tag = createHash('sha256').update(body).digest('base64url').slice(0, 22);
    const contentType = CONTENT_TYPES[extension] ?? 'application/octet-stream';
    let bodies: ReadonlyMap<Encoding, Buffer> | null = null;
    this.#files.set(url, {
      contentType,
      tag,
      bodies: () => {
        bodies ??= packed(body, extension);
        return bodies;
      },
    });
  }

  /** Serves at `url` what is at another one. @returns false if there is nothing */
  alias(url: string, target: string): boolean {
    const file = this.#files.get(target);
    if (file) this.#files.set(url, file);
    return file !== undefined;
  }

  readonly handler: HttpHandler = (request, response) => {
    for (const [name, value] of Object.entries(this.#headers)) response.setHeader(name, value);
    const file = this.#files.get((request.url ?? '').replace(/[?#].*$/s, ''));
    if (file) respond(file, request, response);
    else sendText(response, 404, 'There is no such file here.\n', request.method === 'HEAD');
  };
}

function respond(file: StaticFile, request: IncomingMessage, response: ServerResponse): void {
  const head = request.method === 'HEAD';
  if (request.method !== 'GET' && !head) {
    response.setHeader('Allow', 'GET, HEAD');
    sendText(response, 405, 'Only GET and HEAD are served here.\n', head);
    return;
  }
  const bodies = file.bodies();
  const encoding = chooseEncoding(request.headers['accept-encoding'], bodies);
  const body = bodies.get(encoding) ?? Buffer.alloc(0);
  const etag = `"${file.tag}${encoding === 'identity' ? '' : `-${encoding}`}"`;
  // Asked for again each time, and answered with 304: a page and its modules are always of one version.
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('ETag', etag);
  if (bodies.size > 1) response.setHeader('Vary', 'Accept-Encoding');
  if (matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304).end();
    return;
  }
  if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
  response.writeHead(200, { 'Content-Type': file.contentType, 'Content-Length': body.length });
  response.end(head ? undefined : body);
}

/** The smallest of what the client takes (RFC 9110 12.5.3); who says nothing gets the file as it is. */
export function chooseEncoding(
  accepted: string | undefined,
  available: { has(encoding: Encoding): boolean },
): Encoding {
  const weights = new Map(
    (accepted ?? '').split(',').map((item) => {
      const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((one) => one.startsWith('q='))?.slice(2);
      return [name, weight === undefined ? 1 : Number(weight)] as const;
    }),
  );
  const taken = (encoding: Encoding) => (weights.get(encoding) ?? weights.get('*') ?? 0) > 0;
  for (const encoding of ['br', 'gzip'] as const) if (available.has(encoding) && taken(encoding)) return encoding;
  return 'identity';
}

/** RFC 9110 13.1.2: weakly, as proxies that pack by themselves weaken the tag. */
function matches(condition: string | undefined, etag: string): boolean {
  if (condition === undefined) return false;
  return condition.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}

function packed(body: Buffer, extension: string): Map<Encoding, Buffer> {
  const bodies = new Map<Encoding, Buffer>([['identity', body]]);
  if (body.length < PACK_FROM || LEFT_AS_THEY_ARE.includes(extension)) return bodies;
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: body.length };
  for (const [encoding, smaller] of [
    ['br', brotliCompressSync(body, { params })],
    ['gzip', gzipSync(body, { level: 9 })],
  ] as const) {
    if (smaller.length < body.length) bodies.set(encoding, smaller);
  }
  return bodies;
}

function sendText(response: ServerResponse, status: number, text: string, head: boolean): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-cache',
  });
  response.end(head ? undefined : text);
}

import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../observability/log.js';
import type { TlsCertificate } from './tls.js';
import { createWebServer, listenAt } from './web-server.js';

/** Answers the requests below one path. It must end every response, now or later, and never throw. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpListenerSettings {
  /** The address to listen on; absent = all. */
  host: string | undefined;
  /** TCP port; 0 = any free one. */
  port: number;
  /** A listening socket to use instead of making one. */
  fd?: number | null;
  /** Connections at once; the requests of those beyond are answered with 503. */
  connectionsMax: number;
  /** Milliseconds for which a connection may stand still; longer than any handler takes to answer. */
  stillTimeout: number;
  /** Milliseconds until a request's headers must be there; 10 s unless told. */
  headersTimeout?: number;
  /** Milliseconds until a whole request must be there; 30 s unless told. */
  requestTimeout?: number;
  /** Bytes of a request's headers; 16 KiB unless told. */
  headerBytesMax?: number;
}

/** Times something was refused, since the start. */
export interface HttpListenerCounters {
  /** Requests of connections beyond the limit, answered with 503. */
  connectionsRefused: number;
  /** Connections that were cut at once: twice the limit were open. */
  connectionsCut: number;
  /** What is no HTTP, or too large a header: answered with 4xx. */
  requestsUnreadable: number;
  /** TLS handshakes that failed: no TLS, or a version that is too old. */
  handshakesFailed: number;
  /** Headers or bodies that took too long: answered with 408. */
  requestsSlow: number;
  /** Connections that sent more requests without waiting for the answers than a client does. */
  pipelinesCut: number;
}

/** A slow request holds nothing for long (W6 of the threats); an answer may take as long as it likes. */
const DEFAULTS = { headersTimeout: 10_000, requestTimeout: 30_000, headerBytesMax: 16 * 1024 };
const CHECKING_INTERVAL = 2_000;
/** Milliseconds for which a connection is kept for its client's next request. */
const KEEP_ALIVE_TIMEOUT = 10_000;
/** Milliseconds for a connection beyond the limit to send the request that is answered with 503. */
const REFUSAL_TIMEOUT = 2_000;
/** Requests of one connection that wait for their answers; browsers wait for each. */
const PIPELINE_MAX = 16;
/** The part of a proxy's request target that is not the path (RFC 9112 3.2.2: to be taken by every server). */
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;
/** Milliseconds for connections to end by themselves when the server does. */
const GOODBYE_LIMIT = 1_000;
/** Seconds after which a client may try again when the server is full. */
const RETRY_AFTER = '5';

/** What the parser reports, by the status that tells the client. Everything else is a 400. */
const STATUS_OF_ERROR: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
};

/** One port that speaks HTTP/1.1, inside TLS or not, and the handlers of what is below it, by path. */
export class HttpListener {
  readonly counters: HttpListenerCounters = {
    connectionsRefused: 0,
    connectionsCut: 0,
    requestsUnreadable: 0,
    handshakesFailed: 0,
    requestsSlow: 0,
    pipelinesCut: 0,
  };
  readonly #settings: HttpListenerSettings;
  readonly #log: Log;
  readonly #server: Server;
  /** Longest path first. */
  #handlers: { path: string; handler: HttpHandler }[] = [];
  /** Open connections, with the responses that each still waits for. */
  readonly #pending = new Map<Duplex, number>();
  readonly #refused = new WeakSet<Duplex>();
  /** All sockets, those in a TLS handshake too. */
  readonly #sockets = new Set<Socket>();
  #closing = false;
  /** Resolves when the last connection has ended. */
  #ended: Promise<void> = Promise.resolve();

  /** @param tls null = without TLS */
  constructor(settings: HttpListenerSettings, log: Log, tls: TlsCertificate | null = null) {
    this.#settings = settings;
    this.#log = log;
    const { headersTimeout, requestTimeout, headerBytesMax } = { ...DEFAULTS, ...settings };
    this.#server = createWebServer(
      {
        connectionsCheckingInterval: Math.min(CHECKING_INTERVAL, headersTimeout / 2),
        headersTimeout,
        requestTimeout,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
        maxHeaderSize: headerBytesMax,
        keepAlive: true,
      },
      tls,
      (request, response) => this.#respond(request, response),
    );
    this.#server.timeout = settings.stillTimeout;
    this.#server.maxConnections = 2 * settings.connectionsMax;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => this.#connected(socket));
    this.#server.on('drop', () => {
      this.counters.connectionsCut += 1;
    });
    this.#server.on('clientError', (error, socket) => this.#unreadable(error, socket));
  }

  /** Connections at the moment. */
  get connections(): number {
    return this.#pending.size;
  }

  /** @param path `/` = whatever no other handler is for; otherwise without a slash at the end */
  mount(path: string, handler: HttpHandler): void {
    this.#handlers = [...this.#handlers, { path, handler }].sort((a, b) => b.path.length - a.path.length);
  }

  /** @returns the port that it listens on; rejects if that can't be had (`EADDRINUSE`, `EACCES`) */
  async listen(): Promise<number> {
    await listenAt(this.#server, this.#settings);
    this.#server.on('error', (error) => this.#log('error', 'the HTTP listener failed', { error: error.message }));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no new connections from now on; those that are open end with their next answer. */
  stopAccepting(): void {
    this.#closing = true;
    if (!this.#server.listening) return;
    // From now on: it may be over before the last socket has said so.
    this.#ended = new Promise<void>((resolve) => this.#server.once('close', resolve));
    this.#server.close();
  }

  /** Ends all connections, after the answers that are being written. */
  async close(): Promise<void> {
    this.stopAccepting();
    if (this.#sockets.size > 0) {
      const timer = setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy();
      }, GOODBYE_LIMIT);
      this.#server.closeIdleConnections();
      await this.#ended;
      clearTimeout(timer);
    }
  }

  #connected(socket: Socket): void {
    this.#pending.set(socket, 0);
    socket.on('close', () => this.#pending.delete(socket));
    if (this.#pending.size <= this.#settings.connectionsMax) return;
    this.#server.closeIdleConnections();
    this.#refused.add(socket);
    const timer = setTimeout(() => socket.destroy(), REFUSAL_TIMEOUT);
    socket.on('close', () => clearTimeout(timer));
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (socket.destroyed) return;
    request.url = request.url?.replace(ABSOLUTE_FORM, '') || '/';
    const pending = this.#pending.get(socket) ?? 0;
    if (pending >= PIPELINE_MAX) {
      this.counters.pipelinesCut += 1;
      socket.destroy();
      return;
    }
    this.#pending.set(socket, pending + 1);
    response.on('close', () => {
      const left = (this.#pending.get(socket) ?? 0) - 1;
      if (this.#pending.has(socket)) this.#pending.set(socket, left);
      if (this.#closing && left <= 0) socket.end();
    });
    response.on('error', () => socket.destroy());
    if (this.#closing) response.setHeader('Connection', 'close');
    if (this.#refused.has(socket)) {
      this.counters.connectionsRefused += 1;
      const text = 'The server has as many connections as it takes. Please try again in a while.\n';
      response.writeHead(503, { Connection: 'close', 'Retry-After': RETRY_AFTER, 'Content-Type': 'text/plain' });
      response.end(request.method === 'HEAD' ? undefined : text);
      return;
    }
    this.#handlerOf(request.url ?? '')(request, response);
  }

  #handlerOf(url: string): HttpHandler {
    const path = url.replace(/[?#].*$/s, '');
    const found = this.#handlers.find(
      (one) => one.path === '/' || path === one.path || path.startsWith(`${one.path}/`),
    );
    return found?.handler ?? notFound;
  }

  #unreadable(error: Error, socket: Duplex): void {
    const code = 'code' in error ? String(error.code) : '';
    if (!this.#pending.has(socket)) {
      this.counters.handshakesFailed += 1;
      this.#log('debug', 'TLS handshake failed', { code });
      socket.destroy();
      return;
    }
    const status = STATUS_OF_ERROR[code] ?? 400;
    this.counters[status === 408 ? 'requestsSlow' : 'requestsUnreadable'] += 1;
    this.#log('debug', 'unreadable HTTP request', { code });
    // Where an answer is still due, the client would take this one for it.
    if (!socket.writable || code === 'ECONNRESET' || (this.#pending.get(socket) ?? 0) > 0) {
      socket.destroy();
      return;
    }
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }
}

function notFound(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(404, { 'Content-Length': 0 }).end();
}

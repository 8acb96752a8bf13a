import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { isLoopback, peerAddress } from '../../http/client-address.js';
import type { TlsCertificate } from '../../http/tls.js';
import { createWebServer, listenAt } from '../../http/web-server.js';
import type { Log } from '../../observability/log.js';
import type { Connection, Service } from '../connection.js';
import { allowedOrigin, originAllowed } from './cors.js';
import { Outbox } from './outbox.js';
import { TokenBucket } from './token-bucket.js';
import { WebSocketAddresses } from './websocket-addresses.js';
import { counterOfError, newWebSocketCounters, type WebSocketCounters } from './websocket-counters.js';
import { answer, roomOf, routed } from './websocket-router.js';
import type { WebSocketSettings } from './websocket-settings.js';

/** Milliseconds between two looks at the clients. After half as many more the process was stopped, or very busy. */
const WATCH_INTERVAL = 1000;
/** Milliseconds for clients to answer the close of a server that ends. */
const GOODBYE_LIMIT = 1000;
/** Milliseconds between two looks for handshakes that take too long, at most. */
const CHECKING_INTERVAL = 2_000;

/** Close codes (RFC 6455 7.4.1). Never 1000: naf-janus-adapter takes that for "don't come back". */
const CLOSE = { POLICY: 1008, SERVICE_RESTART: 1012 } as const;

/** One client's WebSocket. */
class Client implements Connection {
  readonly transport = 'janus.transport.websockets';
  readonly id: number;
  readonly address: string;
  readonly loopback: boolean;
  readonly room: string | null;
  visitor: NonNullable<Connection['visitor']> | null = null;
  /** Messages that were read from the socket and wait for the rate limit. */
  readonly inbox: RawData[] = [];
  readonly bucket: TokenBucket;
  /** Of all connections of its address. */
  readonly addressBucket: TokenBucket;
  readonly #socket: WebSocket;
  readonly #hold: (canWait: boolean) => void;
  readonly #backlogMax: number;
  readonly #counters: WebSocketCounters;
  lastRequest: number;
  hadSession = false;
  resume: NodeJS.Timeout | null = null;
  /** When the ping that is not answered yet was sent; null = none is out. */
  pingedAt: number | null = null;
  lastHeard: number;

  constructor(
    socket: WebSocket,
    hold: (canWait: boolean) => void,
    id: number,
    address: string,
    room: string | null,
    settings: WebSocketSettings,
    counters: WebSocketCounters,
    addressBucket: TokenBucket,
    now: number,
  ) {
    this.#socket = socket;
    this.#hold = hold;
    this.id = id;
    this.address = address;
    this.loopback = isLoopback(address);
    this.room = room;
    this.#backlogMax = settings.backlogBytesMax;
    this.#counters = counters;
    this.bucket = new TokenBucket(settings.requestRate, settings.requestBurst, now);
    this.addressBucket = addressBucket;
    this.lastRequest = now;
    this.lastHeard = now;
  }

  get closing(): boolean {
    return this.#socket.readyState !== WebSocket.OPEN;
  }

  send(message: object): void {
    if (this.closing) return;
    // Nobody acts on an `ack`: what it announces follows mostly at once, and one system call does for both.
    this.#hold('janus' in message && message.janus === 'ack');
    this.#socket.send(JSON.stringify(message));
    // A client that doesn't read must not fill the memory; the others never wait for it.
    if (this.#socket.bufferedAmount <= this.#backlogMax) return;
    this.#counters.closedBacklog += 1;
    this.#socket.terminate();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  reconnect(reason: string): void {
    this.close(CLOSE.SERVICE_RESTART, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  ping(now: number): void {
    this.pingedAt = now;
    this.#socket.ping();
  }

  pause(): void {
    this.#socket.pause();
  }

  unpause(): void {
    this.#socket.resume();
  }
}

/** The Janus API, or the Admin API, over WebSockets (janus-api.md 5): any path, one subprotocol. */
export class WebSocketTransport {
  readonly counters = newWebSocketCounters();
  readonly #settings: WebSocketSettings;
  readonly #service: Service;
  readonly #log: Log;
  readonly #http: Server;
  readonly #upgrader: WebSocketServer;
  readonly #clients = new Set<Client>();
  readonly #outbox = new Outbox();
  #onLastGone: (() => void) | null = null;
  readonly #addresses: WebSocketAddresses;
  /** `ignoreBOM` keeps the mark where it is: JSON does not begin with one (RFC 8259 8.1). */
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #lastId = 0;
  #watch: NodeJS.Timeout | null = null;
  #watchedAt = Number.NEGATIVE_INFINITY;
  #closing = false;
  /** Why handshakes are refused with 503, to be tried elsewhere or later; null = they are not. */
  refusal: string | null = null;

  /** @param tls null = without TLS */
  constructor(settings: WebSocketSettings, service: Service, log: Log, tls: TlsCertificate | null = null) {
    this.#settings = settings;
    this.#service = service;
    this.#log = log;
    this.#addresses = new WebSocketAddresses(settings);
    const { headersTimeout, requestTimeout, headerBytesMax } = settings;
    const limits = {
      connectionsCheckingInterval: Math.min(CHECKING_INTERVAL, headersTimeout / 2),
      headersTimeout,
      requestTimeout,
      maxHeaderSize: headerBytesMax,
    };
    this.#http = createWebServer(limits, tls, (_request, response) => {
      response.writeHead(403, { Connection: 'close', 'Content-Type': 'text/plain' });
      response.end(`This port speaks WebSocket with the subprotocol ${settings.subprotocol}.\n`);
    });
    this.#http.on('upgrade', (request, socket, head) => this.accept(request, socket, head));
    this.#http.maxConnections = settings.connectionsMax;
    this.#http.on('drop', () => {
      this.counters.refusedLimit += 1;
    });
    this.#http.on('clientError', (error, socket) => this.#unreadable(error, socket));
    this.#upgrader = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: settings.messageBytesMax,
      maxFragments: settings.fragmentsMax,
      handleProtocols: () => settings.subprotocol,
    });
    this.#upgrader.on('headers', (lines, request) => {
      if (settings.cors) lines.push(`Access-Control-Allow-Origin: ${allowedOrigin(settings.cors)}`);
      lines.push(...(settings.router?.headersOf(request) ?? []));
    });
    this.#upgrader.on('wsClientError', (_error, socket) => {
      this.counters.refusedHandshake += 1;
      answer(socket, 400, 'This is not a WebSocket handshake.');
    });
  }

  /** Clients at the moment. */
  get connections(): number {
    return this.#clients.size;
  }

  /** @returns the port that it listens on; rejects if that can't be had */
  async listen(): Promise<number> {
    await listenAt(this.#http, this.#settings);
    this.#http.on('error', (error) => this.#log('error', 'the WebSocket listener failed', { error: error.message }));
    this.#watch = setInterval(() => this.#watchClients(), WATCH_INTERVAL);
    return (this.#http.address() as AddressInfo).port;
  }

  /** Takes no new connections from now on. */
  stopAccepting(): void {
    this.#closing = true;
    this.#http.close();
  }

  /** Closes all connections with 1012, "service restart". Resolves when they are closed, or after a second. */
  async close(): Promise<void> {
    this.stopAccepting();
    if (this.#watch) clearInterval(this.#watch);
    for (const client of this.#clients) client.close(CLOSE.SERVICE_RESTART, 'the server is restarting');
    await this.#allGone(GOODBYE_LIMIT);
    for (const client of this.#clients) client.terminate();
    this.#http.closeAllConnections();
  }

  /** Takes or refuses a handshake: of this port, or of a client that another node brings. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { subprotocol, router, cors, addressOf = peerAddress } = this.#settings;
    const address = addressOf(request);
    socket.on('error', () => socket.destroy());
    const refuse = (status: number, text: string) => answer(socket, status, text, router?.headersOf(request));
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
    if (this.#closing) {
      this.counters.refusedUnavailable += 1;
      refuse(503, 'The server is shutting down.');
    } else if (this.refusal !== null) {
      this.counters.refusedUnavailable += 1;
      refuse(503, this.refusal);
    } else if (!offered.includes(subprotocol)) {
      this.counters.refusedHandshake += 1;
      refuse(400, `The WebSocket subprotocol ${subprotocol} is needed.`);
    } else if (cors && !originAllowed(cors, request.headers)) {
      // Browsers ask nobody before they connect a page: what is not refused here is open to every page of the world.
      this.counters.refusedHandshake += 1;
      refuse(403, 'Pages of this origin may not use this server.');
    } else if (!this.#addresses.mayConnect(address)) {
      this.counters.refusedAddress += 1;
      this.#log('warn', 'too many connections from one address', { address });
      refuse(503, 'Too many connections from this address.');
    } else if (router) {
      const take = () => this.#take(request, socket, head, address);
      void routed(router, { request, socket, head, address, room: roomOf(request) }, this.#addresses, take);
    } else {
      this.#take(request, socket, head, address);
    }
  }

  #take(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void {
    this.#upgrader.handleUpgrade(request, socket, head, (one) => this.#connected(one, socket, address, request));
  }

  /** What is no HTTP, or took too long; Node's own answer would be the same. */
  #unreadable(error: Error, socket: Duplex): void {
    const code = 'code' in error ? String(error.code) : '';
    if (!socket.writable || code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const slow = code === 'ERR_HTTP_REQUEST_TIMEOUT';
    this.counters[slow ? 'handshakesSlow' : 'refusedHandshake'] += 1;
    answer(socket, slow ? 408 : code === 'HPE_HEADER_OVERFLOW' ? 431 : 400, 'This is not a WebSocket handshake.');
  }

  #connected(socket: WebSocket, stream: Duplex, address: string, request: IncomingMessage): void {
    this.#lastId += 1;
    const [room, now] = [roomOf(request), performance.now()];
    const shared = this.#addresses.connected(address, now);
    const facts = [this.#lastId, address, room, this.#settings, this.counters, shared, now] as const;
    const client = new Client(socket, (canWait) => this.#outbox.hold(stream, canWait), ...facts);
    client.visitor = this.#settings.router?.visitorOf(request) ?? null;
    this.counters.opened += 1;
    this.#clients.add(client);
    this.#log('debug', 'connected', { connection: client.id, address });
    socket.on('message', (data) => {
      client.lastHeard = performance.now();
      client.inbox.push(data);
      if (client.resume === null) this.#serve(client);
    });
    for (const sign of ['ping', 'pong'] as const) {
      socket.on(sign, () => {
        client.lastHeard = performance.now();
      });
    }
    socket.on('error', (error) => {
      const counter = counterOfError(error);
      if (counter) this.counters[counter] += 1;
      this.#log('info', 'connection failed', { connection: client.id, address, error: error.message });
    });
    socket.on('close', (code) => this.#disconnected(client, code));
  }

  /** Resolves when the last client has gone, or after the time limit. */
  async #allGone(milliseconds: number): Promise<void> {
    if (this.#clients.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#onLastGone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #disconnected(client: Client, code: number): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#onLastGone?.();
    if (client.resume) clearTimeout(client.resume);
    client.inbox.length = 0;
    this.#addresses.disconnected(client.address, performance.now());
    this.#log('debug', 'disconnected', { connection: client.id, code });
    this.#service.disconnect(client);
  }

  /** Serves what has come, as fast as the client may send; the rest stays in its socket, and its sender waits. */
  #serve(client: Client): void {
    for (let next = client.inbox.shift(); next; next = client.inbox.shift()) {
      const now = performance.now();
      client.lastRequest = now;
      const wait = this.#charge(client, this.#service.receive(client, this.#decode(next)), now);
      if (wait === 0) continue;
      client.pause();
      client.resume = setTimeout(() => {
        client.resume = null;
        client.unpause();
        this.#serve(client);
      }, wait);
      return;
    }
  }

  /** Counts requests against what the connection and its address may send. Returns the milliseconds until the next one. */
  #charge({ bucket, addressBucket }: Client, requests: number, now: number): number {
    bucket.take(requests, now);
    addressBucket.take(requests, now);
    const own = bucket.wait(now);
    const shared = addressBucket.wait(now);
    if (own > 0) this.counters.rateLimitWaits += 1;
    if (shared > 0) this.counters.addressRateLimitWaits += 1;
    return Math.max(own, shared);
  }

  /** A binary message is taken like text. Text was checked by ws; binary that is no UTF-8 is no JSON either. */
  #decode(data: RawData): string {
    try {
      return this.#utf8.decode(Array.isArray(data) ? Buffer.concat(data) : data);
    } catch {
      return '';
    }
  }

  /** Every second: drops who doesn't answer, and strangers who ask for nothing. */
  #watchClients(): void {
    const now = performance.now();
    const stalled = now - this.#watchedAt > 1.5 * WATCH_INTERVAL;
    this.#watchedAt = now;
    // What clients sent meanwhile waits in their sockets: it is read before the next look.
    if (stalled) return;
    const { sessions, idleTimeout, pingInterval, pongTimeout } = this.#settings;
    this.#addresses.sweep(now);
    for (const client of this.#clients) {
      client.hadSession ||= this.#service.hasSession(client);
      if (client.pingedAt !== null && client.lastHeard > client.pingedAt) client.pingedAt = null;
      if (client.pingedAt !== null && now - client.pingedAt >= pongTimeout) {
        this.counters.closedDead += 1;
        this.#log('info', 'connection is dead', { connection: client.id, address: client.address });
        client.terminate();
      } else if (sessions && !client.hadSession && idleTimeout > 0 && now - client.lastRequest >= idleTimeout) {
        this.counters.closedIdle += 1;
        client.close(CLOSE.POLICY, 'no session was created');
      } else if (pingInterval > 0 && client.pingedAt === null && now - client.lastHeard >= pingInterval) {
        client.ping(now);
      }
    }
  }
}

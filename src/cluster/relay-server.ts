import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../observability/log.js';
import type { Complaints } from './complaints.js';
import { MISDIRECTED, type NodeTls, RELAY_HEADER, type RelayedClient } from './relay.js';
import type { SealFault, Seals } from './seal.js';

export interface RelayServerSettings {
  host: string | undefined;
  /** 0 = any free one. */
  port: number;
  /** Most connections at once. */
  connectionsMax: number;
  self: string;
  seals: Seals;
  tls: NodeTls | null;
  log: Log;
  complaints: Complaints;
}

/** What takes the clients that other nodes bring. */
export interface RelayTarget {
  webSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  http(request: IncomingMessage, response: ServerResponse): void;
}

const HEADERS_TIMEOUT = 10_000;
const HEADER_BYTES_MAX = 32 * 1024;

/** The private port on which other nodes bring clients: whoever does not know the secret is refused, unread. */
export class RelayServer {
  readonly #settings: RelayServerSettings;
  readonly #server: Server;
  /** What came by another node. */
  readonly #clients = new WeakMap<IncomingMessage, RelayedClient>();
  /** Requests without a seal that opens, and connections without a certificate that is taken. */
  refused = 0;
  /** Connections beyond the most. */
  dropped = 0;
  target: RelayTarget | null = null;
  /** Whether this node ends: WebSockets that are brought now belong to another one, as their rooms do. */
  ending = false;

  constructor(settings: RelayServerSettings) {
    this.#settings = settings;
    const { tls } = settings;
    const options = { headersTimeout: HEADERS_TIMEOUT, maxHeaderSize: HEADER_BYTES_MAX };
    this.#server = tls
      ? createSecureServer({ ...options, ...tls, requestCert: true, rejectUnauthorized: true })
      : createServer(options);
    this.#server.maxConnections = settings.connectionsMax;
    this.#server.on('drop', () => {
      this.dropped += 1;
    });
    this.#server.on('tlsClientError', (error, socket) => this.#noCertificate(error, socket));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('request', (request, response) => this.#request(request, response));
  }

  /** @returns the port that it listens on; rejects if that can't be had */
  async listen(): Promise<number> {
    const { host, port, log } = this.#settings;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#server.on('error', (error) => log('error', 'the cluster port failed', { error: error.message }));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whose a request is that another node brought; null for one that came by itself. */
  addressOf(request: IncomingMessage): string | null {
    return this.#clients.get(request)?.address ?? null;
  }

  /** The header line by which the answer shows that this node knows the secret; null for what came by itself. */
  proofOf(request: IncomingMessage): string | null {
    const client = this.#clients.get(request);
    return client ? `${RELAY_HEADER}: ${this.#proof(client)}` : null;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The client that is brought, or the status to refuse with. */
  #open(request: IncomingMessage): RelayedClient | 403 | typeof MISDIRECTED {
    const { seals, self } = this.#settings;
    const sealed = request.headers[RELAY_HEADER];
    const read = seals.read('relay', typeof sealed === 'string' ? sealed : '');
    if (!read.ok) return this.#refuse(request, read.fault);
    const client = JSON.parse(read.text) as RelayedClient;
    if (client.method !== request.method || client.url !== request.url)
      return this.#refuse(request, 'of another request');
    return client.to === self && this.target ? client : MISDIRECTED;
  }

  #refuse({ socket: { remoteAddress = '' } }: IncomingMessage, fault: SealFault | 'of another request'): 403 {
    this.refused += 1;
    const about = { address: remoteAddress, fault };
    const words = 'refused on the cluster port: no proof of CLUSTER_SECRET';
    this.#settings.complaints.write('warn', words, `${remoteAddress} ${fault}`, about);
    return 403;
  }

  #noCertificate(error: Error, socket: TLSSocket): void {
    this.refused += 1;
    const { remoteAddress = '' } = socket;
    // Node looks at a certificate after the handshake, and then ends the connection: what was wrong is with the socket.
    const fault = String(socket.authorizationError ?? ('code' in error ? error.code : error.message));
    const words = 'refused on the cluster port: no certificate that CLUSTER_TLS_CA has signed';
    this.#settings.complaints.write('warn', words, `${remoteAddress} ${fault}`, { address: remoteAddress, fault });
  }

  #proof({ from }: RelayedClient): string {
    const { seals, self } = this.#settings;
    return seals.seal('relay-answer', `${from} ${self}`);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const opened = this.#open(request);
    const client = this.ending && typeof opened !== 'number' ? MISDIRECTED : opened;
    if (typeof client === 'number') {
      socket.end(`HTTP/1.1 ${client} ${STATUS_CODES[client]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#clients.set(request, client);
    this.target?.webSocket(request, socket, head);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const client = this.#open(request);
    if (typeof client === 'number') {
      response.writeHead(client, { Connection: 'close' }).end();
      return;
    }
    this.#clients.set(request, client);
    response.setHeader(RELAY_HEADER, this.#proof(client));
    this.target?.http(request, response);
  }
}

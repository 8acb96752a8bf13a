import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { NodeRecord } from './node-choice.js';
import type { Seals } from './seal.js';

/** The header by which one node tells another whose request it passes on, and proves that it is one. */
export const RELAY_HEADER = 'x-janus-sfu-relay';

/** What is sealed in it. */
export interface RelayedClient {
  /** Node ids: a request that was meant for another one is refused. */
  from: string;
  to: string;
  /** The client's address. */
  address: string;
  method: string;
  url: string;
}

/** Certificates for the way between nodes (PEM). */
export interface NodeTls {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

export type RelayOutcome =
  /** The client talks with the other node now. */
  | 'relayed'
  /** Nobody listens there, or it is another node by now: nothing was sent to the client. */
  | 'unreachable'
  /** Something else answered, or one that doesn't know the secret: nothing was sent to the client. */
  | 'unproven'
  /** The other node answered the handshake with a refusal, which the client has got. */
  | 'refused';

/** Milliseconds for the other node to answer a handshake. */
const ANSWER_LIMIT = 4_000;
/** Milliseconds for a socket to send its last words. */
const GOODBYE_LIMIT = 2_000;
/** How a node says that a request was meant for another one. */
export const MISDIRECTED = 421;
/** Headers that are about one connection (RFC 9110 7.6.1), and what no client may say of itself. */
const OF_ONE_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'proxy-connection']);

function passedOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(
    (one): one is [string, string | string[]] =>
      one[1] !== undefined && !OF_ONE_HOP.has(one[0]) && one[0] !== 'upgrade' && one[0] !== RELAY_HEADER,
  );
  return Object.fromEntries(kept);
}

export interface RelayParts {
  self: string;
  seals: Seals;
  tls: NodeTls | null;
}

/** Brings clients' connections to the node that they belong to. */
export class Relay {
  readonly #parts: RelayParts;
  /** The ends of the WebSockets that go through this node at the moment. */
  readonly #ends = new Set<() => void>();
  readonly counters = { relayed: 0, requestsRelayed: 0, unreachable: 0, unproven: 0, refused: 0 };

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** WebSockets that go through this node at the moment. */
  get connections(): number {
    return this.#ends.size;
  }

  /** Ends all of them: their clients come back by another node. */
  close(): void {
    for (const end of [...this.#ends]) end();
  }

  /**
   * Passes a handshake on, and then whatever either side says, byte by byte.
   *
   * @param head what the client has sent after its request
   */
  webSocket(
    node: NodeRecord,
    client: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    address: string,
  ): Promise<RelayOutcome> {
    return new Promise((resolve) => {
      const headers = { ...passedOn(client.headers), connection: 'Upgrade', upgrade: 'websocket' };
      const outgoing = this.#request(node, client, address, headers);
      const done = (outcome: Exclude<RelayOutcome, 'relayed'>) => {
        this.counters[outcome] += 1;
        socket.off('close', abandon);
        outgoing.destroy();
        resolve(outcome);
      };
      // The client went away while it waited.
      const abandon = () => done('refused');
      socket.on('close', abandon);
      outgoing.setTimeout(ANSWER_LIMIT, () => outgoing.destroy(new Error('no answer')));
      outgoing.on('error', () => done('unreachable'));
      outgoing.on('response', (answer) => {
        answer.resume();
        if (answer.statusCode === MISDIRECTED) return done('unreachable');
        if (!this.#isProven(answer, node.id)) return done('unproven');
        socket.end(
          `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
        );
        done('refused');
      });
      outgoing.on('upgrade', (answer, upstream, first) => {
        if (!this.#isProven(answer, node.id)) {
          upstream.destroy();
          return done('unproven');
        }
        outgoing.setTimeout(0);
        upstream.setTimeout(0);
        socket.off('close', abandon);
        socket.write(handshakeAnswer(answer));
        if (first.length > 0) socket.write(first);
        if (head.length > 0) upstream.write(head);
        this.#join(socket, upstream);
        this.counters.relayed += 1;
        resolve('relayed');
      });
      outgoing.end();
    });
  }

  /** Passes an HTTP request on, and its answer back. */
  http(node: NodeRecord, client: IncomingMessage, response: ServerResponse, address: string): void {
    const outgoing = this.#request(node, client, address, passedOn(client.headers));
    const fail = (outcome: 'unreachable' | 'unproven') => {
      this.counters[outcome] += 1;
      if (response.headersSent) response.destroy();
      else
        response.writeHead(502, { 'Content-Type': 'text/plain' }).end('The node of this session can not be reached.\n');
    };
    outgoing.on('error', () => fail('unreachable'));
    outgoing.on('response', (answer) => {
      if (!this.#isProven(answer, node.id)) {
        outgoing.destroy();
        return fail('unproven');
      }
      this.counters.requestsRelayed += 1;
      response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers));
      answer.pipe(response);
    });
    response.on('close', () => outgoing.destroy());
    client.pipe(outgoing);
  }

  #request(
    { id, address: target }: NodeRecord,
    { method = 'GET', url = '/' }: IncomingMessage,
    address: string,
    headers: Record<string, string | string[]>,
  ): ClientRequest {
    const { self, seals, tls } = this.#parts;
    const { hostname, port } = new URL(`http://${target}`);
    const relayed: RelayedClient = { from: self, to: id, address, method, url };
    const options = {
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      method,
      path: url,
      headers: { ...headers, [RELAY_HEADER]: seals.seal('relay', JSON.stringify(relayed)) },
      agent: false as const,
    };
    // Certificates are of the cluster's own authority, and names say nothing where nodes come and go.
    return tls ? secureRequest({ ...options, ...tls, checkServerIdentity: () => undefined }) : request(options);
  }

  #isProven({ headers }: IncomingMessage, node: string): boolean {
    const proof = headers[RELAY_HEADER];
    return typeof proof === 'string' && this.#parts.seals.open('relay-answer', proof) === `${this.#parts.self} ${node}`;
  }

  /** Both sockets end together: half a WebSocket is none. */
  #join(client: Duplex, upstream: Duplex): void {
    client.pipe(upstream);
    upstream.pipe(client);
    const end = () => {
      if (!this.#ends.delete(end)) return;
      finish(client);
      finish(upstream);
    };
    this.#ends.add(end);
    for (const one of [client, upstream]) {
      one.on('error', () => one.destroy());
      one.on('close', end);
    }
  }
}

/** Ends a socket once it has sent what waits, such as a close frame. */
function finish(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), GOODBYE_LIMIT);
  socket.once('close', () => clearTimeout(timer));
  socket.end(() => socket.destroy());
}

/** The other node's `101`, without what was for this node alone. */
function handshakeAnswer({ rawHeaders }: IncomingMessage): string {
  const lines = ['HTTP/1.1 101 Switching Protocols'];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.toLowerCase() !== RELAY_HEADER) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

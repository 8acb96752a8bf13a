import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Complaints } from './complaints.js';
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
  /** It and this node don't trust each other (secret, clocks, certificates): nothing was sent to the client. */
  | 'unproven'
  /** The other node answered the handshake with a refusal, which the client has got. */
  | 'refused';

/** Milliseconds for the other node to answer a handshake. */
const ANSWER_LIMIT = 4_000;
/** Milliseconds for a socket to send its last words. */
const GOODBYE_LIMIT = 2_000;
/** Errors of the network; others are about what answered (TLS, HTTP). */
const OF_THE_NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** What clients are told where nodes don't trust each other: only an operator can help. */
export const NO_TRUST =
  'The nodes of this cluster do not trust each other: their CLUSTER_SECRET, certificates or clocks differ. Tell the operator.';
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
  complaints: Complaints;
}

/** A request to another node, and how far it came. */
interface Outgoing {
  request: ClientRequest;
  /** Whether the TLS handshake is over: a node that ends the connection after it did not like our certificate. */
  secured: boolean;
}

/** Brings clients' connections to the node that they belong to. */
export class Relay {
  readonly #parts: RelayParts;
  /** The ends of the WebSockets that go through this node at the moment. */
  readonly #ends = new Set<() => void>();
  /** Handshakes and HTTP requests that other nodes have not answered yet, or not to the end. */
  #underway = 0;
  readonly counters = { relayed: 0, requestsRelayed: 0, unreachable: 0, unproven: 0, refused: 0 };

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** WebSockets that go through this node at the moment. */
  get connections(): number {
    return this.#ends.size;
  }

  /** WebSockets and requests that go through this node at the moment, those that are not answered yet too. */
  get passages(): number {
    return this.#ends.size + this.#underway;
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
    return new Promise((settle) => {
      const headers = { ...passedOn(client.headers), connection: 'Upgrade', upgrade: 'websocket' };
      const sent = this.#request(node, client, address, headers);
      const { request: outgoing } = sent;
      let waiting = true;
      const resolve = (outcome: RelayOutcome) => {
        if (waiting) this.#underway -= 1;
        waiting = false;
        settle(outcome);
      };
      const done = (outcome: Exclude<RelayOutcome, 'relayed'>) => {
        if (waiting) this.counters[outcome] += 1;
        socket.off('close', abandon);
        outgoing.destroy();
        resolve(outcome);
      };
      // The client went away while it waited.
      const abandon = () => done('refused');
      socket.on('close', abandon);
      outgoing.setTimeout(ANSWER_LIMIT, () => outgoing.destroy(new Error('no answer')));
      outgoing.on('error', (error) => done(waiting ? this.#failure(node, sent, error) : 'unreachable'));
      outgoing.on('response', (answer) => {
        answer.resume();
        if (answer.statusCode === MISDIRECTED) return done('unreachable');
        if (!this.#isProven(answer, node)) return done('unproven');
        socket.end(
          `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
        );
        done('refused');
      });
      outgoing.on('upgrade', (answer, upstream, first) => {
        if (!this.#isProven(answer, node)) {
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
    const sent = this.#request(node, client, address, passedOn(client.headers));
    const { request: outgoing } = sent;
    const fail = (outcome: 'unreachable' | 'unproven') => {
      this.counters[outcome] += 1;
      if (response.headersSent) response.destroy();
      else {
        const text = outcome === 'unproven' ? NO_TRUST : 'The node of this session can not be reached.';
        response.writeHead(502, { 'Content-Type': 'text/plain' }).end(`${text}\n`);
      }
    };
    // The answer to a long poll takes its time; a connection does not.
    const late = setTimeout(() => outgoing.destroy(new Error('no connection')), ANSWER_LIMIT);
    outgoing.on('socket', (socket) => socket.once('connect', () => clearTimeout(late)));
    outgoing.on('error', (error) => {
      if (!response.destroyed) fail(this.#failure(node, sent, error));
    });
    outgoing.on('response', (answer) => {
      if (!this.#isProven(answer, node)) {
        outgoing.destroy();
        return fail('unproven');
      }
      this.counters.requestsRelayed += 1;
      response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers));
      answer.pipe(response);
    });
    response.on('close', () => {
      clearTimeout(late);
      this.#underway -= 1;
      outgoing.destroy();
    });
    client.pipe(outgoing);
  }

  #request(
    { id, address: target }: NodeRecord,
    { method = 'GET', url = '/' }: IncomingMessage,
    address: string,
    headers: Record<string, string | string[]>,
  ): Outgoing {
    const { self, seals, tls } = this.#parts;
    this.#underway += 1;
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
    if (!tls) return { request: request(options), secured: false };
    const sent = {
      request: secureRequest({ ...options, ...tls, checkServerIdentity: () => undefined }),
      secured: false,
    };
    sent.request.on('socket', (socket) =>
      socket.once('secureConnect', () => {
        sent.secured = true;
      }),
    );
    return sent;
  }

  /** What an error says of the other node; the log is told. */
  #failure({ id, name, address }: NodeRecord, { secured }: Outgoing, error: Error): 'unreachable' | 'unproven' {
    const code = 'code' in error ? String(error.code) : error.message;
    const about = { node: name, address, error: code };
    const { complaints } = this.#parts;
    if (secured) {
      complaints.write('error', 'a node ended the connection: it does not take this node’s certificate', id, about);
      return 'unproven';
    }
    if (OF_THE_NETWORK.has(code) || !('code' in error)) {
      complaints.write('warn', 'a node can not be reached on its cluster port', id, about);
      return 'unreachable';
    }
    complaints.write('error', 'what answers on a node’s cluster port is not trusted', id, about);
    return 'unproven';
  }

  #isProven({ headers, statusCode }: IncomingMessage, { id, name, address }: NodeRecord): boolean {
    const proof = headers[RELAY_HEADER];
    const { self, seals, complaints } = this.#parts;
    if (typeof proof === 'string' && seals.open('relay-answer', proof) === `${self} ${id}`) return true;
    const words =
      statusCode === 403
        ? 'a node refuses this one: CLUSTER_SECRET differs, or the clocks do'
        : 'what answers on a node’s cluster port does not know CLUSTER_SECRET';
    complaints.write('error', words, id, { node: name, address, status: statusCode });
    return false;
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

import { randomInt } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hasBody, readBody } from '../../http/body.js';
import { type AddressOf, peerAddress } from '../../http/client-address.js';
import type { HttpHandler } from '../../http/listener.js';
import type { Log } from '../../observability/log.js';
import type { Connection, Service } from '../connection.js';
import { type Fields, field, readEnvelope } from '../envelope.js';
import { errorReply, JANUS_ERROR, type JanusError } from '../errors.js';
import { type CorsSettings, corsHeaders, originAllowed } from './cors.js';
import { Addresses, type AddressSettings } from './rest-addresses.js';
import { type RestClient, type RestClientSettings, RestClients } from './rest-clients.js';
import { type Answer, Exchange } from './rest-exchange.js';
import { addIds, readPollQuery } from './rest-paths.js';
import { readRequest } from './rest-requests.js';

export interface RestSettings extends CorsSettings, AddressSettings, RestClientSettings {
  /** The path that it serves, without a slash at its end: `/janus`, `/admin`. */
  base: string;
  /** Whose a request is; unless told, the other end of its connection. */
  addressOf?: AddressOf;
  /** Bytes; a longer request is answered with 413. */
  bodyBytesMax: number;
  /** Milliseconds that the API may take for a reply; 10 s unless told. */
  replyTimeout?: number;
}

/** What long polls need of the API. */
export interface PollService {
  /** Asks whether this client may wait for the session's events; `auth` holds `apisecret` and `token`. */
  poll(connection: Connection, sessionId: number, auth: Fields): 'ok' | 'unauthorized' | 'unknown';
}

/** Times something happened, since the start. */
export interface RestCounters {
  requests: number;
  polls: number;
  /** Requests that waited because their address sends many. */
  requestsDelayed: number;
  /** Requests that would have had to wait too long: 429. */
  requestsRefused: number;
  /** Requests that were too long: 413. */
  bodiesRefused: number;
  /** Sessions that an address was not given: error 472. */
  sessionsRefused: number;
  /** Clients whose events were too many to be kept: their sessions ended. */
  queuesOverflowed: number;
  /** Requests that got no reply in time: error 490. */
  repliesMissing: number;
}

const REPLY_TIMEOUT = 10_000;
const ROOM_LENGTH_MAX = 256;
const TRANSACTION_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const NOT_FOUND: Answer = { status: 404 };
const WRONG_METHOD: Answer = { status: 405, headers: { Allow: 'GET, POST, OPTIONS' } };
/** Of the Admin API alone; the other one says nothing but the status. */
const NOT_BY_POST = transportError('Use GET for the info endpoint');
const NO_PAYLOAD = errorReply({ code: JANUS_ERROR.INVALID_JSON, reason: 'Request payload missing' }, {});

/** An API over plain HTTP (janus-api.md 6): requests are POSTed, events are taken by long polls. */
export class RestTransport {
  readonly counters: RestCounters = {
    requests: 0,
    polls: 0,
    requestsDelayed: 0,
    requestsRefused: 0,
    bodiesRefused: 0,
    sessionsRefused: 0,
    queuesOverflowed: 0,
    repliesMissing: 0,
  };
  readonly #settings: RestSettings;
  readonly #service: Service;
  readonly #pollService: PollService | null;
  readonly #log: Log;
  readonly #addresses: Addresses;
  readonly #clients: RestClients;

  /** @param pollService null = the API has no events, and so no long polls */
  constructor(settings: RestSettings, service: Service, pollService: PollService | null, log: Log) {
    this.#settings = settings;
    this.#service = service;
    this.#pollService = pollService;
    this.#log = log;
    this.#addresses = new Addresses(settings);
    this.#clients = new RestClients(
      settings,
      (address, change) => this.#addresses.countSession(address, change, performance.now()),
      (client) => {
        this.counters.queuesOverflowed += 1;
        service.overflow(client);
      },
    );
  }

  /** Sessions that HTTP clients own at the moment. */
  get sessions(): number {
    return this.#clients.size;
  }

  /** Long polls without an answer at the moment. */
  get waitingPolls(): number {
    return this.#clients.polls;
  }

  /** To be mounted at the base path. */
  readonly handler: HttpHandler = (request, response) => {
    for (const [name, value] of Object.entries(corsHeaders(this.#settings, request.headers))) {
      response.setHeader(name, value);
    }
    const { base, addressOf = peerAddress } = this.#settings;
    const exchange = new Exchange(request, response, base, addressOf(request));
    if (!originAllowed(this.#settings, request.headers)) exchange.send({ status: 403 });
    else if (request.method === 'OPTIONS') exchange.send({ status: 200 });
    else this.#inTurn(exchange);
  };

  /** Answers all polls that wait: the server ends. */
  close(): void {
    this.#clients.releasePolls();
  }

  /** Serves a request when its address may send one; what is far too early is refused. */
  #inTurn(exchange: Exchange): void {
    const wait = this.#addresses.request(exchange.address, performance.now());
    if (wait === null) {
      this.counters.requestsRefused += 1;
      const message = transportError('Too many requests from this address; send fewer a second');
      exchange.send({ status: 429, message, headers: { 'Retry-After': '1' } });
    } else if (wait === 0) {
      this.#serve(exchange);
    } else {
      this.counters.requestsDelayed += 1;
      const timer = setTimeout(() => this.#serve(exchange), wait);
      exchange.onEnd(() => clearTimeout(timer));
    }
  }

  #serve(exchange: Exchange): void {
    this.counters.requests += 1;
    const answer = this.#answer(exchange);
    if (answer) exchange.send(answer);
  }

  /** @returns null if the answer comes later */
  #answer(exchange: Exchange): Answer | null {
    switch (exchange.request.method) {
      case 'GET':
      case 'HEAD':
        return this.#get(exchange);
      case 'POST':
        return this.#post(exchange);
      default:
        return this.#otherMethod(exchange.request);
    }
  }

  /** What is neither asked nor told. With a body, which DELETE has no use for, Janus would cut the connection. */
  #otherMethod(request: IncomingMessage): Answer {
    if (request.method !== 'DELETE' && hasBody(request)) return WRONG_METHOD;
    return { status: 200, message: transportError(`Unsupported method ${request.method}`) };
  }

  #get(exchange: Exchange): Answer | null {
    const { path } = exchange;
    if (path.kind === 'none') return NOT_FOUND;
    if (path.kind === 'info' || path.kind === 'ping') {
      this.#ask(exchange, this.#stranger(exchange), { janus: path.kind, transaction: randomTransaction() });
      return null;
    }
    if (!this.#pollService) return { status: 200, message: NO_PAYLOAD };
    if (path.kind === 'base') return NOT_FOUND;
    if (path.kind === 'session') return this.#poll(exchange, path.sessionId, this.#pollService);
    if (path.sessionId === 0) return NOT_FOUND;
    // Events come by session, whatever handle they are of.
    return { status: 302, headers: { Location: `${this.#settings.base}/${path.sessionId}` } };
  }

  #poll(exchange: Exchange, sessionId: number, service: PollService): Answer | null {
    // The answer to a HEAD has no body: whatever event it took would be lost.
    if (exchange.request.method === 'HEAD') return WRONG_METHOD;
    const { eventsMax, auth } = readPollQuery(exchange.query);
    const client = this.#clients.ownerOf(sessionId) ?? this.#stranger(exchange);
    const may = service.poll(client, sessionId, auth);
    if (may !== 'ok') return may === 'unauthorized' ? { status: 403 } : NOT_FOUND;
    this.counters.polls += 1;
    const poll = { eventsMax, answer: (message: object) => exchange.send({ status: 200, message }) };
    exchange.onEnd(() => client.queue.abandon(poll));
    client.queue.poll(poll);
    return null;
  }

  #post(exchange: Exchange): Answer | null {
    const refusal = this.#refusal(exchange);
    if (refusal) {
      // A body that came along with the headers has been read by then, and the connection can stay.
      setImmediate(() => exchange.send(refusal));
      return null;
    }
    const { bodyBytesMax } = this.#settings;
    readBody(exchange.request, bodyBytesMax).then((body) => {
      if (body.ok) {
        const answer = this.#take(exchange, body.bytes);
        if (answer) exchange.send(answer);
      } else if (body.cause === 'too large') {
        this.counters.bodiesRefused += 1;
        const message = transportError(`The request is longer than ${bodyBytesMax} bytes`);
        exchange.send({ status: 413, message, headers: { Connection: 'close' } });
      }
    });
    return null;
  }

  /** What a POST is answered with whatever its body says; null = the body counts. */
  #refusal({ path: { kind } }: Exchange): Answer | null {
    if (kind === 'none') return NOT_FOUND;
    if (kind !== 'info' && kind !== 'ping') return null;
    return kind === 'info' && !this.#pollService ? { status: 200, message: NOT_BY_POST } : { status: 400 };
  }

  /** Takes the body of a POST. */
  #take(exchange: Exchange, bytes: Buffer): Answer | null {
    if (bytes.length === 0) return { status: 400, message: NO_PAYLOAD };
    const read = readRequest(bytes);
    const addressed = read.ok ? addIds(exchange.path, read.request) : read;
    if (!addressed.ok) return { status: 200, message: errorReply(addressed.error, {}) };
    const { request } = addressed;
    const client = this.#clientOf(exchange, request);
    if (client) {
      this.#ask(exchange, client, request);
      return null;
    }
    this.counters.sessionsRefused += 1;
    const reason = `This address has ${this.#settings.sessionsPerAddress} sessions, the most allowed`;
    return { status: 200, message: failure(request, { code: JANUS_ERROR.NOT_ACCEPTING_SESSIONS, reason }) };
  }

  /** Whoever owns the session that is asked for; otherwise a stranger. Null: the address may have no more sessions. */
  #clientOf(exchange: Exchange, request: Fields): RestClient | null {
    const sessionId = field(request, 'session_id');
    const owner = typeof sessionId === 'number' ? this.#clients.ownerOf(sessionId) : null;
    if (owner) return owner;
    const read = readEnvelope(request);
    const wantsSession = read.ok && (read.envelope.verb === 'create' || read.envelope.verb === 'claim');
    if (wantsSession && !this.#addresses.mayHaveSession(exchange.address)) return null;
    return this.#stranger(exchange);
  }

  #stranger({ address, query }: Exchange): RestClient {
    const room = query.get('room');
    return this.#clients.stranger(address, room !== null && room.length <= ROOM_LENGTH_MAX ? room : null);
  }

  /** Hands a request to the API, and answers with its one reply. */
  #ask(exchange: Exchange, client: RestClient, request: Fields): void {
    const reply = (message: object) => exchange.send({ status: 200, message });
    const fail = (reason: string) => reply(failure(request, { code: JANUS_ERROR.UNKNOWN, reason }));
    const timeout = this.#settings.replyTimeout ?? REPLY_TIMEOUT;
    const timer = setTimeout(() => {
      this.counters.repliesMissing += 1;
      fail(`There was no reply within ${timeout / 1000} s; the request may still be served`);
    }, timeout);
    exchange.onEnd(() => clearTimeout(timer));
    try {
      this.#service.request(client, request, reply);
    } catch (error) {
      this.#log('error', 'a request failed', { error: String(error) });
      fail('The server failed to process this request; its log says why');
    }
  }
}

function transportError(reason: string): object {
  return errorReply({ code: JANUS_ERROR.TRANSPORT_SPECIFIC, reason }, {});
}

/** The error to a request that did not come to the API, or not back. */
function failure(request: Fields, error: JanusError): object {
  const sessionId = field(request, 'session_id');
  const transaction = field(request, 'transaction');
  return errorReply(error, {
    ...(typeof sessionId === 'number' ? { sessionId } : {}),
    ...(typeof transaction === 'string' ? { transaction } : {}),
  });
}

/** For the requests that a GET stands for. */
function randomTransaction(): string {
  return Array.from({ length: 12 }, () => TRANSACTION_LETTERS[randomInt(TRANSACTION_LETTERS.length)]).join('');
}

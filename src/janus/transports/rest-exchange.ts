import type { IncomingMessage, ServerResponse } from 'node:http';
import { hasBody } from '../../http/body.js';
import { type RestPath, readPath, splitUrl } from './rest-paths.js';

/** What a request is answered with. */
export interface Answer {
  status: number;
  /** Sent as JSON; without it the body is empty. */
  message?: object;
  headers?: Readonly<Record<string, string>>;
}

/** One request over HTTP, and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly path: RestPath;
  readonly query: URLSearchParams;
  readonly address: string;
  readonly #response: ServerResponse;
  #open = true;

  /**
   * @param base the path of the API, `/janus`
   * @param address whose request it is
   */
  constructor(request: IncomingMessage, response: ServerResponse, base: string, address: string) {
    const { path, query } = splitUrl(request.url ?? '');
    this.request = request;
    this.path = readPath(base, path);
    this.query = query;
    this.address = address;
    this.#response = response;
  }

  /** Calls when the answer is out, or the client has gone. */
  onEnd(end: () => void): void {
    this.#response.on('close', end);
  }

  /** Answers, if the client is still there and has no answer yet. */
  send({ status, message, headers }: Answer): void {
    const { request } = this;
    const response = this.#response;
    if (!this.#open || response.destroyed) return;
    this.#open = false;
    for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
    // A body that nobody has read: the connection can't be used any more.
    if (!request.complete && hasBody(request)) response.setHeader('Connection', 'close');
    // HTTP/1.1 connections persist without a word, and the reference server says none.
    else if (response.shouldKeepAlive && !response.hasHeader('Connection')) response.removeHeader('Connection');
    const body = message ? JSON.stringify(message) : '';
    if (message) response.setHeader('Content-Type', 'application/json');
    response.writeHead(status, { 'Content-Length': Buffer.byteLength(body) }).end(body);
  }
}

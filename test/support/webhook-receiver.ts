/** A receiver of webhooks: a real HTTP server on this machine that keeps what it got and answers as it is told. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebhookEvent } from '../../src/webhooks/event.js';
import { Observable } from './observable.js';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  event: WebhookEvent;
}

/** Answers one delivery; by default with 204. */
export type Answer = (response: ServerResponse, received: Received, number: number) => void;

export const accept: Answer = (response) => void response.writeHead(204).end();

/** Answers with a status. */
export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (response) => void response.writeHead(code, headers).end('as you like it');
}

export class WebhookReceiver extends Observable {
  readonly received: Received[] = [];
  answer: Answer = accept;
  readonly #server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const received = { headers: request.headers, body, event: JSON.parse(body) as WebhookEvent };
      this.received.push(received);
      this.answer(response, received, this.received.length);
      this.changed();
    });
  });
  #port = 0;

  /** Starts, or starts anew on the port that it had. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/events`;
  }

  /** Its port is closed from now on. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** What came so far, as `join lobby ann`. */
  lines(): string[] {
    return this.received.map(({ event: { type, data } }) => [type, data.room_id, data.user_id ?? ''].join(' ').trim());
  }
}

/** What a receiver does to know who sent a body; as docs/observability.md shows it, but for the time. */
export function isSigned({ headers, body }: Received, secret: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = headers;
  const key = createHmac('sha256', secret).update(`${id}.${time}.${body}`).digest('base64');
  return signature === `v1,${key}`;
}

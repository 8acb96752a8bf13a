import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketAddresses } from './websocket-addresses.js';

/** A handshake that may be taken. */
export interface Handshake {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  /** The client's. */
  address: string;
  /** Of its URL. */
  room: string | null;
}

/** Where clients belong, if the server is one of many. */
export interface WebSocketRouter {
  /** @returns whether the client is to be served here; if not, its socket is in other hands. Never rejects */
  route(handshake: Handshake): Promise<boolean>;
  /** Lines for the answer to a handshake. */
  headersOf(request: IncomingMessage): string[];
  visitorOf(request: IncomingMessage): { id: string; known: boolean } | null;
}

/**
 * Asks where a client belongs, and takes it if that is here. Until it is known, and for as long as its connection goes
 * through here, it counts as one of its address.
 */
export async function routed(
  router: WebSocketRouter,
  handshake: Handshake,
  addresses: Pick<WebSocketAddresses, 'connected' | 'disconnected'>,
  take: () => void,
): Promise<void> {
  const { socket, address } = handshake;
  addresses.connected(address, performance.now());
  const gone = () => addresses.disconnected(address, performance.now());
  const here = await router.route(handshake);
  if (here || socket.destroyed) gone();
  else socket.on('close', gone);
  if (here) take();
}

/** Answers a handshake that is refused, in plain HTTP. */
export function answer(socket: Duplex, status: number, text: string, lines: readonly string[] = []): void {
  const body = `${text}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `${lines.map((line) => `${line}\r\n`).join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Longer ones are no hint. */
const ROOM_LENGTH_MAX = 256;

/** The room that the handshake's URL names (`?room=`); null if it names none. The path means nothing. */
export function roomOf(request: IncomingMessage): string | null {
  const [, query = ''] = (request.url ?? '').split('?', 2);
  const room = new URLSearchParams(query).get('room');
  return room && room.length <= ROOM_LENGTH_MAX ? room : null;
}

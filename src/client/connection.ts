import type { HandleEvent, JanusReply, JanusRequest, ServerMessage, TimeoutEvent } from '../janus/wire.js';
import type { Socket, SocketClass } from './environment.js';
import { SignallingUnreachable } from './errors.js';

const SUBPROTOCOL = 'janus-protocol';
const NORMAL_CLOSURE = 1000;

/** One WebSocket that speaks Janus. Lives until it closes, by whomever. */
export class Connection {
  /** Resolves when the socket has closed, with a word why. */
  readonly closed: Promise<string>;
  /** Gets all that the server sends, in order. */
  onMessage: (message: ServerMessage) => void = () => {};
  readonly #socket: Socket;
  #open = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => {
        this.#open = false;
        resolve(reason || `WebSocket closed with code ${code}`);
      });
    });
    socket.addEventListener('message', ({ data }) => {
      const message = readMessage(data);
      if (message) this.onMessage(message);
    });
  }

  /** @throws {SignallingUnreachable} if the socket doesn't open within the time, milliseconds */
  static open(url: string, WebSocket: SocketClass, timeoutMs: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, SUBPROTOCOL);
      const timer = setTimeout(() => socket.close(), timeoutMs);
      const fail = () => {
        clearTimeout(timer);
        reject(new SignallingUnreachable(url));
      };
      socket.addEventListener('error', fail);
      socket.addEventListener('close', fail);
      socket.addEventListener('open', () => {
        clearTimeout(timer);
        resolve(new Connection(socket));
      });
    });
  }

  /** On a socket that is closing it does nothing: `closed` tells. */
  send(request: JanusRequest): void {
    if (this.#open) this.#socket.send(JSON.stringify(request));
  }

  close(): void {
    this.#open = false;
    this.#socket.close(NORMAL_CLOSURE);
  }
}

/** What is no Janus message is none of ours, and dropped. The fields of those that are come from a server that we chose. */
function readMessage(data: unknown): ServerMessage | null {
  if (typeof data !== 'string') return null;
  try {
    const message: unknown = JSON.parse(data);
    return isMessage(message) ? message : null;
  } catch {
    return null;
  }
}

function isMessage(value: unknown): value is ServerMessage {
  return typeof value === 'object' && value !== null && 'janus' in value && typeof value.janus === 'string';
}

/** An event of a handle, as against a reply. */
export function isHandleEvent(message: JanusReply | HandleEvent | TimeoutEvent): message is HandleEvent {
  return 'sender' in message;
}

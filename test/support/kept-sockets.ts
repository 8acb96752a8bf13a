import { WebSocket } from 'ws';
import type { SocketClass } from '../../src/client/index.js';

/** WebSockets for a client whose test wants to have its hands on them. */
export interface KeptSockets {
  WebSocket: SocketClass;
  /** All that were opened, in order. */
  readonly opened: WebSocket[];
  /** Ends the newest as when the network is gone: without a farewell. */
  cut(): void;
}

export function keptSockets(): KeptSockets {
  const opened: WebSocket[] = [];
  class Kept extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      opened.push(this);
    }
  }
  return { WebSocket: Kept, opened, cut: () => opened.at(-1)?.terminate() };
}

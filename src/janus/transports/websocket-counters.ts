/** Times something happened, since the start. */
export interface WebSocketCounters {
  opened: number;
  /** Connections beyond the limit, closed before the handshake. */
  refusedLimit: number;
  /** Handshakes that were not finished in time. */
  handshakesSlow: number;
  /** Handshakes that were refused: too many connections of the address, no proper handshake, a server that ends. */
  refusedAddress: number;
  refusedHandshake: number;
  refusedUnavailable: number;
  /** Times a connection had to wait because it sends many requests. */
  rateLimitWaits: number;
  /** Times it had to because the connections of its address do, all together. */
  addressRateLimitWaits: number;
  /** Connections that were closed: a message too long or in too many pieces, a breach of RFC 6455. */
  closedSize: number;
  closedFragments: number;
  closedProtocol: number;
  /** Its client does not read, has no session, does not answer pings. */
  closedBacklog: number;
  closedIdle: number;
  closedDead: number;
}

export function newWebSocketCounters(): WebSocketCounters {
  return {
    opened: 0,
    refusedLimit: 0,
    handshakesSlow: 0,
    refusedAddress: 0,
    refusedHandshake: 0,
    refusedUnavailable: 0,
    rateLimitWaits: 0,
    addressRateLimitWaits: 0,
    closedSize: 0,
    closedFragments: 0,
    closedProtocol: 0,
    closedBacklog: 0,
    closedIdle: 0,
    closedDead: 0,
  };
}

/** What ws calls the ends that are told apart; all others are breaches of the protocol. */
const COUNTER_OF_ERROR: Readonly<Record<string, keyof WebSocketCounters>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'closedSize',
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 'closedFragments',
};

/** The counter of what a socket failed with; null if that was no breach of a limit or of the protocol. */
export function counterOfError(error: Error): keyof WebSocketCounters | null {
  const code = 'code' in error ? String(error.code) : '';
  return code.startsWith('WS_ERR_') ? (COUNTER_OF_ERROR[code] ?? 'closedProtocol') : null;
}

/** Where a session's events go: one client's WebSocket, or an HTTP client's mailbox. A session belongs to one of them. */
export interface Connection {
  /** For the log. */
  readonly id: number;
  /** What the Admin API calls the transport. */
  readonly transport: 'janus.transport.websockets' | 'janus.transport.http';
  readonly address: string;
  /** Whether the client is on this machine. */
  readonly loopback: boolean;
  /** The room that the client's URL names (`?room=`), for placement only; null if it names none. */
  readonly room: string | null;
  /** By what a cluster recognizes the client when it connects again; null or absent = not at all. */
  readonly visitor?: { id: string; known: boolean } | null;
  /** It takes nothing any more, but has not said its end (`Service.disconnect`) yet; absent = never so. */
  readonly closing?: boolean;
  /** Closes it so that its client connects again. */
  reconnect?(reason: string): void;
  /** Sends an event; to a connection that has closed it does nothing. */
  send(message: object): void;
  /** The session is this connection's from now on. */
  gained?(session: number): void;
  /** The session is this connection's no more: it ended, or another one claimed it. */
  lost?(session: number): void;
  /** Takes back the events that its client has not fetched, oldest first: for whoever claims the session. */
  takeUndelivered?(): object[];
}

/** What a transport hands requests to: the Janus API, or the Admin API. */
export interface Service {
  /** Takes one request, parsed. It gets exactly one direct reply, perhaps later. */
  request(connection: Connection, document: unknown, reply: (message: object) => void): void;
  /**
   * Takes the text of one WebSocket message, with one document or more.
   *
   * @returns how many there were, for the rate limit; at least 1
   */
  receive(connection: Connection, text: string): number;
  /** The connection closed. */
  disconnect(connection: Connection): void;
  /** Whether the connection owns a session; one that does not is a stranger. */
  hasSession(connection: Connection): boolean;
  /** More events wait for this connection than are kept: its client has gone or can't follow, and its sessions end. */
  overflow(connection: Connection): void;
}

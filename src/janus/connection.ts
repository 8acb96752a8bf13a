/** One client connection of a transport, as the API sees it. */
export interface Connection {
  /** For the log. */
  readonly id: number;
  /** Whether the client is on this machine. */
  readonly loopback: boolean;
  /** Sends one message; to a connection that has closed it does nothing. */
  send(message: object): void;
}

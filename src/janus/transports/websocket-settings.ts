import type { AddressOf } from '../../http/client-address.js';
import type { CorsSettings } from './cors.js';
import type { WebSocketAddressSettings } from './websocket-addresses.js';
import type { WebSocketRouter } from './websocket-router.js';

/** How one port serves WebSockets. */
export interface WebSocketSettings extends WebSocketAddressSettings {
  /** `janus-protocol`, or `janus-admin-protocol`. */
  subprotocol: string;
  /** Whether clients are expected to have a session; those that don't are closed after a while. */
  sessions: boolean;
  /** The address to listen on; absent = all. */
  host: string | undefined;
  /** 0 = any free one. */
  port: number;
  /** A listening socket to use instead of making one. */
  fd?: number | null;
  /** Whose a handshake is; unless told, the other end of its connection. */
  addressOf?: AddressOf;
  /** Which pages may connect; absent = all. */
  cors?: CorsSettings;
  /** Absent = every client is served here. */
  router?: WebSocketRouter | undefined;
  /** Bytes; a longer message closes the connection with 1009. */
  messageBytesMax: number;
  /** Fragments of one message; more close the connection with 1008. */
  fragmentsMax: number;
  /** Bytes that may wait for a client that doesn't read; more end the connection. */
  backlogBytesMax: number;
  /** Requests a second, and at once, that one connection may send; what is more waits in its socket. */
  requestRate: number;
  requestBurst: number;
  /** TCP connections, those in the handshake included; further ones are closed at once. */
  connectionsMax: number;
  /** Milliseconds for a handshake's headers, and bytes of them. */
  headersTimeout: number;
  requestTimeout: number;
  headerBytesMax: number;
  /** Milliseconds without a request until a connection that never had a session is closed; 0 = never. */
  idleTimeout: number;
  /** Milliseconds between pings; 0 = none. */
  pingInterval: number;
  /** Milliseconds until a ping must be answered. */
  pongTimeout: number;
}

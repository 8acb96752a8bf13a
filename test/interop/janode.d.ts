/** The part of janode 1.8 that the test uses (the package has no types of its own). */
declare module 'janode' {
  import type { EventEmitter } from 'node:events';
  import type Handle from 'janode/handle';

  export interface Session extends EventEmitter {
    readonly id: number;
    attach<H extends Handle>(plugin: { id: string; Handle: new (session: Session, id: number) => H }): Promise<H>;
    destroy(): Promise<void>;
  }

  export interface Connection extends EventEmitter {
    create(): Promise<Session>;
    getInfo(): Promise<Record<string, unknown>>;
    close(): Promise<void>;
    /** Those below with `is_admin` only. */
    listSessions(): Promise<{ sessions: number[] }>;
    listHandles(session: number): Promise<{ session_id: number; handles: number[] }>;
    handleInfo(session: number, handle: number): Promise<{ handle_id: number; info: Record<string, unknown> }>;
    startPcap(session: number, handle: number, folder: string, filename: string): Promise<unknown>;
    stopPcap(session: number, handle: number): Promise<unknown>;
  }

  interface Janode {
    connect(configuration: {
      is_admin?: boolean;
      address: { url: string; apisecret?: string };
      max_retries?: number;
      retry_time_secs?: number;
    }): Promise<Connection>;
    Logger: { setLevel(level: string): string };
    EVENT: {
      CONNECTION_ERROR: string;
      HANDLE_WEBRTCUP: string;
      HANDLE_MEDIA: string;
      HANDLE_HANGUP: string;
      HANDLE_DETACHED: string;
      HANDLE_TRICKLE: string;
    };
  }
  const janode: Janode;
  export default janode;
}

declare module 'janode/handle' {
  import { EventEmitter } from 'node:events';
  import type { Session } from 'janode';

  export interface JanusMessage {
    janus: string;
    transaction?: string;
    plugindata?: { plugin: string; data: Record<string, unknown> };
    jsep?: { type: string; sdp: string };
  }

  export default class Handle extends EventEmitter {
    constructor(session: Session, id: number);
    readonly id: number;
    /** Overridden by plugins: a falsy value for an event that the plugin does not know. */
    handleMessage(message: JanusMessage): object | null;
    ownsTransaction(transaction: string | undefined): boolean;
    closeTransactionWithSuccess(transaction: string | undefined, result: JanusMessage): void;
    closeTransactionWithError(transaction: string | undefined, error: Error): void;
    message(body: Record<string, unknown>, jsep?: { type: string; sdp: string } | null): Promise<JanusMessage>;
    trickle(candidate: object | object[] | null): Promise<void>;
    trickleComplete(): Promise<void>;
    hangup(): Promise<void>;
    detach(): Promise<void>;
  }
}

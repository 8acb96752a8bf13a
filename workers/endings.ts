/**
 * PeerConnections that are over for us and whose native end has to wait a moment.
 *
 * When libdatachannel closes an SCTP association that is still being set up, it throws away what usrsctp has for it to read
 * (SHUT_RDWR), while its own thread may be reading just that: memory is used after it was freed, and now and then the process
 * dies. Clients choose the moment at which they leave. So the end waits until the association stands, two round trips later, or
 * has failed: libdatachannel gives up after six INITs, about half a minute.
 */
import { forgetOpening, whenOpen } from './opening.js';

/** What of a PeerConnection tells whether its SCTP is being set up. */
export interface EndingConnection {
  state(): string;
  /** Milliseconds; -1 as long as there is no SCTP association. */
  rtt(): number;
  close(): void;
}

/** Ends that wait, of one shard. With more the oldest ends at once: what that risks is less than what keeping all costs. */
const WAITING_MAX = 256;

interface Ending {
  connection: EndingConnection;
  isOpen(): boolean;
}

/** Whether SCTP is being set up. To be asked of connections that have a data line, once DTLS is up. */
function settingUp(connection: EndingConnection): boolean {
  const state = connection.state();
  return state !== 'closed' && state !== 'failed' && connection.rtt() < 0;
}

export class Endings {
  private readonly waiting = new Set<Ending>();
  private readonly told: (waiting: number) => void;

  /** @param told how many wait, whenever that changes */
  constructor(told: (waiting: number) => void = () => {}) {
    this.told = told;
  }

  /**
   * Closes the connection: at once, or when its SCTP is no longer being set up.
   *
   * @param data whether it has a data line, and DTLS was up: SCTP has begun
   */
  close(connection: EndingConnection, data: boolean): void {
    if (!data || !settingUp(connection)) {
      connection.close();
      return;
    }
    const ending: Ending = { connection, isOpen: () => !settingUp(connection) };
    this.waiting.add(ending);
    if (this.waiting.size > WAITING_MAX) {
      const [oldest] = this.waiting;
      if (oldest) this.end(oldest);
    }
    this.told(this.waiting.size);
    whenOpen(ending, () => this.end(ending));
  }

  /** Closes all at once: native code is about to be cleaned up, which waits for connections that are open. */
  endAll(): void {
    for (const ending of this.waiting) this.end(ending);
  }

  private end(ending: Ending): void {
    forgetOpening(ending);
    this.waiting.delete(ending);
    ending.connection.close();
    this.told(this.waiting.size);
  }
}

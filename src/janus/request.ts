import type { Connection } from './connection.js';
import type { Envelope } from './envelope.js';
import { errorReply, type JanusError } from './errors.js';
import type { JanusReply } from './wire.js';

/** One request on its way through the API: who asks, what, and how it is answered. */
export interface Request {
  readonly connection: Connection;
  readonly envelope: Envelope;
  /** Sends the one direct reply. */
  readonly reply: (message: JanusReply) => void;
}

/** Answers with an error, which names the session that the request claimed. */
export function refuse({ envelope, reply }: Request, error: JanusError): void {
  reply(errorReply(error, { sessionId: envelope.sessionId, transaction: envelope.transaction }));
}

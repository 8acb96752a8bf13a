/**
 * The receivers of `bench:fan-out`, a child process that is stopped (SIGSTOP) once they are connected: what they are sent
 * then costs nothing but the sending. Told {@link SinkCommand}, it answers with a {@link SinkReply}.
 */
import { LoadUser } from './load/load-user.js';

export interface SinkCommand {
  url: string;
  room: string;
  /** Whom they subscribe to. */
  source: string;
  subscribers: number;
  /** How many connect at the same time; 8 unless told. */
  atOnce?: number;
}

export type SinkReply = { connected: number } | { error: string };

/** Subscriptions of one user: each connection may have only so many handles. */
const SUBSCRIPTIONS = 25;
const CONNECTS_AT_ONCE = 8;

async function connect({ url, room, source, subscribers, atOnce = CONNECTS_AT_ONCE }: SinkCommand): Promise<SinkReply> {
  const count = Math.ceil(subscribers / SUBSCRIPTIONS);
  const users = await Promise.all(
    Array.from({ length: count }, (_, index) => LoadUser.connect(url, room, `sink-${index}`, {})),
  );
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < subscribers; index = next++) await users[index % count]?.subscribe(source);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return { connected: subscribers };
}

process.on('message', (command: SinkCommand) => {
  connect(command).then(
    (reply) => process.send?.(reply),
    (error: unknown) => process.send?.({ error: String(error) } satisfies SinkReply),
  );
});
process.once('disconnect', () => process.exit(0));

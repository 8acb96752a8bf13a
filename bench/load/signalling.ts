/** Load of the signalling alone: sessions that do nothing, messages at a rate, and clients that come and go. No media. */
import { inLanes } from './lanes.js';
import { cpuMicroseconds } from './process-stats.js';
import { SignallingClient } from './signalling-client.js';

export interface ReplyLoad {
  /** Idle sessions, each on a socket of its own. */
  sessions: number;
  /** Messages a second, of all clients together. */
  rate: number;
  seconds: number;
}

export interface ReplyFigures {
  messages: number;
  /** Milliseconds from the request to the event that answers it. */
  p50: number;
  p99: number;
  worst: number;
  /** User + system time of the server's process, of one core. */
  cpu: number;
}

/** Clients that talk; ten of them are in each room. */
const TALKERS = 50;
const TICK_MS = 10;

/**
 * Opens the idle sessions, lets the talkers send `data` messages to their neighbour at the rate, and measures their replies.
 * What is due is sent on time, whether the replies before have come or not.
 */
export async function measureReplies(server: { wsUrl: string; pid: number }, load: ReplyLoad): Promise<ReplyFigures> {
  const idle = await inLanes(load.sessions, 50, async () => {
    const client = await SignallingClient.open(server.wsUrl);
    await client.create();
    return client;
  });
  const talkers = await inLanes(TALKERS, 10, async (index) => {
    const client = await SignallingClient.open(server.wsUrl);
    const handle = await client.join(await client.create(), `room ${Math.floor(index / 10)}`, `user ${index}`);
    return { client, handle, neighbour: `user ${index % 10 === 9 ? index - 9 : index + 1}` };
  });
  const times: number[] = [];
  const talk = (seconds: number, keep: boolean) =>
    new Promise<void>((resolve, reject) => {
      const started = performance.now();
      const pending: Promise<void>[] = [];
      let sent = 0;
      const timer = setInterval(() => {
        const due = Math.min(performance.now() - started, seconds * 1000) * (load.rate / 1000);
        for (; sent < due; sent += 1) {
          const talker = talkers[sent % TALKERS];
          if (!talker) continue;
          const at = performance.now();
          const said = talker.client.message(talker.handle, { kind: 'data', body: 'hello', whom: talker.neighbour });
          pending.push(said.then(() => void (keep && times.push(performance.now() - at))));
        }
        if (performance.now() - started < seconds * 1000) return;
        clearInterval(timer);
        Promise.all(pending).then(() => resolve(), reject);
      }, TICK_MS);
    });
  // Before the engines of JavaScript have compiled what runs for each message, that is most of what is measured.
  await talk(Math.min(3, load.seconds), false);
  const cpu = cpuMicroseconds(server.pid);
  const started = performance.now();
  await talk(load.seconds, true);
  const cpuShare = (cpuMicroseconds(server.pid) - cpu) / ((performance.now() - started) * 1000);
  await Promise.all([...idle, ...talkers.map(({ client }) => client)].map((client) => client.close()));
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return { messages: times.length, p50: at(0.5), p99: at(0.99), worst: at(1), cpu: cpuShare };
}

let comers = 0;

/** Clients that create, attach, join and leave, `cycles` times in all; every room and every user is a new one. */
export async function churn(wsUrl: string, cycles: number): Promise<void> {
  const clients = await inLanes(10, 10, () => SignallingClient.open(wsUrl));
  await inLanes(cycles, clients.length, async (index) => {
    const client = clients[index % clients.length];
    if (!client) return;
    comers += 1;
    const { session, id } = await client.join(await client.create(), `room of ${comers}`, `comer ${comers}`);
    if (index % 2 === 0) await client.request({ janus: 'detach', session_id: session, handle_id: id });
    await client.request({ janus: 'destroy', session_id: session });
  });
  await Promise.all(clients.map((client) => client.close()));
}

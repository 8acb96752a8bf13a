/**
 * The load generator of the benches and of `janus-sfu load`, a child process: real peers that publish numbered RTP and timed
 * messages through a relay, and count and time what comes out. Senders and receivers share this process and so its clock.
 */

import { Histogram } from './histogram.js';
import type { ConnectReport, LoadCommand, LoadReply, LoadTarget, Pace } from './protocol.js';
import { BareRelay, JanusRelay, type Relay } from './relays.js';
import { type Place, places, type Subscription } from './shape.js';
import { Tally } from './tally.js';
import { Traffic } from './traffic.js';
import { VideoroomRelay } from './videoroom.js';

/** Milliseconds after the end until a packet counts as lost. */
const STRAGGLERS_LIMIT = 500;
/** Different reasons of failures that are told. */
const REASONS_TOLD = 5;
const CONNECTS_AT_ONCE = 10;

let relay: Relay | null = null;
let senders: Place[] = [];
let subscriptions: Subscription[] = [];
const setUpTimes = { publish: new Histogram(), subscribe: new Histogram() };
const tally = new Tally();
const traffic = new Traffic(tally);

function connected(): Relay {
  if (!relay) throw new Error('not connected to a relay');
  return relay;
}

/** Does the tasks in order, so many at a time, and says how that went. A task resolves with its set-up time, milliseconds. */
async function inLanes(
  tasks: (() => Promise<number>)[],
  { atOnce = CONNECTS_AT_ONCE, tolerant = false }: Pace,
  setup = new Histogram(),
): Promise<ConnectReport> {
  const reasons = new Set<string>();
  let [next, done, failed] = [0, 0, 0];
  const lane = async () => {
    for (let task = tasks[next++]; task; task = tasks[next++]) {
      try {
        setup.add(await task());
        done += 1;
      } catch (error) {
        if (!tolerant) throw error;
        failed += 1;
        if (reasons.size < REASONS_TOLD) reasons.add(error instanceof Error ? error.message : String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, tasks.length) }, lane));
  return { connected: done, failed, reasons: [...reasons], setup: setup.quantiles() };
}

async function publish(command: Extract<LoadCommand, { type: 'publish' }>): Promise<ConnectReport> {
  const { shape, room = 'bench', data = false } = command;
  const into = connected();
  const planned = places(shape, room);
  senders = planned.senders;
  subscriptions = planned.subscriptions;
  // First the sessions of all, which are no part of a PeerConnection's set-up.
  const sessions = planned.senders.map((place) => async () => {
    await into.enter(place.room, place.user);
    return 0;
  });
  const entered = await inLanes(sessions, { ...command, atOnce: CONNECTS_AT_ONCE });
  if (entered.connected === 0 && entered.failed > 0) return entered;
  return inLanes(
    planned.senders.map((place, index) => async () => {
      const publisher = await into.publish(place.room, place.user, Traffic.ssrcs(index), data);
      traffic.addSender(index, publisher, shape.users - 1);
      return publisher.setup;
    }),
    command,
    setUpTimes.publish,
  );
}

/** Subscriptions to senders that could not connect are none. */
function subscribe({ count, ...pace }: Extract<LoadCommand, { type: 'subscribe' }>): Promise<ConnectReport> {
  const from = connected();
  const next = subscriptions.splice(0, count ?? subscriptions.length).filter(({ source }) => traffic.has(source));
  return inLanes(
    next.map(({ room, user, source }) => async () => {
      const receiver = await from.subscribe(room, user, senders[source]?.user ?? '');
      traffic.addReceiver(source, receiver);
      return receiver.setup;
    }),
    pace,
    setUpTimes.subscribe,
  );
}

function relayOf(target: LoadTarget): Relay {
  switch (target.kind) {
    case 'janus':
      return new JanusRelay(target.url, target);
    case 'bare':
      return new BareRelay(target.port);
    case 'videoroom':
      return new VideoroomRelay(target.url, target.bindAddress);
  }
}

async function run(command: LoadCommand): Promise<Omit<Extract<LoadReply, { ok: true }>, 'ok'>> {
  switch (command.type) {
    case 'connect':
      relay = relayOf(command.target);
      return {};
    case 'publish':
      return { connected: await publish(command) };
    case 'subscribe':
      return { connected: await subscribe(command) };
    case 'send':
      traffic.start(command);
      return {};
    case 'begin-measuring':
      tally.begin(performance.now());
      return {};
    case 'look':
      return { measurement: tally.look() };
    case 'end-measuring':
      return { measurement: await tally.end(performance.now(), STRAGGLERS_LIMIT) };
    case 'close':
      traffic.stop();
      await relay?.close();
      return {};
  }
}

process.on('message', (command: LoadCommand) => {
  run(command).then(
    (result) => process.send?.({ ok: true, ...result } satisfies LoadReply),
    (error: unknown) => process.send?.({ ok: false, error: String(error) } satisfies LoadReply),
  );
});
process.once('disconnect', () => process.exit(0));

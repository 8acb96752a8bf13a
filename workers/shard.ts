/** The piscina entry of a worker thread: one shard, with its peers, its packet engine, its UDP port. */
import { createSocket } from 'node:dgram';
import { type Certificate, createCertificate } from './certificate.js';
import { Control } from './control.js';
import { ShardCounters } from './counters.js';
import { DataRelay } from './data-relay.js';
import { Endings } from './endings.js';
import { Engine } from './engine.js';
import { isFatal } from './engine-fault.js';
import { FanOut } from './fan-out.js';
import { Feedback } from './feedback.js';
import { Line } from './line.js';
import { Members } from './members.js';
import { loadNative } from './native.js';
import { Peer } from './peer.js';
import type {
  HandleNumber,
  ShardCall,
  ShardNews,
  ShardNumber,
  ShardReply,
  ShardSettings,
  StartShard,
} from './protocol.js';
import { Relay } from './relay.js';
import { Ring } from './ring.js';
import { scheduleAsBatch, stayOnProcessor } from './scheduling.js';
import { newShedding, shed } from './shedding.js';
import { Supervision } from './supervision.js';
import { Utilization } from './utilization.js';

/** Milliseconds between two rounds of regular work. */
const TICK = 50;

interface Shard {
  members: Members;
  engine: Engine;
  data: DataRelay;
  /** The shard's parts read them each time, as limits may change. */
  settings: ShardSettings;
}

/** Rejects with a clear text if the port can't be bound: native code would only say it with the first peer. */
function checkPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp6', ipv6Only: false });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      if (error.code === 'EAFNOSUPPORT') resolve();
      else
        reject(
          new Error(
            `UDP port ${port} can't be used (${error.code ?? error.message}). Stop what uses it or set RTP_PORT to another.`,
          ),
        );
    });
    socket.bind(port, () => socket.close(() => resolve()));
  });
}

/** A shard's ends of the rings between all: by the other shard's number, null for itself. */
function ringsOf(rings: (SharedArrayBuffer | null)[][], shard: ShardNumber) {
  const open = (ring: SharedArrayBuffer | null | undefined) => (ring ? new Ring(ring) : null);
  return { outgoing: (rings[shard] ?? []).map(open), incoming: rings.map((row) => open(row[shard])) };
}

/** Ends this worker, with its peers, after an error that nothing can be right after: the pool replaces it. */
function endIfFatal(error: unknown): void {
  if (isFatal(error)) setImmediate(() => process.exit(1));
}

async function start(request: StartShard): Promise<void> {
  const { settings } = request;
  const line = new Line(request.line);
  const say = (news: ShardNews) => line.say(news);
  const control = new Control(request.control);
  const counters = new ShardCounters(request.counters);
  await checkPort(settings.rtpPort);
  const engine = await Engine.create(request.engine, request.memory);
  if (settings.batchScheduling) scheduleAsBatch();
  if (settings.workerPinning) stayOnProcessor(request.shard);
  const native = loadNative(settings.addonFolders);
  control.countLive();
  const endings = new Endings((waiting) => counters.set('peersEnding', waiting));
  const keeper = Peer.keeper({
    native,
    endings,
    port: settings.rtpPort,
    report: (where, { message }) => say({ type: 'fault', handle: null, where, message }),
  });
  const feedback = new Feedback(engine, counters, settings, say);
  const relay = new Relay(engine, feedback, counters);
  const wake = (other: ShardNumber) => control.ringDoorbell(other);
  const dataRings = ringsOf(request.rings, request.shard);
  const data = new DataRelay({
    engine,
    counters,
    settings,
    outgoing: dataRings.outgoing,
    incoming: dataRings.incoming.filter((ring) => ring !== null),
    ring: wake,
  });
  let certificate: Certificate | null = null;
  // A shard counts as started before: signalling needn't wait for it. If it fails every request is told why.
  const ready = createCertificate().then((one) => {
    certificate = one;
  });
  // What could not be loaded for it once (no file was left) can't be loaded in this thread any more: another one tries.
  ready.catch((error: unknown) => {
    fault(null, 'certificate', error);
    setImmediate(() => process.exit(1));
  });
  const made = (): Certificate => {
    if (!certificate) throw new Error('the certificate is not made yet');
    return certificate;
  };
  const mirrorRings = ringsOf(request.mirrorRings, request.shard);
  const fanOut = new FanOut({ engine, relay, feedback, counters, ...mirrorRings, wake });
  const fault = (handle: HandleNumber | null, where: string, error: unknown) => {
    counters.add('faults');
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say({ type: 'fault', handle, where, message });
    endIfFatal(error);
  };
  const members = new Members({
    fault,
    native,
    certificate: made,
    endings,
    engine,
    relay,
    feedback,
    data,
    fanOut,
    counters,
    settings,
    say,
  });
  const supervision = new Supervision(engine, settings, say);

  const contained = (where: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      fault(null, where, error);
    }
  };
  const shedding = newShedding();
  const utilization = new Utilization();
  let due = performance.now() + TICK;
  const timer = setInterval(() => {
    const now = performance.now();
    const late = Math.max(0, now - due);
    counters.set('loopDelayMicros', Math.round(late * 1000));
    if (shed(shedding, late, settings.loopDelayMax, now)) {
      engine.setShedding(shedding.share);
      counters.set('videoShedPercent', Math.round(shedding.share * 100));
    }
    counters.set('loopBusyPercent', utilization.look(performance.eventLoopUtilization(), now) * 100);
    counters.add('heartbeat');
    due = now + TICK;
    contained('feedback', () => feedback.tick(now));
    contained('supervision', () => {
      for (const member of supervision.tick(members.all(), now)) members.hangup(member, 'ICE failed');
    });
  }, TICK);
  void control.answerDoorbell(request.shard, () => {
    // An error ends this turn, and the next one goes on behind the record that it was about.
    let more = true;
    contained('rings', () => {
      data.drain();
      more = fanOut.drain();
    });
    return more;
  });

  // Native threads must be gone before this thread is: whatever way it ends, this runs once.
  let cleaned = false;
  const cleanUp = () => {
    if (cleaned) return;
    cleaned = true;
    clearInterval(timer);
    members.closeAll();
    endings.endAll();
    keeper.close();
    native.cleanup();
    // The addon's last detached thread leaves the library a moment after cleanup() returned.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    control.countDone();
  };
  process.on('exit', cleanUp);
  void control.stopAsked().then(cleanUp);
  const shard = { members, engine, data, settings };
  line.answer(ready, (one) => {
    try {
      return handle(shard, one);
    } catch (error) {
      endIfFatal(error);
      throw error;
    }
  });
}

function handle({ members, engine, data, settings }: Shard, request: ShardCall): ShardReply {
  switch (request.type) {
    case 'accept-offer':
      return members.acceptOffer(request);
    case 'make-offer':
      return members.makeOffer(request);
    case 'accept-answer':
      return members.acceptAnswer(request);
    case 'update-down-tracks':
      return members.updateDownTracks(request);
    case 'join':
      return members.join(request);
    case 'close-peer':
      return members.closePeer(request.handle);
    case 'forget':
      return members.forget(request.handle);
    case 'set-mirrors':
      return members.setMirrors(request);
    case 'mirror':
      return members.mirror(request);
    case 'request-keyframe':
      return members.requestKeyframe(request.handle);
    case 'set-blocked':
      if (!engine.setBlocked(request.userA, request.userB, request.blocked))
        throw new Error('The table of blocks is full.');
      return {};
    case 'set-room-shards':
      data.setRoomShards(request.room, request.shards);
      return {};
    case 'describe':
      return members.describe(request.handle);
    case 'set-limits':
      Object.assign(settings, request.limits);
      return {};
  }
}

/** Starts this worker's shard; requests come by its line. */
export default async function run(request: StartShard): Promise<void> {
  await start(request);
}

/** The packet engine's Wasm module: its exports, and putting it on a memory. */
import { LAYOUT_VERSION } from '../assembly/layout.js';

/** The module's exports (assembly/index.ts): i32 and f64 only, as i64 would be a BigInt, which is garbage. */
export interface EngineExports {
  initialize(): number;
  isBlocked(userA: number, userB: number): number;
  setBlocked(userA: number, userB: number, blocked: number): number;
  addUpTrack(kind: number): number;
  configureUpTrack(
    up: number,
    codec: number,
    pt: number,
    rtx: number,
    rate: number,
    ssrc: number,
    ids: number,
    transportCc: number,
  ): number;
  unconfigureUpTrack(up: number): number;
  setUpTrackUser(up: number, user: number): number;
  restartUpTrack(up: number): number;
  removeUpTrack(up: number): number;
  addDownTrack(up: number, user: number): number;
  configureDownTrack(down: number, ssrc: number, pt: number, ids: number, rtxPt: number, rtxSsrc: number): number;
  setDownTrackActive(down: number, active: number): number;
  setDownTrackPaused(down: number, paused: number): number;
  setPlayoutDelay(down: number, least: number): number;
  removeDownTrack(down: number): number;
  receive(upAudio: number, upVideo: number, length: number, now: number): number;
  receiveMirrored(up: number, length: number, epoch: number, extended: number, keyframe: number, now: number): number;
  exportPacket(up: number, now: number): number;
  exportReport(up: number): number;
  reportedAt(up: number): number;
  translate(down: number, now: number): number;
  waitingForKeyframe(up: number): number;
  readPublisherRtcp(upAudio: number, upVideo: number, length: number, now: number): number;
  readSubscriberRtcp(downAudio: number, downVideo: number, length: number, now: number): number;
  senderReport(down: number, now: number): number;
  receiverReport(upAudio: number, upVideo: number, bitrate: number, now: number): number;
  keyframeRequest(up: number, fir: number): number;
  lossRequest(up: number, now: number): number;
  transportFeedback(upAudio: number, upVideo: number, now: number): number;
  retransmit(index: number, now: number): number;
  beginReplay(down: number, ageMax: number, now: number): number;
  replayed(position: number, now: number): number;
  lastPacketAt(up: number): number;
  takeLostOfPublisher(up: number): number;
  takeLoudness(up: number): number;
  setShedding(share: number): void;
  takeLostOfSubscriber(down: number): number;
  roundTripTime(down: number): number;
  upTrackStatistic(up: number, statistic: number): number;
  downTrackStatistic(down: number, statistic: number): number;
}

/**
 * Instantiates the module on a shard's memory.
 *
 * @param memory fresh and zeroed
 * @throws Error if the memory is in use or module and host were built from different layouts
 */
export async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<EngineExports> {
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const wasm = instance.exports as typeof instance.exports & EngineExports;
  const version = wasm.initialize();
  if (version === 0)
    throw new Error('The packet engine refuses this memory: it must be fresh, and used by one engine.');
  if (version !== LAYOUT_VERSION) {
    throw new Error(`The packet engine has layout ${version}, its host ${LAYOUT_VERSION}: build both anew.`);
  }
  return wasm;
}

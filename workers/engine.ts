import * as layout from '../assembly/layout.js';
import { checkPacketAddress, EngineFault } from './engine-fault.js';
import { type EngineExports, instantiate } from './engine-module.js';
import { CODEC_NUMBERS, NO_PAYLOAD_TYPE, packExtensionIds } from './engine-parameters.js';
import { createMemory } from './memory.js';
import type { DownTrackParameters, MediaKind, UpTrackParameters } from './protocol.js';

export { type CounterName, createMemory, readCounters, VERDICT_NAMES } from './memory.js';

/**
 * A shard's packet engine: the Wasm module of assembly/ over the shard's shared memory. It decides about bytes; sockets,
 * peers and clocks are the caller's. Tracks are small integers, -1 is none. `now` is a monotonic time in milliseconds,
 * a float. Buffers that it returns are views over the shared memory, good until its next call.
 *
 * Configuring a track that doesn't exist throws a RangeError, as it is our own mistake; packets never throw.
 */
export class Engine {
  readonly #wasm: EngineExports;
  readonly #memory: WebAssembly.Memory;
  readonly #cells: Int32Array;
  /** RTCP in the outbox by its length in 32-bit words: a handful of lengths, so that no view is made twice. */
  readonly #outbox: Buffer[] = [];
  #bytes: Uint8Array;
  #packet: Buffer | null = null;

  private constructor(wasm: EngineExports, memory: WebAssembly.Memory) {
    this.#wasm = wasm;
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
    // The tables are part of the initial memory, so a view of them outlives every growth.
    this.#cells = new Int32Array(memory.buffer, layout.CELLS_START, layout.CELLS);
  }

  /** {@link createMemory} */
  static createMemory(): WebAssembly.Memory {
    return createMemory();
  }

  /**
   * Instantiates the module on a shard's memory.
   *
   * @param memory fresh and zeroed: a second engine on the same memory would destroy the first one's state
   * @throws Error if the memory is in use or module and host were built from different layouts
   */
  static async create(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Engine> {
    return new Engine(await instantiate(module, memory), memory);
  }

  // --- Blocks ---

  /** Sets whether two users get each other's packets. @returns false: the table is full (counted) */
  setBlocked(userA: number, userB: number, blocked: boolean): boolean {
    return this.#wasm.setBlocked(userA, userB, blocked ? 1 : 0) !== 0;
  }

  isBlocked(userA: number, userB: number): boolean {
    return this.#wasm.isBlocked(userA, userB) !== 0;
  }

  // --- Up tracks ---

  /** @returns a track whose packets are dropped until it is configured; -1: the table is full (counted) */
  addUpTrack(kind: MediaKind): number {
    return this.#wasm.addUpTrack(kind === 'video' ? layout.KIND_VIDEO : layout.KIND_AUDIO);
  }

  /** Sets what was negotiated; null: nothing, packets are dropped. Another codec starts a new source. */
  configureUpTrack(up: number, parameters: UpTrackParameters | null): void {
    if (parameters === null) {
      this.#check(this.#wasm.unconfigureUpTrack(up), 'up', up);
      return;
    }
    const { payloadType, clockRate } = parameters;
    const codec = CODEC_NUMBERS[parameters.codec];
    const rtx = parameters.rtxPayloadType ?? NO_PAYLOAD_TYPE;
    const ssrc = parameters.ssrc ?? 0;
    const ids = packExtensionIds(parameters.extensions);
    const transportCc = parameters.extensions.transportCc ?? 0;
    const found = this.#wasm.configureUpTrack(up, codec, payloadType, rtx, clockRate, ssrc, ids, transportCc);
    this.#check(found, 'up', up);
  }

  /** Whose packets they are, for blocks; 0: not joined, nothing is relayed. */
  setUpTrackUser(up: number, user: number): void {
    this.#check(this.#wasm.setUpTrackUser(up, user), 'up', up);
  }

  /** A new PeerConnection: reception starts anew with the next packet, down tracks go on without a gap. */
  restartUpTrack(up: number): void {
    this.#check(this.#wasm.restartUpTrack(up), 'up', up);
  }

  /** Gives its history back. Down tracks of it stay until they are removed, and get nothing. */
  removeUpTrack(up: number): void {
    this.#check(this.#wasm.removeUpTrack(up), 'up', up);
  }

  // --- Down tracks ---

  /** @param user whose track it is, for blocks @returns an inactive track; -1: the table is full (counted) */
  addDownTrack(up: number, parameters: DownTrackParameters, user: number): number {
    const down = this.#wasm.addDownTrack(up, user);
    if (down >= 0) this.configureDownTrack(down, parameters);
    return down;
  }

  /** Payload type, SSRC or extensions changed; sequence numbers and timestamps go on. */
  configureDownTrack(down: number, parameters: DownTrackParameters): void {
    const { ssrc, payloadType, extensions } = parameters;
    const ids = packExtensionIds(extensions);
    const { rtxSsrc } = parameters;
    const rtx = rtxSsrc === null ? NO_PAYLOAD_TYPE : (parameters.rtxPayloadType ?? NO_PAYLOAD_TYPE);
    this.#check(this.#wasm.configureDownTrack(down, ssrc, payloadType, ids, rtx, rtxSsrc ?? 0), 'down', down);
  }

  /** False until it is connected, or when the subscriber has refused the kind. */
  setDownTrackActive(down: number, active: boolean): void {
    this.#check(this.#wasm.setDownTrackActive(down, active ? 1 : 0), 'down', down);
  }

  /** True while the subscriber's line can't carry it. */
  setDownTrackPaused(down: number, paused: boolean): void {
    this.#check(this.#wasm.setDownTrackPaused(down, paused ? 1 : 0), 'down', down);
  }

  /** How long the subscriber is to keep pictures before it shows them, milliseconds; 0: as it likes. */
  setPlayoutDelay(down: number, least: number): void {
    this.#check(this.#wasm.setPlayoutDelay(down, least), 'down', down);
  }

  removeDownTrack(down: number): void {
    this.#check(this.#wasm.removeDownTrack(down), 'down', down);
  }

  /** Leaves out the video of a share of all subscriptions, 0..1: always the same ones. They start again with keyframes. */
  setShedding(share: number): void {
    this.#wasm.setShedding(share);
  }

  // --- RTP ---

  /**
   * Takes a packet from a publisher: finds its track by payload type, checks it, counts it, keeps it in the history.
   *
   * @param upAudio the publisher's audio track, -1: none
   * @param upVideo its video track, -1: none
   * @param packet any bytes at all
   * @returns FORWARD or a DROP_ verdict (assembly/layout.ts), counted
   */
  receive(upAudio: number, upVideo: number, packet: Uint8Array, now: number): number {
    this.#takePacket(packet);
    return this.#wasm.receive(upAudio, upVideo, packet.length, now);
  }

  /**
   * Takes a packet that another shard admitted from a publisher whose mirror lives here (workers/fan-out.ts).
   *
   * @param up the mirror's track
   * @param packet as {@link exportPacket} made it there; a view of shared memory is fine
   * @param epoch which source of the track it is of, there
   * @param extended its extended sequence number, there
   * @returns as receive()
   */
  receiveMirrored(
    up: number,
    packet: Uint8Array,
    epoch: number,
    extended: number,
    keyframe: boolean,
    now: number,
  ): number {
    this.#takePacket(packet);
    return this.#wasm.receiveMirrored(up, packet.length, epoch, extended, keyframe ? 1 : 0, now);
  }

  /** The admitted packet as its publisher sent it, before it is translated; null: there is none. */
  exportPacket(up: number, now: number): Buffer | null {
    return this.#wasm.exportPacket(up, now) !== 0 ? this.packet : null;
  }

  /** Which source of its track the packet of the last {@link exportPacket} is of, 0..2^32-1. */
  get exportedEpoch(): number {
    return this.#cell(layout.CELL_EXPORTED_EPOCH) >>> 0;
  }

  /** Its extended sequence number. */
  get exportedSequence(): number {
    return this.#cell(layout.CELL_EXPORTED_HIGH) * 2 ** 32 + (this.#cell(layout.CELL_EXPORTED_LOW) >>> 0);
  }

  /** The publisher's last sender report of a track, and when it came; null: none of its present source. */
  exportReport(up: number): { report: Buffer; at: number } | null {
    const report = this.#rtcp(this.#wasm.exportReport(up));
    return report && { report, at: this.#wasm.reportedAt(up) };
  }

  /** The up track of the packet for which receive() returned FORWARD; -1 after any other verdict. */
  get admittedTrack(): number {
    return this.#cell(layout.CELL_ADMITTED_TRACK);
  }

  /** Whether a decoder can start with that packet. */
  get admittedKeyframe(): boolean {
    return this.#cell(layout.CELL_ADMITTED_KEYFRAME) !== 0;
  }

  /** Whether it came after newer packets of its track. */
  get admittedLate(): boolean {
    return this.#cell(layout.CELL_ADMITTED_LATE) !== 0;
  }

  /** That packet's bytes, where translate() rewrites them: one view per incoming packet. */
  get packet(): Buffer {
    this.#packet ??= this.#readyPacket();
    return this.#packet;
  }

  /** FEEDBACK_ bits (assembly/layout.ts): what the publisher of the received packet should be told now. */
  get feedbackDue(): number {
    return this.#cell(layout.CELL_FEEDBACK_DUE);
  }

  /** Rewrites the admitted packet for one subscriber. @returns FORWARD or a DROP_ verdict, counted */
  translate(down: number, now: number): number {
    return this.#wasm.translate(down, now);
  }

  // --- RTCP ---

  /** @returns PUBLISHER_ bits (assembly/layout.ts): which sender reports were in it, and whether a BYE was */
  readPublisherRtcp(upAudio: number, upVideo: number, packet: Uint8Array, now: number): number {
    return this.#wasm.readPublisherRtcp(upAudio, upVideo, this.#takeRtcp(packet), now);
  }

  /** SR and SDES for a subscriber; null: nothing sent, or the publisher has not reported on this source. */
  senderReport(down: number, now: number): Buffer | null {
    return this.#rtcp(this.#wasm.senderReport(down, now));
  }

  /** RR, SDES, and REMB for the video source if the bitrate (bit/s) is over 0; null: nothing received. */
  receiverReport(upAudio: number, upVideo: number, rembBitrate: number, now: number): Buffer | null {
    return this.#rtcp(this.#wasm.receiverReport(upAudio, upVideo, Math.max(0, Math.min(rembBitrate, 0xffffffff)), now));
  }

  /** An empty RR, SDES and the request; null: no packet of the track yet and no SSRC declared. */
  keyframeRequest(up: number, kind: 'pli' | 'fir'): Buffer | null {
    return this.#rtcp(this.#wasm.keyframeRequest(up, kind === 'fir' ? 1 : 0));
  }

  /** An empty RR, SDES, and a NACK of the video packets that are missing and whose turn it is; null: none. */
  lossRequest(up: number, now: number): Buffer | null {
    return this.#rtcp(this.#wasm.lossRequest(up, now));
  }

  /** An empty RR, SDES, and when the publisher's packets arrived (transport-cc); null: not negotiated, or too soon. */
  transportFeedback(upAudio: number, upVideo: number, now: number): Buffer | null {
    return this.#rtcp(this.#wasm.transportFeedback(upAudio, upVideo, now));
  }

  /** Whether the last lossRequest() gave packets up without which no picture can be complete before the next keyframe. */
  get pictureLost(): boolean {
    return this.#cell(layout.CELL_GIVEN_UP) !== 0;
  }

  /** @returns SUBSCRIBER_ bits (assembly/layout.ts): what the subscriber says and asks for */
  readSubscriberRtcp(downAudio: number, downVideo: number, packet: Uint8Array, now: number): number {
    return this.#wasm.readSubscriberRtcp(downAudio, downVideo, this.#takeRtcp(packet), now);
  }

  /** bit/s: what the subscriber's line carries, if the last readSubscriberRtcp() had SUBSCRIBER_ESTIMATE. */
  get estimate(): number {
    return this.#cell(layout.CELL_ESTIMATE);
  }

  /** How many packets the last readSubscriberRtcp() asked for: each once, at most RETRANSMISSIONS_MAX. */
  get retransmissions(): number {
    return Math.min(this.#cell(layout.CELL_RETRANSMISSIONS), layout.RETRANSMISSIONS_MAX);
  }

  /**
   * One of those packets, translated as when it was first sent to the subscriber who asked; in its retransmission stream
   * (RFC 4588) if it has one.
   *
   * @param index 0..retransmissions - 1
   * @returns null: no longer kept, of a former source, blocked, or sent again less than a round trip (or 40 ms) ago
   */
  retransmission(index: number, now: number): Buffer | null {
    return this.#wasm.retransmit(index, now) !== 0 ? this.#readyPacket() : null;
  }

  // --- Replay ---

  /**
   * Starts a video that waits for a keyframe with the last one, out of the history.
   *
   * @param ageMax milliseconds since that keyframe came
   * @returns how many packets {@link replayed} has now; 0: it doesn't wait, or not all since the keyframe is there
   */
  beginReplay(down: number, ageMax: number, now: number): number {
    return this.#wasm.beginReplay(down, ageMax, now);
  }

  /** A packet of the replay that was begun last, by its position; to be sent in that order. */
  replayed(position: number, now: number): Buffer | null {
    return this.#wasm.replayed(position, now) !== 0 ? this.#readyPacket() : null;
  }

  // --- Reading ---

  /** When the last packet was admitted; 0: none. */
  lastPacketAt(up: number): number {
    return this.#wasm.lastPacketAt(up);
  }

  /** Active, unblocked down tracks of a video track that can't go on without a keyframe. */
  waitingForKeyframe(up: number): number {
    return this.#wasm.waitingForKeyframe(up);
  }

  /** Packets that the subscriber newly reported lost since the last call. */
  takeLost(down: number): number {
    return this.#wasm.takeLostOfSubscriber(down);
  }

  /** Packets of the publisher missing since the last call. */
  takeLostUp(up: number): number {
    return this.#wasm.takeLostOfPublisher(up);
  }

  /** How loud the publisher was since the last call: 0 (silence, or it does not tell) .. 127, which is 0 dBov. */
  takeLoudness(up: number): number {
    return this.#wasm.takeLoudness(up);
  }

  /** Milliseconds, from the subscriber's last report about our sender reports; 0: unknown. */
  roundTripTime(down: number): number {
    return this.#wasm.roundTripTime(down);
  }

  /** One STATISTIC_ of an up track (assembly/layout.ts); 0: no such track. */
  upTrackStatistic(up: number, statistic: number): number {
    return this.#wasm.upTrackStatistic(up, statistic);
  }

  /** One STATISTIC_ of a down track; 0: no such track. */
  downTrackStatistic(down: number, statistic: number): number {
    return this.#wasm.downTrackStatistic(down, statistic);
  }

  #check(found: number, direction: 'up' | 'down', track: number): void {
    if (found === 0) throw new RangeError(`There is no ${direction} track ${track}.`);
  }

  #cell(cell: number): number {
    return this.#cells[cell] ?? 0;
  }

  /** The whole memory's bytes, up to and past the packet at an address: a grown memory needs a new view. */
  #view(address: number): Uint8Array {
    if (address + layout.PACKET_CAPACITY > this.#bytes.length) this.#bytes = new Uint8Array(this.#memory.buffer);
    checkPacketAddress(address, this.#bytes.length);
    return this.#bytes;
  }

  #readyPacket(): Buffer {
    const address = this.#cell(layout.CELL_PACKET);
    const length = this.#cell(layout.CELL_PACKET_LENGTH);
    if (length < 0 || length > layout.PACKET_CAPACITY) throw new EngineFault(`No packet has ${length} bytes.`);
    return Buffer.from(this.#view(address).buffer, address, length);
  }

  /** Copies RTP to where the engine reads it; the engine judges the length too, only bytes that fit are copied. */
  #takePacket(packet: Uint8Array): void {
    this.#packet = null;
    if (packet.length > layout.PACKET_CAPACITY) return;
    const inbox = this.#cell(layout.CELL_INBOX);
    this.#view(inbox).set(packet, inbox);
  }

  /** Copies RTCP to where the engine reads it; a length out of bounds is for the engine to refuse and count. */
  #takeRtcp(packet: Uint8Array): number {
    if (packet.length <= layout.PACKET_CAPACITY) this.#bytes.set(packet, layout.RTCP_INBOX_START);
    return packet.length;
  }

  #rtcp(length: number): Buffer | null {
    if (length === 0) return null;
    const words = length >> 2;
    let view = this.#outbox[words];
    if (view === undefined) {
      view = Buffer.from(this.#cells.buffer, layout.RTCP_OUTBOX_START, length);
      this.#outbox[words] = view;
    }
    return view;
  }
}

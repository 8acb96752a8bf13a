/** The built packet engine on a memory of its own, with a publisher and subscribers as tests need them. */
import { readFileSync } from 'node:fs';
import { FORWARD } from '../../assembly/layout.js';
import { Engine } from '../../workers/engine.js';
import type { Codec, DownTrackParameters, HeaderExtensions, UpTrackParameters } from '../../workers/protocol.js';
import { type RtpView, readRtp } from './rtp.js';

export const ENGINE_URL = new URL('../../engine.wasm', import.meta.url);
const module = new WebAssembly.Module(readFileSync(ENGINE_URL));

export const PUBLISHER = 1;
export const SUBSCRIBER = 2;
export const AUDIO_PT = 111;
export const VIDEO_PT = 96;
export const RTX_PT = 97;

export function upParameters(codec: Codec, extensions: HeaderExtensions = {}): UpTrackParameters {
  const audio = codec === 'opus';
  return {
    kind: audio ? 'audio' : 'video',
    codec,
    payloadType: audio ? AUDIO_PT : VIDEO_PT,
    rtxPayloadType: audio ? null : RTX_PT,
    ssrc: null,
    clockRate: audio ? 48000 : 90000,
    extensions,
  };
}

export function downParameters(
  kind: 'audio' | 'video',
  fields: Partial<DownTrackParameters> = {},
): DownTrackParameters {
  return {
    kind,
    payloadType: kind === 'audio' ? 109 : 100,
    rtxPayloadType: null,
    ssrc: kind === 'audio' ? 0xaaaa0001 : 0xbbbb0001,
    rtxSsrc: null,
    extensions: {},
    ...fields,
  };
}

/** An engine with one joined publisher: an Opus track and a video track. */
export class Stage {
  readonly engine: Engine;
  readonly memory: WebAssembly.Memory;
  readonly audio: number;
  readonly video: number;

  private constructor(engine: Engine, memory: WebAssembly.Memory, codec: Codec, extensions: HeaderExtensions) {
    this.engine = engine;
    this.memory = memory;
    this.audio = engine.addUpTrack('audio');
    this.video = engine.addUpTrack('video');
    engine.configureUpTrack(this.audio, upParameters('opus', extensions));
    engine.configureUpTrack(this.video, upParameters(codec, extensions));
    engine.setUpTrackUser(this.audio, PUBLISHER);
    engine.setUpTrackUser(this.video, PUBLISHER);
  }

  static async open(codec: Codec = 'vp8', extensions: HeaderExtensions = {}): Promise<Stage> {
    const memory = Engine.createMemory();
    return new Stage(await Engine.create(module, memory), memory, codec, extensions);
  }

  /** An active down track of the publisher. */
  subscribe(kind: 'audio' | 'video', fields: Partial<DownTrackParameters> = {}, user = SUBSCRIBER): number {
    const down = this.engine.addDownTrack(this[kind], downParameters(kind, fields), user);
    this.engine.setDownTrackActive(down, true);
    return down;
  }

  receive(packet: Buffer, now: number): number {
    return this.engine.receive(this.audio, this.video, packet, now);
  }

  /** Sends a packet through to one subscriber: what it gets, or the verdict of whoever dropped it. */
  relay(packet: Buffer, down: number, now: number): RtpView | number {
    const admitted = this.receive(packet, now);
    if (admitted !== FORWARD) return admitted;
    const verdict = this.engine.translate(down, now);
    return verdict === FORWARD ? readRtp(this.engine.packet) : verdict;
  }

  /** The same for a packet that must arrive. */
  relayed(packet: Buffer, down: number, now: number): RtpView {
    const view = this.relay(packet, down, now);
    if (typeof view === 'number') throw new Error(`dropped with verdict ${view}`);
    return view;
  }
}

/** Beyond so many readings without a new packet the sound has ended. */
const SILENT_READINGS = 3;

/**
 * How loud what a PeerConnection receives is, as its packets say (RFC 6464). Reading it costs next to nothing, so that
 * a talking person is seen at once, also among many.
 */
export class Loudness {
  #timestamp = -1;
  #unchanged = 0;

  /** @returns 0..1; null where the packets say nothing of it */
  read(pc: RTCPeerConnection): number | null {
    const sources = pc
      .getReceivers()
      .filter(({ track }) => track.kind === 'audio')
      .flatMap((receiver) => receiver.getSynchronizationSources());
    const newest = sources.sort((a, b) => b.timestamp - a.timestamp)[0];
    if (!newest) return 0;
    this.#unchanged = newest.rtpTimestamp === this.#timestamp ? this.#unchanged + 1 : 0;
    this.#timestamp = newest.rtpTimestamp;
    if (this.#unchanged >= SILENT_READINGS) return 0;
    return newest.audioLevel ?? null;
  }
}

/** How loud a stream of this machine is; `stop` lets go of it. */
export function listen(stream: MediaStream): { read(): number; stop(): void } {
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  audio.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    read() {
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    },
    stop: () => void audio.close(),
  };
}

/** A loudness as a share of a bar, 0..100: it is heard by its logarithm, and the root is near enough. */
export function barWidth(level: number): number {
  return Math.round(100 * Math.min(1, Math.sqrt(level) * 1.5));
}

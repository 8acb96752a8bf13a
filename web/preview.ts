import { barWidth, listen } from './loudness.js';
import { type ChosenDevices, openSource, type SourceKind } from './media-source.js';
import type { MediaSource } from './test-pattern.js';

const METER_INTERVAL_MS = 100;

/** What would be sent, before anybody else sees it. */
export class Preview {
  readonly #root: HTMLElement;
  readonly #video: HTMLVideoElement;
  readonly #words: HTMLElement;
  readonly #meter: HTMLMeterElement;
  #source: MediaSource | null = null;
  #kind: SourceKind = 'none';
  #stopMeter = () => {};
  /** Counts what was asked for: an answer that comes after the next question is of no use. */
  #asked = 0;

  /** @param root with a video, a paragraph and a meter in it */
  constructor(root: HTMLElement) {
    const [video, words, meter] = [root.querySelector('video'), root.querySelector('p'), root.querySelector('meter')];
    if (!video || !words || !meter) throw new Error('the preview has no video, p or meter');
    this.#root = root;
    this.#video = video;
    this.#words = words;
    this.#meter = meter;
  }

  /** Shows another source in place of the one before. */
  async show(kind: SourceKind, name: string, devices: ChosenDevices): Promise<void> {
    this.close();
    const asked = this.#asked;
    this.#words.textContent = kind === 'none' ? 'You will be there without picture and sound.' : 'One moment …';
    try {
      const source = await openSource(kind, name, devices);
      if (asked !== this.#asked) return source.stop();
      this.#source = source;
      this.#kind = kind;
      this.#picture(source.stream);
    } catch (error) {
      if (asked === this.#asked) this.#words.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  /** Gives away what is shown, if it is of this kind; from then on it is the taker's to stop. */
  take(kind: SourceKind): MediaSource | null {
    const source = this.#kind === kind ? this.#source : null;
    if (source) this.#source = null;
    this.close();
    return source;
  }

  close(): void {
    this.#asked += 1;
    this.#stopMeter();
    this.#source?.stop();
    this.#source = null;
    this.#video.srcObject = null;
    this.#root.dataset.picture = 'false';
  }

  #picture(stream: MediaStream | null): void {
    const pictures = stream?.getVideoTracks().length ?? 0;
    this.#root.dataset.picture = String(pictures > 0);
    this.#video.srcObject = pictures > 0 ? stream : null;
    if (this.#kind === 'none') return;
    this.#words.textContent = pictures > 0 ? 'This is what the others will see.' : 'Say something: the bar moves.';
    if (stream && this.#kind !== 'pattern') this.#measure(stream);
  }

  #measure(stream: MediaStream): void {
    const loudness = listen(stream);
    const timer = setInterval(() => {
      this.#meter.value = barWidth(loudness.read());
    }, METER_INTERVAL_MS);
    this.#meter.hidden = false;
    this.#stopMeter = () => {
      clearInterval(timer);
      loudness.stop();
      this.#meter.hidden = true;
      this.#stopMeter = () => {};
    };
  }
}

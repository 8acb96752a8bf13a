import type { MemberState } from '../src/client/index.js';
import { describeStats, readStats } from './media-stats.js';
import { nameHue } from './test-pattern.js';

const STATS_INTERVAL_MS = 250;
/** Loudness (0..1) from which a tile counts as speaking. */
const SPEAKING_LEVEL = 0.02;
/** A picture that hasn't moved for so long is a frozen one: the initial is shown in its place. */
const FROZEN_MS = 3_000;

export interface TileContent {
  state: MemberState;
  /** Shown in place of the figures when not empty. */
  note: string;
  stream: MediaStream | null;
  pc: RTCPeerConnection | null;
  /** What the button does; null without a button. */
  action: 'Block' | 'Unblock' | null;
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, className: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

/** One person's picture, sound level, state and figures. Says all of it in `data-` attributes too. */
export class Tile {
  readonly root = element('div', 'tile');
  readonly #video = element('video', '');
  readonly #state = element('span', 'state');
  readonly #meter = element('div', 'meter');
  readonly #level = element('i', '');
  readonly #facts = element('span', 'facts');
  readonly #button = element('button', '');
  readonly #own: boolean;
  readonly #timer: ReturnType<typeof setInterval>;
  #content: TileContent = { state: 'connecting', note: '', stream: null, pc: null, action: null };
  #frames = 0;
  #framesChanged = 0;
  #reading = false;

  /** @param own true for this page's own tile: muted, and its figures are of what it sends */
  constructor(user: string, name: string, own: boolean, onAction: () => void, onSoundRefused: () => void) {
    this.#own = own;
    this.root.dataset.user = user;
    this.root.dataset.own = String(own);
    this.root.dataset.video = 'false';
    this.root.style.background = `hsl(${nameHue(name)} 28% 22%)`;
    this.#video.autoplay = true;
    this.#video.playsInline = true;
    this.#video.muted = own;
    this.#video.addEventListener('loadedmetadata', () => {
      this.#video.play().catch((error) => {
        if (error instanceof DOMException && error.name === 'NotAllowedError') onSoundRefused();
      });
    });
    this.#meter.title = 'Sound level';
    this.#meter.append(this.#level);
    this.#button.type = 'button';
    this.#button.addEventListener('click', onAction);
    const initial = element('span', 'initial');
    initial.textContent = name.slice(0, 1).toUpperCase();
    const who = element('span', 'who');
    who.textContent = own ? `${name} (you)` : name;
    const caption = element('div', 'caption');
    caption.append(who, this.#facts, this.#button);
    this.root.append(initial, this.#video, this.#state, this.#meter, caption);
    this.#timer = setInterval(() => void this.#measure(), STATS_INTERVAL_MS);
  }

  show(content: TileContent): void {
    this.#content = content;
    this.root.dataset.state = content.state;
    this.#state.textContent = content.state;
    if (this.#video.srcObject !== content.stream) this.#video.srcObject = content.stream;
    this.#button.hidden = content.action === null;
    this.#button.textContent = content.action ?? '';
    if (content.note) this.#facts.textContent = content.note;
    this.#facts.title = content.note;
  }

  set silent(silent: boolean) {
    this.#video.muted = silent || this.#own;
  }

  /** Stops measuring and takes the tile away. */
  remove(): void {
    clearInterval(this.#timer);
    this.#video.srcObject = null;
    this.root.remove();
  }

  async #measure(): Promise<void> {
    const { pc, note } = this.#content;
    if (!pc || pc.connectionState === 'closed' || this.#reading) {
      if (!pc || pc.connectionState === 'closed') this.#picture(this.#own && this.#content.stream !== null, 0);
      return;
    }
    this.#reading = true;
    try {
      const stats = await readStats(pc, this.#own ? 'outbound' : 'inbound');
      if (stats.frames !== this.#frames) {
        this.#frames = stats.frames;
        this.#framesChanged = performance.now();
      }
      const moving = stats.frames > 0 && performance.now() - this.#framesChanged < FROZEN_MS;
      this.#picture(moving || (this.#own && hasPicture(this.#content.stream)), stats.soundLevel);
      if (!note) this.#facts.textContent = describeStats(stats);
    } finally {
      this.#reading = false;
    }
  }

  #picture(visible: boolean, soundLevel: number): void {
    this.root.dataset.video = String(visible);
    this.root.dataset.frames = String(this.#frames);
    this.root.dataset.speaking = String(soundLevel > SPEAKING_LEVEL);
    // Loudness is heard by its logarithm; the root is near enough for a bar.
    this.#level.style.width = `${Math.round(100 * Math.min(1, Math.sqrt(soundLevel) * 1.5))}%`;
  }
}

function hasPicture(stream: MediaStream | null): boolean {
  return stream?.getVideoTracks().some((track) => track.readyState === 'live') ?? false;
}

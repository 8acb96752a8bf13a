import type { MemberState } from '../src/client/index.js';
import { barWidth, Loudness } from './loudness.js';
import { describeChange, describeStats, type MediaStats, readStats } from './media-stats.js';
import { element, fillTerms } from './shared/dom.js';
import { nameHue } from './test-pattern.js';

const LOUDNESS_INTERVAL_MS = 150;
/** Statistics are read at every n-th reading of the loudness. */
const STATS_EVERY = 6;
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

export interface TileOptions {
  user: string;
  name: string;
  /** `own`: muted, and its figures are of what is sent. */
  kind: 'own' | 'person' | 'screen';
  onAction: () => void;
  onSoundRefused: () => void;
}

/** One person's picture, sound level, state and figures. Says all of it in `data-` attributes too. */
export class Tile {
  readonly root: HTMLElement;
  readonly #video = element('video', { set: { autoplay: '', playsinline: '' } });
  readonly #state = element('span', { class: 'state' });
  readonly #microphone = element('span', { class: 'microphone', text: 'muted' });
  readonly #level = element('i');
  readonly #facts = element('span', { class: 'facts' });
  readonly #action = element('button', { set: { type: 'button' } });
  readonly #detailsButton = element('button', { text: 'Details', set: { type: 'button', 'aria-expanded': 'false' } });
  readonly #details = element('dl', { class: 'details' });
  readonly #options: TileOptions;
  readonly #loudness = new Loudness();
  readonly #timer: ReturnType<typeof setInterval>;
  #content: TileContent = { state: 'connecting', note: '', stream: null, pc: null, action: null };
  #stats: MediaStats | null = null;
  /** Those that the details were last made of. */
  #shown: MediaStats | null = null;
  #framesChanged = 0;
  #reading = false;
  #turn = 0;

  constructor(options: TileOptions) {
    const { user, name, kind, onAction } = options;
    this.#options = options;
    const shownName = kind === 'own' ? `${name} (you)` : name;
    this.root = element('article', { class: 'tile', set: { 'aria-label': shownName } });
    Object.assign(this.root.dataset, { user, own: String(kind === 'own'), kind, video: 'false' });
    this.root.style.background = `hsl(${nameHue(name)} 28% 22%)`;
    this.#video.muted = kind === 'own';
    this.#video.setAttribute('aria-label', `Picture of ${shownName}`);
    this.#video.addEventListener('loadedmetadata', () => this.#play());
    this.#action.addEventListener('click', onAction);
    this.#details.hidden = true;
    this.#detailsButton.setAttribute('aria-label', `Details of ${shownName}`);
    this.#detailsButton.addEventListener('click', () => this.#showDetails(this.#details.hidden !== false));
    const meter = element('div', { class: 'meter', set: { 'aria-hidden': 'true' } }, this.#level);
    const caption = element('div', { class: 'caption' });
    this.#microphone.hidden = true;
    caption.append(
      element('span', { class: 'who', text: shownName }),
      this.#microphone,
      this.#facts,
      this.#detailsButton,
    );
    // What is on a screen is small.
    caption.append(kind === 'screen' ? this.#fullScreenButton(shownName) : this.#action);
    const initial = element('span', { class: 'initial', text: name.slice(0, 1).toUpperCase() });
    initial.setAttribute('aria-hidden', 'true');
    this.root.append(initial, this.#video, this.#state, meter, this.#details, caption);
    this.#timer = setInterval(() => void this.#measure(), LOUDNESS_INTERVAL_MS);
  }

  show(content: TileContent): void {
    if (content.pc !== this.#content.pc) {
      this.#stats = null;
      this.#shown = null;
    }
    this.#content = content;
    this.root.dataset.state = content.state;
    this.#state.textContent = content.state;
    if (this.#video.srcObject !== content.stream) this.#video.srcObject = content.stream;
    this.#action.hidden = content.action === null;
    this.#action.textContent = content.action ?? '';
    if (content.action) this.#action.setAttribute('aria-label', `${content.action} ${this.#options.name}`);
    if (content.note) this.#facts.textContent = content.note;
    this.#facts.title = content.note;
  }

  /** Whether this person's microphone is muted. */
  set muted(muted: boolean) {
    this.#microphone.hidden = !muted;
    this.root.dataset.muted = String(muted);
  }

  set silent(silent: boolean) {
    this.#video.muted = silent || this.#options.kind === 'own';
  }

  /** Stops measuring and takes the tile away. */
  remove(): void {
    clearInterval(this.#timer);
    this.#video.srcObject = null;
    this.root.remove();
  }

  #fullScreenButton(name: string): HTMLButtonElement {
    const button = element('button', {
      text: 'Full screen',
      set: { type: 'button', 'aria-label': `Full screen: ${name}` },
    });
    button.hidden = !document.fullscreenEnabled;
    button.addEventListener('click', () => {
      if (document.fullscreenElement) void document.exitFullscreen();
      else void this.root.requestFullscreen();
    });
    return button;
  }

  #play(): void {
    this.#video.play().catch((error) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.#options.onSoundRefused();
    });
  }

  #showDetails(shown: boolean): void {
    this.#details.hidden = !shown;
    this.#detailsButton.setAttribute('aria-expanded', String(shown));
    this.#details.replaceChildren();
    if (shown) fillTerms(this.#details, [['Figures', 'a moment …']]);
  }

  async #measure(): Promise<void> {
    const { pc, stream } = this.#content;
    const own = this.#options.kind === 'own';
    this.#turn += 1;
    if (!pc || pc.connectionState === 'closed') {
      this.#picture(own && hasPicture(stream), 0);
      return;
    }
    const heard = own ? null : this.#loudness.read(pc);
    const due = this.#turn % (this.#stats?.frames ? STATS_EVERY : 2) === 0;
    // Where packets don't say how loud they are, statistics do.
    if ((heard === null || due) && !this.#reading) await this.#readStats(pc);
    const moving = (this.#stats?.frames ?? 0) > 0 && performance.now() - this.#framesChanged < FROZEN_MS;
    this.#picture(own ? hasPicture(stream) : moving, heard ?? this.#stats?.soundLevel ?? 0);
  }

  async #readStats(pc: RTCPeerConnection): Promise<void> {
    this.#reading = true;
    try {
      const before = this.#stats;
      const stats = await readStats(pc, this.#options.kind === 'own' ? 'outbound' : 'inbound');
      if (this.#content.pc !== pc) return;
      if (stats.frames !== before?.frames) this.#framesChanged = performance.now();
      this.#stats = stats;
      if (!this.#content.note && this.#turn % STATS_EVERY === 0) this.#facts.textContent = describeStats(stats);
      if (before && !this.#details.hidden && this.#turn % STATS_EVERY === 0) {
        fillTerms(this.#details, describeChange(this.#reference(before), stats));
        this.#shown = stats;
      }
    } finally {
      this.#reading = false;
    }
  }

  /** Rates are of the time since they were last shown, unless that is long ago. */
  #reference(before: MediaStats): MediaStats {
    const shown = this.#shown;
    return shown && shown.at < before.at && before.at - shown.at < 3_000 ? shown : before;
  }

  #picture(visible: boolean, soundLevel: number): void {
    this.root.dataset.video = String(visible);
    this.root.dataset.frames = String(this.#stats?.frames ?? 0);
    this.root.dataset.speaking = String(soundLevel > SPEAKING_LEVEL);
    this.#level.style.width = `${barWidth(soundLevel)}%`;
  }
}

function hasPicture(stream: MediaStream | null): boolean {
  return stream?.getVideoTracks().some((track) => track.readyState === 'live') ?? false;
}

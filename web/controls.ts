import { describeError } from '../src/client/index.js';
import type { Call } from './call.js';
import { DevicePicker } from './device-picker.js';
import { type ChosenDevices, isSourceKind } from './media-source.js';
import { byId } from './shared/dom.js';

export interface ControlsParts {
  /** The stay that they steer; null between two. */
  call: () => Call | null;
  say: (problem: string) => void;
  onLeave: () => void;
  onDoctor: () => void;
  onCopy: (call: Call) => void;
}

/** The bar of buttons below a call. */
export class Controls {
  readonly #parts: ControlsParts;
  readonly #root = byId('controls', HTMLElement);
  readonly #audio = byId('mute-audio', HTMLButtonElement);
  readonly #video = byId('mute-video', HTMLButtonElement);
  readonly #share = byId('share', HTMLButtonElement);
  readonly #sound = byId('sound', HTMLButtonElement);
  readonly #source = byId('source', HTMLSelectElement);
  readonly #picker: DevicePicker;
  #silent = false;

  constructor(parts: ControlsParts) {
    this.#parts = parts;
    const lists = [byId('camera', HTMLSelectElement), byId('microphone', HTMLSelectElement)] as const;
    this.#picker = new DevicePicker(...lists, () => this.#change(this.#picker.chosen));
    this.#source.addEventListener('change', () => this.#change(this.#picker.chosen));
    this.#press(this.#audio, (call) => call.muteAudio(!call.audioMuted));
    this.#press(this.#video, (call) => call.hideVideo(!call.videoHidden));
    this.#press(this.#share, (call) => call.share());
    this.#press(this.#sound, (call) => {
      this.#silent = !this.#silent;
      call.silent = this.#silent;
      this.show();
    });
    this.#press(byId('copy', HTMLButtonElement), (call) => parts.onCopy(call));
    byId('doctor', HTMLButtonElement).addEventListener('click', parts.onDoctor);
    byId('leave', HTMLButtonElement).addEventListener('click', parts.onLeave);
  }

  /** Appears for a stay that begins. @param devices those that are in use */
  open(devices: ChosenDevices): void {
    this.#root.hidden = false;
    const call = this.#parts.call();
    if (!call) return;
    call.silent = this.#silent;
    void this.#picker.show(call.kind, devices);
    this.show();
  }

  close(): void {
    this.#root.hidden = true;
  }

  /** Says what is on and what is off. */
  show(): void {
    const call = this.#parts.call();
    if (!call) return;
    this.#source.value = call.kind;
    const pressed = (button: HTMLButtonElement, on: boolean) => button.setAttribute('aria-pressed', String(on));
    pressed(this.#audio, call.audioMuted);
    pressed(this.#video, call.videoHidden);
    pressed(this.#share, call.sharing);
    pressed(this.#sound, this.#silent);
    this.#audio.disabled = !call.has('audio');
    this.#video.disabled = !call.has('video');
  }

  #press(button: HTMLButtonElement, action: (call: Call) => void | Promise<void>): void {
    button.addEventListener('click', () => {
      const call = this.#parts.call();
      if (call) this.#run(async () => action(call));
    });
  }

  #change(devices: ChosenDevices): void {
    const call = this.#parts.call();
    const kind = this.#source.value;
    if (!call || !isSourceKind(kind)) return;
    this.#run(async () => {
      await call.change(kind, devices);
      await this.#picker.show(kind);
    });
  }

  /** What goes wrong is told, and the controls say what holds. */
  #run(action: () => Promise<void>): void {
    action().catch((error) => {
      this.#parts.say(describeError(error));
      this.show();
    });
  }
}

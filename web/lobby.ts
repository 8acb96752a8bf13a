import { DevicePicker } from './device-picker.js';
import { type ChosenDevices, isSourceKind, openSource, type SourceKind } from './media-source.js';
import { Preview } from './preview.js';
import { byId } from './shared/dom.js';
import type { MediaSource } from './test-pattern.js';

/** What somebody has chosen who wants to come in. */
export interface Wish {
  room: string;
  name: string;
  token: string | null;
  kind: SourceKind;
  devices: ChosenDevices;
  /** Already open. */
  source: MediaSource;
}

/** The form before the room: where to, under which name, and with which picture and sound. */
export class Lobby {
  readonly #form = byId('lobby', HTMLFormElement);
  readonly #room = byId('room', HTMLInputElement);
  readonly #name = byId('name', HTMLInputElement);
  readonly #token = byId('token', HTMLInputElement);
  readonly #preview = new Preview(byId('preview', HTMLElement));
  readonly #picker = new DevicePicker(
    byId('lobby-camera', HTMLSelectElement),
    byId('lobby-microphone', HTMLSelectElement),
    () => void this.#show(),
  );

  /** @param onWish the form was sent; what went wrong with devices is thrown by the promise */
  constructor(onWish: (wish: Promise<Wish>) => void) {
    for (const input of this.#choices()) input.addEventListener('change', () => void this.#show());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      onWish(this.#wish());
    });
  }

  /** `?room=&name=&token=&source=pattern|camera|microphone|none&autojoin=1` */
  readAddress(address: URLSearchParams): void {
    this.#room.value = address.get('room') ?? 'lobby';
    this.#name.value = address.get('name') ?? `guest ${Math.floor(Math.random() * 90 + 10)}`;
    this.#token.value = address.get('token') ?? '';
    const source = address.get('source');
    if (isSourceKind(source)) for (const input of this.#choices()) input.checked = input.value === source;
    if (address.get('autojoin') === '1') this.#form.requestSubmit();
    else void this.#show();
  }

  /** Shows the form again, and puts the keyboard there. */
  open(): void {
    this.#form.hidden = false;
    byId('lobby-title', HTMLElement).focus();
    void this.#show();
  }

  close(): void {
    this.#preview.close();
    this.#form.hidden = true;
  }

  #choices(): HTMLInputElement[] {
    return [...this.#form.querySelectorAll<HTMLInputElement>('input[name=source]')];
  }

  #kind(): SourceKind {
    const chosen = this.#choices().find(({ checked }) => checked)?.value ?? null;
    return isSourceKind(chosen) ? chosen : 'pattern';
  }

  async #show(): Promise<void> {
    const kind = this.#kind();
    await this.#picker.show(kind);
    await this.#preview.show(kind, this.#name.value.trim(), this.#picker.chosen);
    // Names of devices are told only to pages that were allowed to use one.
    if (!this.#form.hidden) await this.#picker.show(kind);
  }

  async #wish(): Promise<Wish> {
    const kind = this.#kind();
    const name = this.#name.value.trim();
    const devices = this.#picker.chosen;
    // The drawn picture has the name in it, which may be another one by now.
    const shown = kind === 'pattern' ? null : this.#preview.take(kind);
    const source = shown ?? (await openSource(kind, name, devices));
    return { room: this.#room.value.trim(), name, token: this.#token.value.trim() || null, kind, devices, source };
  }
}

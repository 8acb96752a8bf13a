import type { ChosenDevices, SourceKind } from './media-source.js';
import { element } from './shared/dom.js';

const REMEMBERED = 'janus-sfu.devices';

function remembered(): ChosenDevices {
  const stored: unknown = JSON.parse(localStorage.getItem(REMEMBERED) ?? 'null');
  const text = (name: string) => {
    const value: unknown = typeof stored === 'object' && stored !== null ? Reflect.get(stored, name) : '';
    return typeof value === 'string' ? value : '';
  };
  return { camera: text('camera'), microphone: text('microphone') };
}

/**
 * Two lists, of cameras and of microphones, as the browser knows them at the moment. Before a page was allowed to use
 * one, browsers tell neither names nor ids: then there is one choice only.
 */
export class DevicePicker {
  readonly #lists: { camera: HTMLSelectElement; microphone: HTMLSelectElement };
  readonly #changed: () => void;
  #kind: SourceKind = 'none';

  /** @param changed the user, or an unplugged cable, has chosen another device */
  constructor(camera: HTMLSelectElement, microphone: HTMLSelectElement, changed: () => void) {
    this.#lists = { camera, microphone };
    this.#changed = changed;
    for (const list of [camera, microphone]) {
      list.addEventListener('change', () => {
        localStorage.setItem(REMEMBERED, JSON.stringify(this.chosen));
        changed();
      });
    }
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#unplugged());
  }

  get chosen(): ChosenDevices {
    const { camera, microphone } = this.#lists;
    return { camera: camera.value, microphone: microphone.value };
  }

  /**
   * Shows the lists that a kind of source has a use for, with what is plugged in now.
   *
   * @param devices to be chosen; absent = those that are
   */
  async show(kind: SourceKind, devices: ChosenDevices = this.chosen): Promise<void> {
    this.#kind = kind;
    const wanted = { camera: kind === 'camera', microphone: kind === 'camera' || kind === 'microphone' };
    for (const name of ['camera', 'microphone'] as const) {
      const list = this.#lists[name];
      const label = list.closest('label');
      if (label) label.hidden = !wanted[name];
    }
    await this.#refresh(devices);
  }

  async #refresh(chosen: ChosenDevices): Promise<void> {
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    const before = remembered();
    for (const [name, kind, any] of [
      ['camera', 'videoinput', 'any camera'],
      ['microphone', 'audioinput', 'any microphone'],
    ] as const) {
      const known = all.filter((device) => device.kind === kind && device.deviceId !== '');
      const options = known.map(({ deviceId, label }, index) =>
        element('option', { text: label || `${name} ${index + 1}`, set: { value: deviceId } }),
      );
      this.#lists[name].replaceChildren(element('option', { text: any, set: { value: '' } }), ...options);
      const wanted = chosen[name] || before[name];
      this.#lists[name].value = known.some(({ deviceId }) => deviceId === wanted) ? wanted : '';
    }
  }

  /** The device in use may be gone: then the browser's choice takes its place. */
  async #unplugged(): Promise<void> {
    const before = this.chosen;
    await this.#refresh(before);
    const now = this.chosen;
    const lost = (name: keyof ChosenDevices) => before[name] !== '' && now[name] !== before[name];
    if (this.#kind !== 'none' && (lost('camera') || lost('microphone'))) this.#changed();
  }
}

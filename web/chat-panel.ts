import { element } from './shared/dom.js';
import { nameHue } from './test-pattern.js';

/** Older lines are dropped: the others decide how much they write. */
const LONGEST_HISTORY = 200;

/** The list of messages and news beside the tiles, read aloud as it grows. */
export class ChatPanel {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  message(name: string, text: string): void {
    const who = element('b', { text: name });
    who.style.setProperty('--hue', String(nameHue(name)));
    this.#append(element('li', {}, who, text));
  }

  news(text: string): void {
    this.#append(element('li', { class: 'news', text }));
  }

  clear(): void {
    this.#list.replaceChildren();
  }

  #append(line: HTMLElement): void {
    this.#list.append(line);
    while (this.#list.childElementCount > LONGEST_HISTORY) this.#list.firstElementChild?.remove();
    line.scrollIntoView({ block: 'nearest' });
  }
}

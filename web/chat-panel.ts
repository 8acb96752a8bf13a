import { nameHue } from './test-pattern.js';

/** Older lines are dropped: the others decide how much they write. */
const LONGEST_HISTORY = 200;

/** The list of messages and news beside the tiles. */
export class ChatPanel {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  message(name: string, text: string): void {
    const line = document.createElement('li');
    const who = document.createElement('b');
    who.textContent = name;
    who.style.color = `hsl(${nameHue(name)} 70% 70%)`;
    line.append(who, text);
    this.#append(line);
  }

  news(text: string): void {
    const line = document.createElement('li');
    line.className = 'news';
    line.textContent = text;
    this.#append(line);
  }

  clear(): void {
    this.#list.replaceChildren();
  }

  #append(line: HTMLElement): void {
    this.#list.append(line);
    while (this.#list.childElementCount > LONGEST_HISTORY) this.#list.firstElementChild?.remove();
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}

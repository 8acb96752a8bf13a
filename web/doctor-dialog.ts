import { examine, type Finding } from './doctor.js';
import type { ServerConfig } from './server-config.js';
import { byId, element } from './shared/dom.js';

const VERDICTS: Record<Finding['verdict'], string> = { well: 'fine', minor: 'limited', ill: 'problem' };

/** Shows what the doctor finds, as it is found. */
export class DoctorDialog {
  readonly #dialog = byId('doctor-dialog', HTMLDialogElement);
  readonly #list = byId('findings', HTMLElement);
  readonly #again = byId('doctor-again', HTMLButtonElement);
  readonly #copy = byId('doctor-copy', HTMLButtonElement);
  readonly #config: () => Promise<ServerConfig>;
  #found: Finding[] = [];

  /** @param config asks the page's server anew */
  constructor(config: () => Promise<ServerConfig>) {
    this.#config = config;
    this.#again.addEventListener('click', () => void this.#examine());
    this.#copy.addEventListener('click', () => void this.#copyText());
    byId('doctor-close', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
  }

  open(): void {
    this.#dialog.showModal();
    void this.#examine();
  }

  async #examine(): Promise<void> {
    this.#again.disabled = true;
    this.#found = [];
    this.#list.replaceChildren();
    this.#list.setAttribute('aria-busy', 'true');
    for await (const finding of examine(this.#config())) {
      this.#found.push(finding);
      const verdict = element('span', { class: 'verdict', text: VERDICTS[finding.verdict] });
      const line = element(
        'li',
        {},
        element('b', { text: finding.step }),
        verdict,
        element('p', { text: finding.words }),
      );
      line.dataset.verdict = finding.verdict;
      this.#list.append(line);
    }
    this.#list.setAttribute('aria-busy', 'false');
    this.#again.disabled = false;
  }

  async #copyText(): Promise<void> {
    const lines = this.#found.map(({ step, verdict, words }) => `${VERDICTS[verdict]}: ${step}. ${words}`);
    const text = [navigator.userAgent, ...lines].join('\n');
    // Without https or localhost there is no clipboard: then the text can be selected and copied by hand.
    const copied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    this.#copy.textContent = copied ? 'Copied' : 'Select the text to copy it';
  }
}

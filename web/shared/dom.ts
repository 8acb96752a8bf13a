/** Small helpers around the document, for the page and the dashboard. */

/** @throws Error if the page's own markup has no such element */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} with the id "${id}"`);
  return found;
}

export interface Extras {
  class?: string;
  text?: string;
  /** Any attributes, such as `aria-label`. */
  set?: Record<string, string>;
}

/** A new element with what is in it. Text is never read as markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  { class: className, text, set = {} }: Extras = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className !== undefined) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [attribute, value] of Object.entries(set)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** A new element of a drawing. */
export function drawn<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Record<string, string | number>,
  ...children: (Node | string)[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  made.append(...children);
  return made;
}

/** Pairs of terms and values; only what has changed is written, so that a reader's place is kept. */
export function fillTerms(list: HTMLElement, terms: readonly (readonly [string, string])[]): void {
  if (list.childElementCount !== 2 * terms.length) {
    list.replaceChildren(...terms.flatMap(([term]) => [element('dt', { text: term }), element('dd')]));
  }
  terms.forEach(([term, value], index) => {
    const [name, content] = [list.children[2 * index], list.children[2 * index + 1]];
    if (name && name.textContent !== term) name.textContent = term;
    if (content && content.textContent !== value) content.textContent = value;
  });
}

import { element } from '../shared/dom.js';

export interface Column<Row> {
  title: string;
  value: (row: Row) => string;
  /** Figures stand at the right. */
  figures?: boolean;
}

export interface Action<Row> {
  /** By row where it says what the button would change; null = nothing can be done about this one. */
  label: string | ((row: Row) => string | null);
  /** For those who hear the button alone: what it acts on. */
  name: (row: Row) => string;
  run: (row: Row) => void;
  danger?: boolean;
}

interface Line<Row> {
  root: HTMLTableRowElement;
  cells: HTMLTableCellElement[];
  buttons: HTMLButtonElement[];
  row: Row;
}

/** A table whose rows stay the same elements while their values change, so that nobody loses the focus or the place. */
export class Table<Row> {
  readonly #body = element('tbody');
  readonly #columns: readonly Column<Row>[];
  readonly #keyOf: (row: Row) => string;
  readonly #actions: readonly Action<Row>[];
  readonly #lines = new Map<string, Line<Row>>();

  /** @param caption what is in it, for those who don't see the heading above */
  constructor(
    root: HTMLElement,
    caption: string,
    columns: readonly Column<Row>[],
    keyOf: (row: Row) => string,
    actions: readonly Action<Row>[] = [],
  ) {
    this.#columns = columns;
    this.#keyOf = keyOf;
    this.#actions = actions;
    const titles = columns.map(({ title, figures }) => cell('th', title, figures ?? false));
    for (const title of titles) title.setAttribute('scope', 'col');
    if (actions.length > 0)
      titles.push(element('th', { set: { scope: 'col' } }, element('span', { class: 'unseen', text: 'What to do' })));
    const head = element('thead', {}, element('tr', {}, ...titles));
    // Wide tables scroll in what is around them, and the keyboard must get there.
    const around = root.parentElement;
    for (const [name, value] of [
      ['role', 'region'],
      ['aria-label', `Table: ${caption}`],
      ['tabindex', '0'],
    ] as const) {
      around?.setAttribute(name, value);
    }
    root.replaceChildren(element('caption', { class: 'unseen', text: caption }), head, this.#body);
  }

  update(rows: readonly Row[]): void {
    const seen = new Set<string>();
    for (const row of rows) {
      const key = this.#keyOf(row);
      seen.add(key);
      const line = this.#lines.get(key) ?? this.#newLine(key, row);
      line.row = row;
      this.#columns.forEach(({ value }, index) => {
        const shown = line.cells[index];
        const text = value(row);
        if (shown && shown.textContent !== text) shown.textContent = text;
      });
      line.buttons.forEach((button, index) => {
        const action = this.#actions[index];
        if (action) nameButton(button, action, row);
      });
    }
    for (const [key, { root }] of this.#lines) {
      if (seen.has(key)) continue;
      root.remove();
      this.#lines.delete(key);
    }
    rows.forEach((row, index) => {
      const root = this.#lines.get(this.#keyOf(row))?.root;
      // Only what stands elsewhere is moved: moving takes the focus away.
      if (root && this.#body.children[index] !== root)
        this.#body.insertBefore(root, this.#body.children[index] ?? null);
    });
  }

  #newLine(key: string, row: Row): Line<Row> {
    const cells = this.#columns.map(({ figures }, index) => cell(index === 0 ? 'th' : 'td', '', figures ?? false));
    cells[0]?.setAttribute('scope', 'row');
    const root = element('tr', {}, ...cells);
    const line: Line<Row> = { root, cells, buttons: [], row };
    line.buttons = this.#actions.map((one) => this.#button(line, one));
    if (this.#actions.length > 0) root.append(element('td', { class: 'actions' }, ...line.buttons));
    this.#body.append(root);
    this.#lines.set(key, line);
    return line;
  }

  #button(line: Line<Row>, action: Action<Row>): HTMLButtonElement {
    const { run, danger } = action;
    const button = element('button', { set: { type: 'button' } });
    nameButton(button, action, line.row);
    if (danger) button.className = 'danger';
    button.addEventListener('click', () => run(line.row));
    return button;
  }
}

/** Only what has changed is written: a button that is being pressed must stay as it is. */
function nameButton<Row>(button: HTMLButtonElement, { label, name }: Action<Row>, row: Row): void {
  const text = typeof label === 'string' ? label : label(row);
  button.hidden = text === null;
  if (text === null || button.textContent === text) return;
  button.textContent = text;
  button.setAttribute('aria-label', `${text} ${name(row)}`);
}

function cell(name: 'th' | 'td', text: string, figures: boolean): HTMLTableCellElement {
  const made = element(name, { text });
  if (figures) made.className = 'figures';
  return made;
}

import { drawn, element } from '../shared/dom.js';
import { shortNumber } from './rates.js';

/** Seconds that are shown. */
const SPAN = 120;
const WIDTH = 320;
const HEIGHT = 110;
const LEFT = 44;
const BOTTOM = 18;
const TOP = 8;

export interface PlotOptions {
  title: string;
  unit: string;
  lines: readonly string[];
}

/** The next of 1, 2, 5, 10, … that is not below the value: the top of the scale. */
export function roundUp(value: number): number {
  if (value <= 1) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * size).find((top) => top >= value) ?? 10 * size;
}

/** `545 kbit/s`, `187/s`, `0.5 ms`. */
function withUnit(value: number, unit: string): string {
  const short = shortNumber(value);
  return /\D$/.test(short) || unit.startsWith('/') ? short + unit : `${short} ${unit}`;
}

/** Lines over the last two minutes, drawn anew with each value. */
export class Plot {
  readonly root = element('figure');
  readonly #options: PlotOptions;
  readonly #words = element('figcaption');
  readonly #drawing = drawn('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' });
  readonly #paths: SVGPathElement[];
  readonly #top = drawn('text', { x: LEFT - 6, y: TOP + 8, 'text-anchor': 'end' });
  #points: { at: number; values: number[] }[] = [];

  constructor(options: PlotOptions) {
    this.#options = options;
    this.#paths = options.lines.map((_, index) => drawn('path', { class: `line line-${index}` }));
    const floor = HEIGHT - BOTTOM;
    const frame = drawn('path', { class: 'frame', d: `M${LEFT} ${TOP}V${floor}H${WIDTH}` });
    const half = drawn('path', { class: 'grid', d: `M${LEFT} ${(TOP + floor) / 2}H${WIDTH}M${LEFT} ${TOP}H${WIDTH}` });
    const label = (text: string, x: number, anchor: string, y = HEIGHT - 4) =>
      drawn('text', { x, y, 'text-anchor': anchor }, text);
    this.#drawing.append(
      half,
      frame,
      this.#top,
      label('0', LEFT - 6, 'end', floor),
      label('2 min ago', LEFT, 'start'),
      label('now', WIDTH, 'end'),
      ...this.#paths,
    );
    this.root.append(this.#words, this.#drawing);
  }

  /** @param at milliseconds */
  push(at: number, values: number[]): void {
    this.#points.push({ at, values });
    this.#points = this.#points.filter((point) => at - point.at <= SPAN * 1000);
    this.#draw(at);
  }

  #draw(now: number): void {
    const { title, unit, lines } = this.#options;
    const top = roundUp(Math.max(...this.#points.flatMap(({ values }) => values)));
    this.#top.textContent = shortNumber(top);
    const x = (at: number) => WIDTH - ((now - at) / (SPAN * 1000)) * (WIDTH - LEFT);
    const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
    this.#paths.forEach((path, index) => {
      const steps = this.#points.map(({ at, values }) => `${x(at).toFixed(1)} ${y(values[index] ?? 0).toFixed(1)}`);
      path.setAttribute('d', `M${steps.join('L')}`);
    });
    const last = this.#points.at(-1)?.values ?? [];
    const legend = lines.map((line, index) => {
      const value = withUnit(last[index] ?? 0, unit);
      return element('span', { class: `key key-${index}`, text: line === '' ? value : `${line} ${value}` });
    });
    this.#words.replaceChildren(element('b', { text: title }), ...legend);
    this.#drawing.setAttribute('aria-label', `${title}: ${legend.map(({ textContent }) => textContent).join(', ')}`);
  }
}

/**
 * Line plots as SVG text, for docs: with a title and a description for those who can't see them, series told apart by marker
 * and line as well as by colour, light or dark as the reader's system is. Pure.
 */

export interface Series {
  name: string;
  /** x and y, in any order; what is not finite is left out. */
  points: readonly (readonly [number, number])[];
}

export interface Plot {
  title: string;
  /** What is to be seen, in a sentence. */
  description: string;
  x: string;
  y: string;
  series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 400;
const INNER = { left: 70, right: 24, top: 84, bottom: 56 };
/** Of the palette of Okabe and Ito, for all kinds of colour vision: on light ground and on dark. */
const COLOURS = [
  ['#0072b2', '#56b4e9'],
  ['#d55e00', '#e69f00'],
  ['#00795a', '#2fcf9f'],
  ['#a8407e', '#e79ac6'],
] as const;
const DASHES = ['', '7 4', '2 3', '10 3 2 3'];
/** A marker's path around 0 0. */
const MARKERS = [
  'M-4 -4H4V4H-4Z',
  'M0 -5.5L5.5 4.5H-5.5Z',
  'M0 -6L6 0L0 6L-6 0Z',
  'M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z',
];

/** Steps of 1, 2 or 5 times a power of ten from 0 to at least `most`: about five of them. */
export function ticksTo(most: number): number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough * 0.999) ?? 10) * power;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const round = (value: number) => Number(value.toFixed(1));
const figure = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 4 });

/** @returns the SVG document; both axes begin at 0 */
export function plot({ title, description, x, y, series }: Plot): string {
  const all = series.map(({ name, points }) => ({
    name,
    points: points.filter(([px, py]) => Number.isFinite(px) && Number.isFinite(py)).toSorted(([a], [b]) => a - b),
  }));
  const points = all.flatMap((one) => one.points);
  const [xs, ys] = [
    ticksTo(Math.max(0, ...points.map(([px]) => px))),
    ticksTo(Math.max(0, ...points.map(([, py]) => py))),
  ];
  const [right, bottom] = [WIDTH - INNER.right, HEIGHT - INNER.bottom];
  const atX = (value: number) => round(INNER.left + ((right - INNER.left) * value) / (xs.at(-1) ?? 1));
  const atY = (value: number) => round(bottom - ((bottom - INNER.top) * value) / (ys.at(-1) ?? 1));
  const text = (px: number, py: number, content: string, attributes = '') =>
    `<text x="${px}" y="${py}"${attributes}>${escaped(content)}</text>`;
  const grid = ys.map((value) => `<path class="grid" d="M${INNER.left} ${atY(value)}H${right}"/>`);
  const labels = [
    ...ys.map((value) => text(INNER.left - 8, atY(value) + 4, figure(value), ' text-anchor="end"')),
    ...xs.map((value) => text(atX(value), bottom + 20, figure(value), ' text-anchor="middle"')),
    text((INNER.left + right) / 2, HEIGHT - 14, x, ' text-anchor="middle"'),
    text(16, 68, y),
  ];
  let legendAt = 16;
  const drawn = all.map((one, index) => {
    const kind = index % COLOURS.length;
    const line = one.points.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${atX(px)} ${atY(py)}`).join('');
    const marks = one.points.map(([px, py]) => {
      const what = `${one.name}: ${figure(px)}, ${figure(py)}`;
      return `<path d="${MARKERS[kind]}" transform="translate(${atX(px)} ${atY(py)})"><title>${escaped(what)}</title></path>`;
    });
    const legend = [
      `<path class="line" d="M${legendAt} 44h30" stroke-dasharray="${DASHES[kind]}"/>`,
      `<path d="${MARKERS[kind]}" transform="translate(${legendAt + 15} 44)"/>`,
      text(legendAt + 38, 48, one.name, ' class="name"'),
    ];
    legendAt += 62 + one.name.length * 7.4;
    return [
      `<g class="s${kind}">`,
      `<path class="line" d="${line}" stroke-dasharray="${DASHES[kind]}"/>`,
      ...marks,
      ...legend,
      '</g>',
    ];
  });
  const colours = (at: 0 | 1) => COLOURS.map((pair, kind) => `.s${kind}{fill:${pair[at]};stroke:${pair[at]}}`).join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="description">${escaped(description)}</desc>`,
    '<style>',
    'text{font:13px system-ui,sans-serif;fill:#24292f;stroke:none}.head{font-size:16px;font-weight:600}',
    '.ground{fill:#fff}.grid{stroke:#d0d7de;fill:none}.line{fill:none;stroke-width:2}',
    colours(0),
    `@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.grid{stroke:#30363d}${colours(1)}}`,
    '.s0 text,.s1 text,.s2 text,.s3 text{stroke:none}',
    '</style>',
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(16, 24, title, ' class="head"'),
    ...grid,
    ...labels,
    ...drawn.flat(),
    '</svg>',
    '',
  ].join('\n');
}

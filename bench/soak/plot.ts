/** An SVG of a soak: what the server held over time, each figure in a strip of its own. Pure. */
import type { RestingState, ServerState } from './state.js';

const WIDTH = 900;
const STRIP = 110;
const LEFT = 110;
const RIGHT = 20;
const COLOUR = '#2b6cb0';
const REST_COLOUR = '#c05621';

interface Strip {
  name: string;
  read: (state: ServerState) => number;
}

const STRIPS: readonly Strip[] = [
  { name: 'users', read: ({ users }) => users },
  { name: 'resident MiB', read: ({ resident }) => resident },
  { name: 'open files', read: ({ files }) => files },
  { name: 'threads', read: ({ threads }) => threads },
];

const escaped = (text: string) => text.replace(/[&<>]/g, (one) => `&#${one.charCodeAt(0)};`);

/** @param rests the moments at which nobody was there, drawn as dots */
export function soakPlot(title: string, states: readonly ServerState[], rests: readonly RestingState[]): string {
  const end = Math.max(1, ...states.map(({ at }) => at));
  const x = (at: number) => LEFT + (at / end) * (WIDTH - LEFT - RIGHT);
  const strips: Strip[] = [...STRIPS];
  const lines = strips.map(({ name, read }, index) => {
    const values = [...states, ...rests].map(read);
    const top = Math.max(1, ...values);
    const bottom = 40 + (index + 1) * STRIP - 20;
    const y = (value: number) => bottom - (value / top) * (STRIP - 30);
    const path = states.map(
      (state, at) => `${at === 0 ? 'M' : 'L'}${x(state.at).toFixed(1)} ${y(read(state)).toFixed(1)}`,
    );
    const dots = rests.map(
      (state) =>
        `<circle cx="${x(state.at).toFixed(1)}" cy="${y(read(state)).toFixed(1)}" r="3" fill="${REST_COLOUR}"/>`,
    );
    return [
      `<text x="10" y="${bottom - STRIP / 2 + 10}">${escaped(name)}</text>`,
      `<text x="${LEFT - 6}" y="${y(top) + 4}" text-anchor="end">${top.toFixed(0)}</text>`,
      `<text x="${LEFT - 6}" y="${bottom + 4}" text-anchor="end">0</text>`,
      `<path d="M${LEFT} ${bottom}H${WIDTH - RIGHT}" stroke="#999"/>`,
      `<path d="${path.join('')}" fill="none" stroke="${COLOUR}"/>`,
      ...dots,
    ].join('\n');
  });
  const height = 60 + strips.length * STRIP;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="22" font-size="15">${escaped(title)}</text>
${lines.join('\n')}
<text x="${LEFT}" y="${height - 8}">0</text>
<text x="${WIDTH - RIGHT}" y="${height - 8}" text-anchor="end">${(end / 60).toFixed(0)} min; dots: nobody is there</text>
</svg>
`;
}

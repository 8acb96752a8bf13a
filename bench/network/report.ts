/** The figures of runs, in words. */
import type { Viewed } from '../../test/support/media-figures.js';
import type { Result, Way } from './measure.js';
import type { Row } from './rows.js';

/** The median, with the least and the most in brackets. */
function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
  const text = (value: number | undefined) => (value ?? Number.NaN).toFixed(digits);
  const [least, most] = [text(sorted[0]), text(sorted.at(-1))];
  return least === most ? text(median) : `${text(median)} (${least}-${most})`;
}

function describeViewed(figures: readonly Viewed[]): string {
  const of = (value: (one: Viewed) => number, digits: number) => spread(figures.map(value), digits);
  return [
    `${of(({ framesPerSecond }) => framesPerSecond, 0)} fps`,
    `${of(({ secondsFrozen }) => secondsFrozen, 1)} s frozen`,
    `${of(({ audioConcealed }) => audioConcealed * 100, 0)} % concealed`,
    `${of(({ bitrate }) => bitrate / 1e6, 2)} Mbit/s`,
  ].join(', ');
}

function describe({ subject }: Row, results: readonly Result[]): string {
  if (results.length === 0) return '';
  if (subject === 'first frame')
    return `${spread(
      results.map(({ firstFrame }) => firstFrame / 1000),
      2,
    )} s`;
  if (subject === 'rate')
    return `${spread(
      results.map(({ sent }) => sent.bitrate / 1e6),
      2,
    )} Mbit/s`;
  const own = describeViewed(results.map(({ viewed }) => viewed));
  if (subject === 'window') return own;
  return `the nine: ${describeViewed(results.flatMap(({ others }) => others))}; the one: ${own}`;
}

/** One run, for those who watch. */
export function line({ row, way, viewed, others, sent, firstFrame, busy, proxyDelay, codec }: Result): string {
  const one = (seen: Viewed) =>
    [
      `${seen.framesPerSecond.toFixed(1)} fps`,
      `${seen.secondsFrozen.toFixed(2)} s frozen (${seen.secondsFrozenReported.toFixed(2)} reported)`,
      `${(seen.audioConcealed * 100).toFixed(1)} % concealed`,
      `down ${(seen.bitrate / 1e3).toFixed(0)} kbit/s ${seen.width} px`,
      `PLI ${seen.keyframeRequests} NACK ${seen.nacks} RTX ${seen.packetsRetransmitted} lost ${seen.packetsLost}`,
    ].join(', ');
  return [
    `${row.padEnd(30)} ${way.padEnd(6)} ${one(viewed)}`,
    ...(others.length > 0 ? [`others: ${describeViewed(others)}`] : []),
    `up ${(sent.bitrate / 1e3).toFixed(0)} kbit/s ${sent.framesPerSecond.toFixed(0)} fps ${sent.width} px, ` +
      `PLI ${sent.keyframeRequests} NACK ${sent.nacks} RTX ${sent.packetsRetransmitted}`,
    `first frame ${firstFrame.toFixed(0)} ms`,
    `${codec.replace('video/', '')}, CPU ${(busy * 100).toFixed(0)} %, proxy late ${proxyDelay.toFixed(0)} ms at most`,
  ].join(' | ');
}

/** A Markdown table of all runs. */
export function table(rows: readonly Row[], results: readonly Result[]): string {
  const lines = rows.map((row) => {
    const of = (way: Way) =>
      describe(
        row,
        results.filter((result) => result.row === row.name && result.way === way),
      );
    const cells = [row.name, of('ours'), of('direct'), row.reference, row.issueDirect];
    return `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
  });
  return ['| line | ours | direct | reference, earlier | direct, earlier |', '|---|---|---|---|---|', ...lines].join(
    '\n',
  );
}

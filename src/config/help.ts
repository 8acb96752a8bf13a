import { flagOf, SECTIONS } from './schema.js';
import { shownDefault } from './shown.js';
import { LOCATIONS } from './sources.js';

const WIDTH = 110;
const INDENT = 34;

/** Lines of at most the terminal's usual width, indented; Markdown's backticks are for the page only. */
function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.replaceAll('`', '').split(' ')) {
    const last = lines[lines.length - 1] ?? '';
    if (last !== '' && last.length + word.length + 1 > WIDTH - INDENT) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join(`\n${' '.repeat(INDENT)}`);
}

/** One entry of a help text: the term on the left, what it means on the right. */
export function entry(term: string, meaning: string): string {
  const left = `  ${term}`;
  const gap = left.length < INDENT - 1 ? left.padEnd(INDENT) : `${left}\n${' '.repeat(INDENT)}`;
  return `${gap}${wrapped(meaning)}\n`;
}

/** Every setting as a flag, for `--help`. */
export function settingsHelp(): string {
  const sections = SECTIONS.map(({ heading, settings }) => {
    const entries = Object.entries(settings).map(([name, setting]) => {
      const unit = setting.kind.unit === undefined ? '' : `, ${setting.kind.unit}`;
      const fallback = shownDefault(setting);
      return entry(flagOf(name), `${setting.meaning} (${setting.kind.name}${unit}${fallback && `; ${fallback}`})`);
    });
    return `${heading}:\n${entries.join('')}`;
  });
  const files = Object.entries(LOCATIONS).map(([name, meaning]) => entry(flagOf(name), meaning));
  return [...sections, `Files with settings:\n${files.join('')}`].join('\n');
}

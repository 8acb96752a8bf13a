/** One line `key = value`. */
export interface IniEntry {
  /** Of the `[section]` that it stands in; empty before the first. */
  section: string;
  key: string;
  value: string;
  /** 1.. */
  line: number;
}

/** Values may be in quotes; a comment is a line of its own that starts with `;` or `#`. */
export function parseIni(text: string): { entries: IniEntry[]; problems: string[] } {
  const entries: IniEntry[] = [];
  const problems: string[] = [];
  let section = '';
  for (const [index, whole] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = whole.trim();
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    const heading = /^\[([^\]]*)\]$/.exec(line)?.[1];
    const at = line.indexOf('=');
    if (heading !== undefined) section = heading.trim();
    else if (at < 1) problems.push(`line ${index + 1} is neither a [section] nor "key = value"`);
    else {
      const value = line.slice(at + 1).trim();
      const quoted = /^(["'])(.*)\1$/.exec(value)?.[2];
      entries.push({ section, key: line.slice(0, at).trim(), value: quoted ?? value, line: index + 1 });
    }
  }
  return { entries, problems };
}

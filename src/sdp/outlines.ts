/**
 * What the descriptions of one kind of client have in common: all but ICE and DTLS parameters. Each subscriber's answer says the same
 * again, and reading its codecs takes longest.
 */

/** Lines that say an ICE or DTLS parameter, and what may stand in for them: those of the form that browsers write. */
const PARAMETER = /^a=(?:ice-ufrag|ice-pwd|fingerprint):/;
const WELL_FORMED = /^a=(ice-ufrag|ice-pwd|fingerprint):([A-Za-z0-9+/]{4,256}|[a-z0-9-]{1,16} [0-9A-Fa-f:]{1,256})$/;

/** A description's lines with numbers in place of its ICE and DTLS parameters. */
export interface Template {
  /** `\r\n` between the lines. */
  text: string;
  /** What a parameter of the text stands for; itself if it is no such number. */
  original(parameter: string): string;
}

/** @param lines without line ends, as usableLines() keeps them */
export function templateOf(lines: readonly string[]): Template {
  const values: string[] = [];
  const replaced: string[] = [];
  for (const line of lines) {
    if (!PARAMETER.test(line)) {
      replaced.push(line);
      continue;
    }
    const [, name = '', value] = WELL_FORMED.exec(line) ?? [];
    // One that has another form is for the checks to judge, as it stands.
    if (value === undefined || (name === 'fingerprint') !== value.includes(' '))
      return { text: lines.join('\r\n'), original: (parameter) => parameter };
    const number = `=${values.length}`;
    values.push(value);
    replaced.push(`a=${name}:${name === 'fingerprint' ? `${number} ${number}` : number}`);
  }
  return {
    text: replaced.join('\r\n'),
    original: (parameter) =>
      parameter.startsWith('=') ? (values[Number(parameter.slice(1))] ?? parameter) : parameter,
  };
}

/** Templates that are kept: kinds of clients, in the roles that they play. */
const KEPT = 64;
/** Characters; a browser's answer has less than half. */
const LENGTH_MAX = 16_384;

/** What was made of the last templates; bounded, whatever clients send. */
export class Outlines<T> {
  readonly #known = new Map<string, T>();

  /** What `make` makes of a template, now or before. */
  get(template: string, make: () => T): T {
    const known = this.#known.get(template);
    if (known !== undefined) return known;
    const made = make();
    // What declares its SSRCs is never said again.
    if (template.length > LENGTH_MAX || template.includes('\na=ssrc')) return made;
    if (this.#known.size >= KEPT) this.#known.delete(this.#known.keys().next().value ?? '');
    this.#known.set(template, made);
    return made;
  }
}

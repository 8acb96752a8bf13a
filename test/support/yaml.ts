/** Reads as much of YAML as our own files use, and refuses the rest: maps, lists, text. */
export type Yaml = string | null | Yaml[] | { [key: string]: Yaml };

interface Line {
  indent: number;
  text: string;
  number: number;
}

/** @throws Error that names the line that is not understood */
export function readYaml(text: string): Yaml {
  const lines = text.split('\n').flatMap((whole, index): Line[] => {
    const trimmed = whole.trimEnd();
    const content = trimmed.trimStart();
    if (content === '' || content.startsWith('#')) return [];
    if (/\t/.test(whole)) throw new Error(`line ${index + 1}: a tab`);
    return [{ indent: trimmed.length - content.length, text: content, number: index + 1 }];
  });
  const { value, next } = readBlock(lines, 0, 0);
  if (next < lines.length) throw new Error(`line ${lines[next]?.number}: indented as nothing above it`);
  return value;
}

function readBlock(lines: readonly Line[], from: number, indent: number): { value: Yaml; next: number } {
  return lines[from]?.text.startsWith('- ') ? readList(lines, from, indent) : readMap(lines, from, indent);
}

function readList(lines: readonly Line[], from: number, indent: number): { value: Yaml; next: number } {
  const items: Yaml[] = [];
  let at = from;
  for (let line = lines[at]; line?.indent === indent; line = lines[at]) {
    if (!line.text.startsWith('- ')) throw new Error(`line ${line.number}: not an item of the list above`);
    const text = line.text.slice(2);
    if (/^[\w.-]+:( |$)/.test(text)) {
      // A map whose first key stands behind the dash.
      const own = [...lines.slice(0, at), { ...line, text, indent: indent + 2 }, ...lines.slice(at + 1)];
      const { value, next } = readMap(own, at, indent + 2);
      items.push(value);
      at = next;
    } else {
      items.push(scalar(text, line));
      at += 1;
    }
  }
  return { value: items, next: at };
}

function readMap(lines: readonly Line[], from: number, indent: number): { value: Yaml; next: number } {
  const map: { [key: string]: Yaml } = {};
  let at = from;
  for (let line = lines[at]; line?.indent === indent; line = lines[at]) {
    const [, key = '', rest = ''] = /^([\w.-]+):(?: +(.*))?$/.exec(line.text) ?? [];
    if (key === '') throw new Error(`line ${line.number}: no "key: value"`);
    if (Object.hasOwn(map, key)) throw new Error(`line ${line.number}: ${key} is there twice`);
    at += 1;
    const deeper = lines[at]?.indent ?? 0;
    if (rest !== '') map[key] = scalar(rest, line);
    else if (deeper > indent) {
      const block = readBlock(lines, at, deeper);
      map[key] = block.value;
      at = block.next;
    } else map[key] = null;
  }
  return { value: map, next: at };
}

/** Plain or quoted text; what YAML would read as something else has to be quoted. */
function scalar(text: string, { number }: Line): string {
  const quoted = /^"([^"\\]*)"$/.exec(text)?.[1];
  if (quoted !== undefined) return quoted;
  if (/^[[\]{}&*!|>'"%@`?#]|: |:$| #/.test(text) || (/^- /.test(text) && number > 0)) {
    throw new Error(`line ${number}: ${text} has to be quoted`);
  }
  return text;
}

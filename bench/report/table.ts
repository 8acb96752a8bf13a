/** Tables of figures as Markdown, with columns of equal width: readable on a terminal and in docs/. Pure. */

/** @param rows each with the same columns, whose names are the head; figures stand to the right */
export function table(rows: readonly Readonly<Record<string, string>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const isFigure = (text: string) => /^(-?[\d.,]+( ?%)?|NaN|-)?$/.test(text);
  const columns = names.map((name) => {
    const cells = rows.map((row) => row[name] ?? '');
    const right = cells.every(isFigure);
    const width = Math.max(3, name.length, ...cells.map((cell) => cell.length));
    return { right, width, pad: (text: string) => (right ? text.padStart(width) : text.padEnd(width)) };
  });
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ pad }, index) => pad(names[index] ?? ''))),
    line(columns.map(({ right, width }) => (right ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)))),
    ...rows.map((row) => line(columns.map(({ pad }, index) => pad(row[names[index] ?? ''] ?? '')))),
  ].join('\n');
}

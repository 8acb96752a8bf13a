/** Edits from one text to the other: insertions, deletions, replacements of one character (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

const LENGTH_MAX = 64;

/** The name that was probably meant by one that does not exist; null if none is near. */
export function nearest(name: string, names: Iterable<string>): string | null {
  if (name.length > LENGTH_MAX) return null;
  let best: { name: string; edits: number } | null = null;
  for (const one of names) {
    const edits = distance(name, one);
    if (edits <= Math.max(1, Math.floor(one.length / 3)) && edits < (best?.edits ?? Number.POSITIVE_INFINITY)) {
      best = { name: one, edits };
    }
  }
  return best?.name ?? null;
}

/** `; did you mean --ws-port?`, or nothing. */
export function suggestion(name: string, names: Iterable<string>): string {
  const meant = nearest(name, names);
  return meant === null ? '' : `; did you mean ${meant}?`;
}

/** Decides which word is suggested after a typing error ("did you mean"): the nearest known one. */

/** Undefined if no candidate is near enough to be a typing error. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  // No candidate contains blanks, and a no-break space cannot be seen.
  const word = typed.slice(0, 80).toLowerCase().replaceAll(/\s/g, '');
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(word, candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/**
 * The end of a message: `; did you mean "x"?`, or else the hint, if any. What follows is appended with `withHint`.
 *
 * @param otherwise without the semicolon
 */
export function didYouMean(typed: string, candidates: Iterable<string>, otherwise = ''): string {
  const guess = nearest(typed, candidates);
  if (guess !== undefined && guess !== typed) return `; did you mean "${guess}"?`;
  return otherwise && `; ${otherwise}`;
}

/** The message with a hint, which is a new sentence if the message is a question. */
export function withHint(message: string, hint: string): string {
  if (!message.endsWith('?')) return `${message}; ${hint}`;
  return `${message} ${hint.charAt(0).toUpperCase()}${hint.slice(1)}`;
}

/** Insertions, deletions, replacements, and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        at(previous, j) + 1,
        at(row, j - 1) + 1,
        at(previous, j - 1) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(before, j - 2) + 1);
      }
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return at(previous, b.length);
}

function at(row: number[], j: number): number {
  return row[j] ?? Number.POSITIVE_INFINITY;
}

/** How many lines came and went. */
import { diffLines } from 'diff';

const mayTake = 1000;

export function changedLines(from: string, to: string): { added: number; removed: number } {
  const changes = diffLines(from, to, { timeout: mayTake });
  if (!changes) return { added: lines(to), removed: lines(from) };
  let added = 0;
  let removed = 0;
  for (const change of changes) {
    if (change.added) added += change.count;
    else if (change.removed) removed += change.count;
  }
  return { added, removed };
}

function lines(text: string) {
  return text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

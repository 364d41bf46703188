/** Computes the changes from one text to another (diff), and decides when it gives up because it takes too long. */
import { count, oneLine } from '@skolo/base';
import { createTwoFilesPatch, diffLines, FILE_HEADERS_ONLY } from 'diff';

/** Time limit in milliseconds, because it blocks this process. */
const mayTake = 1000;
/** If that is not enough, changes of up to this many lines are still shown: all old lines, then all new ones. */
const shownUpTo = 20_000;

/** A unified diff that `patch` accepts; `''` if the texts are equal. One sentence if the changes are too large to compare. */
export function difference(from: string, to: string, names: { from: string; to: string }): string {
  if (from === to) return '';
  const [before, after] = [oneLine(names.from), oneLine(names.to)];
  const patch = createTwoFilesPatch(before, after, from, to, undefined, undefined, {
    context: 3,
    timeout: mayTake,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch ?? `--- ${before}\n+++ ${after}\n${replaced(from, to)}`;
}

/** Numbers of added and removed lines. */
export function changedLines(from: string, to: string): { added: number; removed: number } {
  const changes = diffLines(from, to, { timeout: mayTake / 4 });
  if (!changes) return exchangedLines(from, to);
  let added = 0;
  let removed = 0;
  for (const change of changes) {
    if (change.added) added += change.count;
    else if (change.removed) removed += change.count;
  }
  return { added, removed };
}

/** One hunk: keeps the common beginning and end, and replaces everything in between. */
function replaced(from: string, to: string) {
  const [old, fresh] = [linesOf(from), linesOf(to)];
  let start = 0;
  while (start < old.length && old[start] === fresh[start]) start += 1;
  let same = 0;
  while (
    same < Math.min(old.length, fresh.length) - start &&
    old.at(-1 - same) === fresh.at(-1 - same)
  ) {
    same += 1;
  }
  const out = old.slice(start, old.length - same);
  const into = fresh.slice(start, fresh.length - same);
  if (out.length + into.length > shownUpTo) {
    return `the change is too large to compare line by line: ${count(out.length, 'line')} from line ${start + 1} replaced by ${count(into.length, 'line')}\n`;
  }
  const first = Math.max(0, start - 3);
  const before = old.slice(first, start);
  const behind = old.slice(old.length - same, old.length - same + 3);
  const common = before.length + behind.length;
  const at = (count: number) => `${count === 0 ? first : first + 1},${count}`;
  return [
    `@@ -${at(common + out.length)} +${at(common + into.length)} @@\n`,
    ...marked(' ', before),
    ...marked('-', out),
    ...marked('+', into),
    ...marked(' ', behind),
  ].join('');
}

function marked(mark: string, list: readonly string[]) {
  return list.map((line) =>
    line.endsWith('\n') ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`,
  );
}

/** Compares lines regardless of their position: fast, and a moved line is no change. */
export function exchangedLines(from: string, to: string): { added: number; removed: number } {
  const balance = new Map<string, number>();
  for (const line of linesOf(from)) balance.set(line, (balance.get(line) ?? 0) - 1);
  for (const line of linesOf(to)) balance.set(line, (balance.get(line) ?? 0) + 1);
  let added = 0;
  let removed = 0;
  for (const count of balance.values()) {
    if (count > 0) added += count;
    else removed -= count;
  }
  return { added, removed };
}

/** With their ends. */
function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

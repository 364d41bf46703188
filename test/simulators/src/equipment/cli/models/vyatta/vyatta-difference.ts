/** `compare`: what a session changes, by the blocks that it is in. */
import { renderVyatta, type VyattaItem } from './vyatta-tree.ts';

export function differenceOf(
  before: readonly VyattaItem[],
  after: readonly VyattaItem[],
  path: readonly string[] = [],
): string {
  const keys = new Set([...before, ...after].map(keyOf));
  let here = '';
  let below = '';
  for (const key of keys) {
    const [old, now] = [before, after].map((items) => items.find((item) => keyOf(item) === key));
    if (old?.children && now?.children) {
      below += differenceOf(old.children, now.children, [...path, key]);
    } else if (!now && old) {
      here += marked('-', old);
    } else if (!old && now) {
      here += marked('+', now);
    }
  }
  return here === '' ? below : `[edit${['', ...path].join(' ')}]\n${here}${below}`;
}

function keyOf({ words }: VyattaItem): string {
  return words.join(' ');
}

function marked(sign: '+' | '-', item: VyattaItem): string {
  return renderVyatta([{ ...item, comments: [] }]).replace(/^(?=.)/gm, sign);
}

/** Changes to a device's answers that leave alone what belongs to the outlet itself. */
import fc from 'fast-check';

export interface Change {
  at: number;
  how: (typeof ways)[number];
}

const ways = ['delete', 'null', 'rename', 'retype', 'repeat', 'garbage'] as const;

export const anyChanges = fc.array(fc.record({ at: fc.nat(), how: fc.constantFrom(...ways) }), {
  minLength: 1,
  maxLength: 3,
});

/**
 * A copy in which one place that does not belong to the outlet is changed.
 *
 * @param own of an object, the paths of fields, as `relays/0/ison`; of a text, the beginnings of lines, as whole lines if they end in `$`
 */
export function changed(answer: unknown, own: readonly string[], change: Change): unknown {
  if (typeof answer === 'string') return changedText(answer.split('\n'), own, change).join('\n');
  return changedObject(structuredClone(answer), own, change);
}

/** Every place in a value, as a path. */
function places(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [...path, key],
    ...places(inner, [...path, key]),
  ]);
}

function changedObject(copy: unknown, own: readonly string[], { at, how }: Change): unknown {
  const free = places(copy).filter(
    (place) => !own.some((each) => `${each}/`.startsWith(`${place.join('/')}/`)),
  );
  const place = free[at % Math.max(1, free.length)];
  if (place === undefined) return copy;
  const key = place.at(-1) ?? '';
  const parent = place
    .slice(0, -1)
    .reduce<Record<string, unknown>>((node, step) => Object(node[step]), Object(copy));
  const old = parent[key];
  // Without an element, those behind it would have other places.
  if (Array.isArray(parent) && how === 'repeat') parent.push(structuredClone(old));
  else if (how === 'null') parent[key] = null;
  else if (how === 'garbage') parent[key] = { unknown: [1, { deep: true }] };
  else if (how === 'retype' || Array.isArray(parent)) parent[key] = retyped(old);
  else if (how === 'repeat') parent[`${key}2`] = old;
  else {
    delete parent[key];
    if (how === 'rename') parent[`x${key}`] = old;
  }
  return copy;
}

function retyped(old: unknown): unknown {
  return typeof old === 'string' ? 7 : 'nan';
}

const unknownWords = 'unknown words, 7 und Überlast';
/** Of a row, behind what belongs to the outlet. */
const tails = [
  () => '',
  (tail: string) => `${tail} 7 nan`,
  () => ' nan - 7',
  (tail: string) => tail.replaceAll(/\d/g, '-'),
  (tail: string) => ` ${tail.split(/\s+/).reverse().join(' ')}`,
];

function changedText(lines: string[], own: readonly string[], { at, how }: Change): string[] {
  const index = at % lines.length;
  const line = lines[index] ?? '';
  const begin = own.find((each) =>
    each.endsWith('$') ? line === each.slice(0, -1) : line.startsWith(each),
  );
  const insert = (text: string) => [...lines.slice(0, index), text, ...lines.slice(index)];
  const replace = (...texts: string[]) => lines.toSpliced(index, 1, ...texts);
  if (how === 'null') return insert('');
  if (how === 'garbage') return insert(unknownWords);
  if (begin !== undefined) {
    if (begin.endsWith('$')) return lines;
    const tail = tails[at % tails.length]?.(line.slice(begin.length)) ?? '';
    return replace(`${begin}${tail}`);
  }
  if (how === 'delete') return replace();
  if (how === 'repeat') return insert(line);
  if (how === 'rename') return replace(`x${line.trim()}`);
  return replace(line.replaceAll(/\S+/g, 'nan'));
}

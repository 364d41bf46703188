/** Entries in the text of a rack.yaml, with their positions. */
import { isMap, isScalar, type Pair, parseDocument, visit, type YAMLMap } from 'yaml';
import { expandRange } from '../ranges/ranges.ts';
import { hideRanges } from '../yaml/hidden-ranges.ts';
import { renamePrevious } from '../yaml/previous-keys.ts';

export interface Entry {
  section: 'jumphost' | 'equipment' | 'machines';
  /** As written: a name or a range. */
  key: string;
  names: string[];
  pair: Pair;
  map: YAMLMap;
  /** Its section, or for the jumphost the file, is on one line. */
  isInline: boolean;
}

/** The top level of the text; undefined if it is not a map. */
export function topOf(text: string): YAMLMap | undefined {
  const { hidden, show } = hideRanges(text);
  const { contents } = parseDocument(hidden, { uniqueKeys: false });
  visit(contents, {
    Scalar(_, node) {
      if (typeof node.value === 'string') node.value = show(node.value);
    },
  });
  renamePrevious(contents);
  return isMap(contents) ? contents : undefined;
}

export function entriesIn(text: string): Entry[] {
  const top = topOf(text);
  return (top?.items ?? []).flatMap((pair): Entry[] => {
    const section = isScalar(pair.key) ? pair.key.value : undefined;
    const map = pair.value;
    if (!isMap(map)) return [];
    if (section === 'jumphost') {
      const name = pairIn(map, 'name')?.value;
      const names = isScalar(name) ? [String(name.value)] : [];
      return [{ section, key: section, names, pair, map, isInline: top?.flow === true }];
    }
    if (section !== 'machines' && section !== 'equipment') return [];
    return map.items.flatMap((entry) => {
      if (!isScalar(entry.key) || !isMap(entry.value)) return [];
      const key = String(entry.key.value);
      const names = expandRange(key);
      return [{ section, key, names, pair: entry, map: entry.value, isInline: map.flow === true }];
    });
  });
}

export function pairIn(map: unknown, key: string): Pair | undefined {
  if (!isMap(map)) return undefined;
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

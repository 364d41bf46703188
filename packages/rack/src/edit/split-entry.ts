/**
 * Takes one name out of an entry of several, so that it can have values that no range gives: the others stay in the entry, with its
 * comments, and the one gets an entry of its own behind it. The rack stays the same.
 */

import { models } from '@skolo/models';
import {
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLSeq,
} from 'yaml';
import { expandEntry } from '../expand.ts';
import { hideRanges } from '../hidden-ranges.ts';
import { infrastructureEntry, infrastructureSchema } from '../infrastructure-schema.ts';
import { machineSchema } from '../machine-schema.ts';
import { isMap as isPlainMap } from '../plain.ts';
import { escapeRange, expandRange, hasRange } from '../ranges.ts';
import { type Spread, spreadOf } from '../spreading.ts';
import { readYaml } from '../yaml.ts';
import { foldValues } from './fold.ts';
import { applied, ByHand, plain, rangeOf, type Splice, written } from './splice.ts';

/** @throws ByHand It is not in an entry of several, or that is written in an unusual way */
export function splitEntry(text: string, name: string, file: string): string {
  const { hidden, show } = hideRanges(text);
  const { contents } = parseDocument(hidden, { uniqueKeys: false });
  for (const section of ['machines', 'infrastructure'] as const) {
    const map = isMap(contents) ? contents.get(section) : undefined;
    if (!isMap(map) || map.flow) continue;
    for (const pair of map.items) {
      const key = isScalar(pair.key) ? show(String(pair.key.value)) : '';
      if (!expandRange(key).includes(name)) continue;
      return splitPair(text, { section, key, pair, name, file, show });
    }
  }
  throw new ByHand('it cannot be given an entry of its own');
}

interface Found {
  section: 'machines' | 'infrastructure';
  key: string;
  pair: Pair;
  name: string;
  file: string;
  show: (text: string) => string;
}

function splitPair(text: string, { section, key, pair, name, file, show }: Found): string {
  const { value: top } = readYaml(text, file);
  const entries = isPlainMap(top) ? top[section] : undefined;
  const raw = isPlainMap(entries) ? entries[key] : undefined;
  const spread = spreadOfEntry(section, raw);
  const { names, first, changes } = expandEntry([section, key], key, raw, spread);
  const at = names.indexOf(name);
  if (names.length < 2 || !isPlainMap(first) || !isScalar(pair.key) || !isMap(pair.value)) {
    throw new ByHand('it cannot be given an entry of its own');
  }
  const splices: Splice[] = [];
  without(pair.key, { as: 'literal', keys: new Map() }, true);
  for (const each of pair.value.items) {
    walk(each.value, isScalar(each.key) ? spread.keys.get(String(each.key.value)) : undefined);
  }
  const own = escaped({ ...first, ...changes(at) }, spread);
  const { from } = rangeOf(pair.key);
  const margin = text.slice(text.lastIndexOf('\n', from - 1) + 1, from);
  const end = pair.value.range?.[2];
  if (end === undefined || margin.trim() !== '')
    throw new ByHand('its entry is written in an unusual way');
  const before = text[end - 1] === '\n' ? '' : '\n';
  splices.push({ from: end, to: end, text: `${before}${margin}${plain(name)}: ${inline(own)}\n` });
  return applied(text, splices);

  function walk(node: unknown, of: Spread | undefined): void {
    if (isAlias(node)) throw new ByHand(`its entry has an alias, *${node.source}`);
    if (isScalar(node)) without(node, of);
    else if (isSeq(node) && of?.as === 'each') withoutItem(node);
    else if (isSeq(node)) for (const item of node.items) walk(item, of?.items);
    else if (isMap(node)) {
      for (const each of node.items) {
        walk(each.value, isScalar(each.key) ? of?.keys.get(String(each.key.value)) : undefined);
      }
    }
  }

  /** The value of a range without that of the name. */
  function without(node: Scalar, of: Spread | undefined, isKey = false): void {
    const former = typeof node.value === 'string' ? show(node.value) : '';
    if (!hasRange(former) || (of?.as === 'literal' && !isKey)) return;
    const values = expandRange(former);
    // A range of one value is the same for all.
    if (values.length !== names.length) return;
    const folded = foldValues(values.toSpliced(at, 1));
    const [only = ''] = folded;
    if (folded.length > 1 && of?.as !== 'each') {
      throw new ByHand(`no range is left of ${former} without ${name}`);
    }
    const by = folded.length > 1 ? `[${folded.map(plain).join(', ')}]` : written(only, text, node);
    splices.push({ ...rangeOf(node), text: by });
  }

  function withoutItem(list: YAMLSeq): void {
    let passed = 0;
    for (const [index, item] of list.items.entries()) {
      if (!isScalar(item)) throw new ByHand('a list of its entry has more than texts');
      const values = typeof item.value === 'string' ? expandRange(show(item.value)) : [''];
      const place = at - passed;
      passed += values.length;
      if (place < 0 || place >= values.length) continue;
      const left = foldValues(values.toSpliced(place, 1));
      if (left.length > 1) throw new ByHand('a list of its entry cannot be taken apart');
      const [only] = left;
      if (only !== undefined) splices.push({ ...rangeOf(item), text: written(only, text, item) });
      else splices.push(removed(list, index));
    }
  }

  function removed(list: YAMLSeq, index: number): Splice {
    const [here, next, previous] = [index, index + 1, index - 1].map((each) => {
      const item = list.items[each];
      return isScalar(item) ? rangeOf(item) : undefined;
    });
    if (here === undefined) throw new ByHand('a list of its entry cannot be taken apart');
    if (list.flow) {
      if (next) return { from: here.from, to: next.from, text: '' };
      return { from: previous?.to ?? here.from, to: here.to, text: '' };
    }
    const start = text.lastIndexOf('\n', here.from - 1) + 1;
    const stop = text.indexOf('\n', here.to);
    return { from: start, to: stop < 0 ? text.length : stop + 1, text: '' };
  }
}

function spreadOfEntry(section: Found['section'], raw: unknown): Spread {
  if (section === 'machines') return spreadOf(machineSchema);
  const model = isPlainMap(raw) ? models.get(String(raw.model)) : undefined;
  return spreadOf(model ? infrastructureEntry(model) : infrastructureSchema);
}

/** What is no range any more must not be read as one. */
function escaped(value: unknown, spread: Spread | undefined): unknown {
  if (spread?.as === 'literal') return value;
  if (typeof value === 'string') return escapeRange(value);
  if (Array.isArray(value)) return value.map((each) => escaped(each, spread?.items));
  if (!isPlainMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, escaped(each, spread?.keys.get(key))]),
  );
}

function inline(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  return document
    .toString({ collectionStyle: 'flow', lineWidth: 0 })
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
}

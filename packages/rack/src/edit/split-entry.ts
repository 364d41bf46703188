/**
 * Splits names from an entry with several names, so that they can have values that its ranges do not express: the others stay
 * in the entry, with its comments, and these get a separate one after it, with ranges if possible. The rack stays the same.
 */

import { isDeepStrictEqual } from 'node:util';
import { isObject } from '@skolo/base';
import {
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { expandEntry } from '../ranges/expand.ts';
import { foldValues } from '../ranges/fold.ts';
import { expandRange, hasRange } from '../ranges/ranges.ts';
import { escaped, type Spread, spreadOf } from '../ranges/spreading.ts';
import { spreadOfEquipment } from '../schema/equipment-schema.ts';
import { machineSchema } from '../schema/machine-schema.ts';
import { hideRanges } from '../yaml/hidden-ranges.ts';
import { valueAt } from '../yaml/paths.ts';
import { readYaml } from '../yaml/yaml.ts';
import { type Entry, entriesIn } from './entries.ts';
import { applied, ByHand, marginOf, plain, rangeOf, type Splice, written } from './splice.ts';

/**
 * @param names some but not all names of one entry
 * @throws ByHand They are not in an entry with more names, or it is written in an unusual way
 */
export function splitEntry(text: string, names: readonly string[], file: string): string {
  const found = entriesIn(text).find(
    (entry) =>
      entry.section !== 'jumphost' &&
      !entry.isInline &&
      names.every((name) => entry.names.includes(name)),
  );
  if (found === undefined) throw new ByHand(noOwn);
  return splitPair(text, found, { leaving: new Set(names), file });
}

const noOwn = 'the machine cannot be moved to a separate entry';

function splitPair(
  text: string,
  { section, key, pair, map }: Entry,
  { leaving, file }: { leaving: ReadonlySet<string>; file: string },
): string {
  const { value: top } = readYaml(text, file);
  const raw = valueAt(top, [section, key]);
  const spread = section === 'machines' ? spreadOf(machineSchema) : spreadOfEquipment(raw);
  const { names, entryOf } = expandEntry([section, key], key, raw, spread);
  const rest = new Rest(text, names, leaving);
  if (names.every((name) => leaving.has(name)) || !isObject(raw) || !isScalar(pair.key)) {
    throw new ByHand(noOwn);
  }
  rest.withoutValues(pair.key, undefined);
  rest.walkMap(map, spread);
  const own = names.flatMap((name, at) =>
    leaving.has(name) ? [{ name, entry: entryOf(at) }] : [],
  );
  const margin = marginOf(text, rangeOf(pair.key).from);
  const end = map.range?.[2];
  if (end === undefined || margin.trim() !== '')
    throw new ByHand('the entry is written in a form that skolo cannot edit');
  const before = text[end - 1] === '\n' ? '' : '\n';
  const lines = linesOf(own, spread).map((line) => `${margin}${line}\n`);
  return applied(text, [
    ...rest.splices,
    { from: end, to: end, text: `${before}${lines.join('')}` },
  ]);
}

/** Removes the values of some names from an entry. */
class Rest {
  readonly splices: Splice[] = [];
  private readonly text: string;
  private readonly stays: readonly boolean[];
  private readonly leaving: ReadonlySet<string>;

  constructor(text: string, names: readonly string[], leaving: ReadonlySet<string>) {
    this.text = text;
    this.leaving = leaving;
    this.stays = names.map((name) => !leaving.has(name));
  }

  walkMap(map: YAMLMap, spread: Spread | undefined): void {
    for (const { key, value } of map.items) {
      this.walk(value, isScalar(key) ? spread?.keys.get(String(key.value)) : undefined);
    }
  }

  private walk(node: unknown, spread: Spread | undefined): void {
    if (isAlias(node)) throw new ByHand(`the entry contains an alias, *${node.source}`);
    if (isScalar(node) && spread?.as !== 'literal') this.withoutValues(node, spread);
    else if (isSeq(node) && spread?.as === 'each') this.withoutItems(node);
    else if (isSeq(node)) for (const item of node.items) this.walk(item, spread?.items);
    else if (isMap(node)) this.walkMap(node, spread);
  }

  /** The value of a range without those of the names. */
  withoutValues(node: Scalar, spread: Spread | undefined): void {
    const previous = typeof node.value === 'string' ? node.value : '';
    const values = hasRange(previous) ? expandRange(previous) : [];
    // A single value applies to all.
    if (values.length !== this.stays.length) return;
    const folded = foldValues(values.filter((_, at) => this.stays[at]));
    const [only = ''] = folded;
    if (folded.length > 1 && spread?.as !== 'each') {
      throw new ByHand(
        `the values for ${[...this.leaving].join(', ')} cannot be removed from ${previous}, because the remaining values do not form one range`,
      );
    }
    const list = `[${folded.map(plain).join(', ')}]`;
    const by = folded.length > 1 ? list : written(only, this.text, node);
    this.splices.push({ ...rangeOf(node), text: by });
  }

  private withoutItems(list: YAMLSeq): void {
    const { text, splices } = this;
    let passed = 0;
    const items = list.items.map((item) => {
      if (!isScalar(item)) throw new ByHand('a list in the entry contains values other than text');
      const values = typeof item.value === 'string' ? expandRange(item.value) : [''];
      const kept = values.filter((_, place) => this.stays[passed + place]);
      passed += values.length;
      const range = rangeOf(item);
      if (kept.length === values.length) return { range, text: text.slice(range.from, range.to) };
      const [only, ...more] = foldValues(kept);
      if (more.length > 0) throw new ByHand('a list in the entry cannot be split');
      return { range, text: only === undefined ? '' : written(only, text, item) };
    });
    if (list.flow) {
      const left = items.map((item) => item.text).filter((each) => each !== '');
      const range = rangeOf(list);
      if (text.slice(range.from, range.to).includes('#'))
        throw new ByHand('a list in the entry contains comments');
      splices.push({ ...range, text: `[${left.join(', ')}]` });
      return;
    }
    for (const { range, text: by } of items) {
      const start = text.lastIndexOf('\n', range.from - 1) + 1;
      const stop = text.indexOf('\n', range.to);
      if (by !== '') splices.push({ ...range, text: by });
      else splices.push({ from: start, to: stop < 0 ? text.length : stop + 1, text: '' });
    }
  }
}

/** One line for all of them, or else one for each. */
function linesOf(own: readonly { name: string; entry: unknown }[], spread: Spread): string[] {
  const [key, ...more] = foldValues(own.map(({ name }) => name));
  const entry =
    more.length > 0
      ? undefined
      : folded(
          own.map((each) => each.entry),
          spread,
        );
  if (key !== undefined && entry !== undefined) return [`${plain(key)}: ${inline(entry)}`];
  return own.map(({ name, entry }) => `${plain(name)}: ${inline(escaped(entry, spread))}`);
}

/** One value with ranges that expands to these; undefined: none exists. */
function folded(values: readonly unknown[], spread: Spread | undefined): unknown {
  const [first] = values;
  if (values.every((value) => isDeepStrictEqual(value, first))) return escaped(first, spread);
  if (spread?.as === 'literal') return undefined;
  if (values.every((value) => typeof value === 'string')) {
    const texts = foldValues(values);
    return texts.length === 1 ? texts[0] : undefined;
  }
  if (values.every(Array.isArray) && spread?.as !== 'each') {
    if (values.some(({ length }) => length !== values[0]?.length)) return undefined;
    const items = (values[0] ?? []).map((_, at) =>
      folded(
        values.map((value) => value[at]),
        spread?.items,
      ),
    );
    return items.includes(undefined) ? undefined : items;
  }
  if (!values.every(isObject)) return undefined;
  const keys = Object.keys(values[0] ?? {});
  if (values.some((value) => !isDeepStrictEqual(Object.keys(value), keys))) return undefined;
  const entries = keys.map((key) => [
    key,
    folded(
      values.map((value) => value[key]),
      spread?.keys.get(key),
    ),
  ]);
  return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries);
}

function inline(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  let restored = (text: string) => text;
  visit(document, {
    // A range does not require quotes.
    Scalar(_, node) {
      if (typeof node.value !== 'string' || plain(node.value) !== node.value) return;
      const { hidden, show } = hideRanges(node.value);
      if (hidden === node.value) return;
      node.value = hidden;
      restored = show;
    },
  });
  const text = document.toString({ collectionStyle: 'flow', lineWidth: 0 });
  return restored(text.trim().replaceAll(/\s*\n\s*/g, ' '));
}

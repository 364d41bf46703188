/**
 * Adds, removes and changes machines in the text of a rack.yaml, without changing anything else, including comments. Names that
 * leave a range, or get a value that is not in the range, are moved to a separate entry.
 */
import { isMap, isScalar, type YAMLMap } from 'yaml';
import { wholeFile } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { foldValues } from '../ranges/fold.ts';
import { expandRange } from '../ranges/ranges.ts';
import { parseRack } from '../read/load.ts';
import { type Entry, entriesIn, pairIn, topOf } from './entries.ts';
import { applied, ByHand, marginOf, plain, rangeOf } from './splice.ts';
import { splitEntry } from './split-entry.ts';

/** Keys of an entry: one value, or one for each name; maps are YAML text. */
export type MachineValues = ReadonlyMap<string, string | readonly string[]>;

/**
 * Adds an entry for these names at the end of the machines.
 *
 * @throws RackError It is invalid, or would become invalid.
 */
export function addMachines(
  text: string,
  names: readonly string[],
  values: MachineValues,
  file: string,
): string {
  const before = parseRack(text, { file });
  const known = names.filter((name) => before.machines.has(name));
  if (known.length > 0) throw wholeFile(file, `${known.join(', ')}: already in rack.yaml`);
  const wanted = foldValues(names);
  let result = text;
  let at = 0;
  for (const key of wanted) {
    const count = expandRange(key).length;
    const own = [...values].map(([name, value]) => {
      const each = typeof value === 'string' ? value : value.slice(at, at + count);
      return `${name}: ${valueText(each)}`;
    });
    result = withEntries(result, 'machines', [`${plain(key)}: { ${own.join(', ')} }`], file);
    at += count;
  }
  return checkedOthers(before, result, names, file);
}

/** @throws RackError It is or would become invalid. @throws ByHand An entry is written in an unusual way. */
export function removeMachines(text: string, names: readonly string[], file: string): string {
  const before = parseRack(text, { file });
  const result = alone(text, names, file, withoutEntry);
  return checkedOthers(before, result, names, file);
}

/** @throws RackError It is invalid, or would become invalid. @throws ByHand An entry is written in an unusual way. */
export function setMachines(
  text: string,
  names: readonly string[],
  values: MachineValues,
  file: string,
): string {
  const before = parseRack(text, { file });
  const result = alone(text, names, file, (each, { key: written, names: own }) => {
    const places = own.map((name) => names.indexOf(name));
    let changed = each;
    for (const [key, value] of values) {
      const wanted = typeof value === 'string' ? value : places.map((at) => value[at] ?? '');
      // Its position has changed with the previous edit.
      const found = machineEntries(changed).find((entry) => entry.key === written);
      if (found !== undefined) changed = withValue(changed, found.map, key, valueText(wanted));
    }
    return changed;
  });
  return checkedOthers(before, result, names, file);
}

/** A login of this user: the existing one, or else a new one with the user's name. @throws RackError */
export function withLogin(
  text: string,
  user: string,
  file: string,
): { text: string; name: string } {
  const { logins } = parseRack(text, { file });
  const known = [...logins.values()].find(({ username }) => username === user);
  if (known !== undefined) return { text, name: known.name };
  if (topOf(text)?.has('logins')) {
    throw new ByHand(`no login has the username ${user}; add one`);
  }
  const line = `logins: { ${plain(user)}: { username: ${plain(user)} } }\n`;
  const at = text.search(/^machines:/m);
  const result =
    at < 0
      ? `${text.endsWith('\n') ? text : `${text}\n`}${line}`
      : `${text.slice(0, at)}${line}${text.slice(at)}`;
  parseRack(result, { file });
  return { text: result, name: user };
}

function sectionOf(text: string, name: string): YAMLMap | undefined {
  const map = topOf(text)?.get(name);
  return isMap(map) ? map : undefined;
}

function machineEntries(text: string): Entry[] {
  return entriesIn(text).filter(({ section }) => section === 'machines');
}

/** Calls the function for entries that contain only these names, which are first split from others. */
function alone(
  text: string,
  names: readonly string[],
  file: string,
  work: (text: string, entry: Entry) => string,
): string {
  const wanted = new Set(names);
  let result = text;
  for (const { names: own } of machineEntries(text)) {
    const leaving = own.filter((name) => wanted.has(name));
    if (leaving.length > 0 && leaving.length < own.length) {
      result = splitEntry(result, leaving, file);
    }
  }
  const keys = machineEntries(result).filter((each) => each.names.some((name) => wanted.has(name)));
  for (const { key } of keys) {
    const entry = machineEntries(result).find((each) => each.key === key);
    if (entry !== undefined) result = work(result, entry);
  }
  return result;
}

/** Adds these lines at the end of the section. @throws RackError @throws ByHand */
export function withEntries(
  text: string,
  section: 'logins' | 'equipment' | 'machines',
  entries: readonly string[],
  file: string,
): string {
  const map = sectionOf(text, section);
  const ended = text.endsWith('\n') ? text : `${text}\n`;
  const lines = (margin: string) => entries.map((entry) => `${margin}${entry}`).join('\n');
  if (map === undefined) {
    // Without a value, it is not a map.
    if (new RegExp(`^${section}:`, 'm').test(text)) {
      throw wholeFile(file, `\`${section}\` has no value; remove the line and try again`);
    }
    return `${ended}${section}:\n${lines('  ')}\n`;
  }
  const last = map.items.at(-1);
  if (map.flow || last === undefined || !isScalar(last.key)) {
    const [from = 0, to = 0] = map.range ?? [];
    const inside = text.slice(from + 1, to - 1).trimEnd();
    const start = text.slice(0, from).trimEnd().length;
    if (inside.trim() === '') return applied(text, [{ from: start, to, text: `\n${lines('  ')}` }]);
    if (section !== 'logins') {
      throw new ByHand(`\`${section}\` is on one line; write each entry on its own line`);
    }
    const at = from + 1 + inside.length;
    return applied(text, [{ from: at, to: at, text: `, ${entries.join(', ')}` }]);
  }
  const { from } = rangeOf(last.key);
  const margin = marginOf(text, from);
  const end = isMap(last.value) ? (last.value.range?.[2] ?? text.length) : text.length;
  const before = text.slice(0, end).endsWith('\n') ? '' : '\n';
  return applied(text, [{ from: end, to: end, text: `${before}${lines(margin)}\n` }]);
}

function withoutEntry(text: string, { pair, map, isInline }: Entry): string {
  const machines = sectionOf(text, 'machines');
  if (!isScalar(pair.key) || isInline) {
    throw new ByHand('`machines` is on one line; write each entry on its own line');
  }
  const { from } = rangeOf(pair.key);
  const end = map.range?.[2] ?? text.length;
  const start = from - marginOf(text, from).length;
  if (machines?.items.length !== 1) return applied(text, [{ from: start, to: end, text: '' }]);
  return applied(text, [{ from: start, to: end, text: '  {}\n' }]);
}

function withValue(text: string, map: YAMLMap, key: string, value: string): string {
  const pair = pairIn(map, key);
  const range =
    pair?.value && typeof pair.value === 'object' && 'range' in pair.value
      ? pair.value.range
      : undefined;
  if (pair !== undefined) {
    if (!Array.isArray(range))
      throw new ByHand(`\`${key}\` is written in a form that skolo cannot edit`);
    const [from, to] = range;
    // A list with a line for each item starts on the next line, and ends with the line of its last item.
    const written = text.slice(from, to).trimEnd();
    const gap = /(?<=:)\s*\n\s*$/.exec(text.slice(0, from));
    const start = gap === null ? from : gap.index;
    const space = gap === null ? '' : ' ';
    return applied(text, [{ from: start, to: from + written.length, text: `${space}${value}` }]);
  }
  const last = map.items.at(-1);
  const [start = 0, end = 0] = map.range ?? [];
  if (map.flow || last === undefined || !isScalar(last.key)) {
    const inside = text.slice(start + 1, end - 1).trimEnd();
    const comma = inside.trim() === '' ? '' : ',';
    const at = start + 1 + inside.length;
    return applied(text, [{ from: at, to: end - 1, text: `${comma} ${key}: ${value} ` }]);
  }
  const { from } = rangeOf(last.key);
  const margin = marginOf(text, from);
  const before = text.slice(0, end).endsWith('\n') ? '' : '\n';
  return applied(text, [{ from: end, to: end, text: `${before}${margin}${key}: ${value}\n` }]);
}

/** A text, or a list if no range expresses all values. YAML maps, numbers and booleans stay unchanged. */
function valueText(value: string | readonly string[]): string {
  const unquoted = /^([{[]|(true|false|\d+(\.\d+)?)$)/;
  if (typeof value === 'string') return unquoted.test(value) ? value : plain(value);
  const folded = foldValues(value);
  const [only = ''] = folded;
  return folded.length === 1 ? plain(only) : `[${folded.map(plain).join(', ')}]`;
}

/** The text with these entries changed. @throws RackError It is invalid, or something else has changed. */
export function checkedOthers(
  before: Rack,
  text: string,
  names: readonly string[],
  file: string,
): string {
  const changed = new Set(names);
  const texts = ({ machines, jumphost, equipment }: Rack) => {
    const entries = [jumphost, ...equipment.values(), ...machines.values()];
    const others = entries.filter(({ name }) => !changed.has(name));
    return new Map(others.map((entry) => [entry.name, JSON.stringify(entry)]));
  };
  const [was, is] = [texts(before), texts(parseRack(text, { file }))];
  const other = [...was, ...is].find(([name]) => was.get(name) !== is.get(name));
  if (other === undefined) return text;
  throw wholeFile(
    file,
    `${other[0]} would also change, so nothing was changed; edit the file manually`,
  );
}

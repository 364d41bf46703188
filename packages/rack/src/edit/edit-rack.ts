/**
 * Changes single values in the text of a rack.yaml in place, without changing anything else,
 * including comments. A range or list stays one if possible.
 */
import { isAlias, isMap, isScalar, isSeq, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { withoutInferred } from '../draft/infer-uplinks.ts';
import { wholeFile } from '../issues/issues.ts';
import type { Machine, Rack } from '../rack/rack.ts';
import { foldValues } from '../ranges/fold.ts';
import { expandRange, hasRange } from '../ranges/ranges.ts';
import { parseRack } from '../read/load.ts';
import { formatOutlet } from '../schema/outlets.ts';
import { type Entry, entriesIn, pairIn } from './entries.ts';
import { applied, ByHand, marginOf, plain, rangeOf, type Splice, written } from './splice.ts';
import { splitEntry } from './split-entry.ts';

/** A new value for an entry that already has one. `serial` and a device's `powerVerified` may be added. */
export interface RackEdit {
  /** Name of the jumphost, a device or a machine. */
  name: string;
  key: 'uplink' | 'address' | 'mac' | 'power' | 'serial' | 'powerVerified';
  /** With `serial` or `powerVerified` of an attached device: its name on the machine. */
  device?: string;
  value: string;
}

interface EditedRack {
  text: string;
  /** Edits that must be made manually, each with the reason. */
  left: { edit: RackEdit; why: string }[];
}

/** Keys that accept a list with one value for each name. */
const listed: Readonly<Record<string, ReadonlySet<RackEdit['key']>>> = {
  machines: new Set(['uplink', 'address', 'mac', 'serial']),
  equipment: new Set(['address', 'mac']),
  jumphost: new Set(),
};

/**
 * Makes all possible edits; the others are in `left`.
 *
 * @throws RackError The text is invalid, or would become invalid with these edits
 */
export function editRack(text: string, edits: readonly RackEdit[], file: string): EditedRack {
  const before = parseRack(text, { file });
  const first = attempt(text, edits);
  // Values that no range expresses get a separate entry; if that is not possible, the first reason is reported.
  let split = text;
  for (const { name } of first.needOwn) split = ifPossible(split, name, file);
  const { left, made, splices } = split === text ? first : attempt(split, edits);
  const result = applied(split, splices);
  checkOnly(before, parseRack(result, { file }), made, file);
  return { text: result, left };
}

interface Attempt {
  splices: Splice[];
  made: RackEdit[];
  left: EditedRack['left'];
  /** Edits that require a separate entry. */
  needOwn: RackEdit[];
}

function attempt(text: string, edits: readonly RackEdit[]): Attempt {
  const found: Attempt = { splices: [], made: [], left: [], needOwn: [] };
  for (const group of groupsOf(text, edits)) {
    try {
      if ('why' in group) throw new ByHand(group.why);
      found.splices.push(...('map' in group ? [added(group, text)] : changed(group, text)));
      found.made.push(...group.edits);
    } catch (error) {
      if (!(error instanceof ByHand)) throw error;
      found.left.push(...group.edits.map((edit) => ({ edit, why: error.message })));
      if (error instanceof NeedsOwnEntry) found.needOwn.push(...group.edits);
    }
  }
  return found;
}

class NeedsOwnEntry extends ByHand {}

function ifPossible(text: string, name: string, file: string): string {
  try {
    return splitEntry(text, [name], file);
  } catch (error) {
    if (error instanceof ByHand) return text;
    throw error;
  }
}

/** Edits of one value in the text. */
type Group = Written | Lacking | (Edits & { why: string });
type Edits = { edits: RackEdit[] };
type Written = Edits & { section: string; names: string[]; value: Scalar | YAMLSeq };
/** It does not contain the key. */
type Lacking = Edits & { names: string[]; map: YAMLMap };

function groupsOf(text: string, edits: readonly RackEdit[]): Group[] {
  const entries = entriesIn(text);
  const groups = new Map<unknown, Group>();
  for (const edit of edits) {
    const entry = entries.find(({ names }) => names.includes(edit.name));
    const pair = entry && pairIn(holderOf(entry.map, edit), edit.key);
    const key = pair ?? edit;
    const group = groups.get(key) ?? groupOf(entry, pair?.value, edit);
    group.edits.push(edit);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Where the value is: in the entry, or in one of its devices. */
function holderOf(map: YAMLMap, { device }: RackEdit): unknown {
  if (device === undefined) return map;
  const all = pairIn(map, 'devices')?.value;
  if (!isSeq(all)) return pairIn(map, 'device')?.value;
  return all.items.find((item) => {
    const name = pairIn(item, 'name')?.value;
    return isScalar(name) && name.value === device;
  });
}

function groupOf(entry: Entry | undefined, value: unknown, edit: RackEdit): Group {
  const { name, key, device } = edit;
  const edits: RackEdit[] = [];
  if (entry === undefined) return { edits, why: `${name} is not in rack.yaml` };
  const { section, names } = entry;
  if (isScalar(value) || isSeq(value)) return { edits, section, names, value };
  if (isAlias(value)) return { edits, why: `\`${key}\` is an alias, *${value.source}` };
  const mayBeAdded =
    key === 'powerVerified' || (key === 'serial' && device === undefined && section === 'machines');
  const map = holderOf(entry.map, edit);
  if (mayBeAdded && value === undefined && isMap(map)) return { edits, names, map };
  return { edits, why: `the entry does not contain \`${key}\`` };
}

/** Before the second key, so that the kind of a machine stays in front. */
function added({ names, map, edits }: Lacking, text: string) {
  const [{ key, value }] = edits as [RackEdit];
  if (names.length > 1) throw new NeedsOwnEntry(ownEntry(names, edits, key));
  const next = (map.items[1] ?? map.items[0])?.key;
  if (!isScalar(next)) throw new ByHand('the entry is written in a form that skolo cannot edit');
  const { from } = rangeOf(next);
  const margin = marginOf(text, from);
  if (!map.flow && margin.trim() !== '') {
    throw new ByHand('the entry is written in a form that skolo cannot edit');
  }
  const end = map.flow ? ', ' : `\n${margin}`;
  return { from, to: from, text: `${key}: ${plain(value)}${end}` };
}

function changed({ section, names, value, edits }: Written, text: string): Splice[] {
  const wanted = new Map(edits.map((edit) => [names.indexOf(edit.name), edit.value]));
  const [{ key }] = edits as [RackEdit];
  const mayBeList = listed[section]?.has(key) ?? false;
  if (isScalar(value)) {
    const previous = expandRange(String(value.value));
    const values = names.map((_, at) => wanted.get(at) ?? previous[at] ?? previous[0] ?? '');
    const folded = foldValues(values);
    const [only = '', second] = folded;
    if (second === undefined && (names.length === 1 || hasRange(only))) {
      return [{ ...rangeOf(value), text: written(only, text, value) }];
    }
    if (!mayBeList) throw new NeedsOwnEntry(ownEntry(names, edits, key));
    return [{ ...rangeOf(value), text: `[${folded.map(plain).join(', ')}]` }];
  }
  if (!mayBeList) throw new ByHand(`\`${key}\` is a list of outlets, which skolo cannot edit`);
  const splices: Splice[] = [];
  let first = 0;
  for (const item of value.items) {
    if (!isScalar(item)) throw new ByHand(`\`${key}\` contains an item that is not plain text`);
    const previous = expandRange(String(item.value));
    const values = previous.map((each, at) => wanted.get(first + at) ?? each);
    first += previous.length;
    if (values.every((each, at) => each === previous[at])) continue;
    const folded = foldValues(values);
    const texts = folded.length === 1 ? [written(folded[0] ?? '', text, item)] : folded.map(plain);
    splices.push({ ...rangeOf(item), text: texts.join(separatorOf(value, item, text)) });
  }
  return splices;
}

function ownEntry(names: readonly string[], edits: readonly RackEdit[], key: string): string {
  const whose = edits.map(({ name }) => name).join(', ');
  return `the \`${key}\` values of the ${names.length} names cannot be written as one range; write a separate entry for each of these names: ${whose}`;
}

/** Between items of a list. */
function separatorOf({ flow }: YAMLSeq, item: Scalar, text: string): string {
  if (flow) return ', ';
  const { from } = rangeOf(item);
  const margin = marginOf(text, from);
  if (/^ *- +$/.test(margin)) return `\n${margin}`;
  throw new ByHand('the list is written in a form that skolo cannot edit');
}

/** @throws RackError Something else has changed, for example because of an anchor. */
function checkOnly(before: Rack, after: Rack, edits: readonly RackEdit[], file: string): void {
  const [was, is] = [valuesOf(before), valuesOf(after)];
  for (const { name, key, device, value } of edits) {
    was.set(device === undefined ? `${name} ${key}` : `${name} ${key} ${device}`, value);
  }
  const other = [...was].find(([place, value]) => is.get(place) !== value);
  if (other === undefined && was.size === is.size) return;
  const message = `an edit would also change ${other?.[0] ?? 'another entry'}, so nothing was changed`;
  throw wholeFile(file, message);
}

function valuesOf(rack: Rack): Map<string, string> {
  const values = new Map<string, string>();
  const machines = [...rack.machines.values()].map(withoutInferred);
  for (const entry of [rack.jumphost, ...rack.equipment.values(), ...machines]) {
    const { name, uplink, address, mac, power, ...others } = entry;
    const { serial, serials, rest } = withoutSerials(others);
    const port = uplink === undefined || uplink === 'internet' ? uplink : formatOutlet(uplink);
    const feeds = power.map(formatOutlet).join(' ');
    const all = {
      uplink: port,
      address,
      mac,
      serial,
      power: feeds,
      other: JSON.stringify(rest),
      ...serials,
    };
    for (const [key, value] of Object.entries(all)) values.set(`${name} ${key}`, value ?? '');
  }
  return values;
}

/** The serial of a machine's board, and edits of attached devices as separate keys: `serial phone`. */
function withoutSerials(entry: object | Pick<Machine, 'devices' | 'serial'>) {
  if (!('devices' in entry)) return { serials: {}, rest: entry };
  const { serial, ...rest } = entry;
  const serials = entry.devices.flatMap(({ name, serial, powerVerified }) => [
    [`serial ${name}`, serial] as const,
    [`powerVerified ${name}`, powerVerified?.toString()] as const,
  ]);
  const devices = entry.devices.map(({ serial: _, powerVerified: __, ...device }) => device);
  return { serial, serials: Object.fromEntries(serials), rest: { ...rest, devices } };
}

/** Entries of a section of rack.yaml, with ranges expanded. */
import { z } from 'zod';
import { type Checked, check } from '../issues/describe.ts';
import { type Path, type Problem, shown } from '../issues/issues.ts';
import { type Expanded, expandEntry } from '../ranges/expand.ts';
import { maxNames } from '../ranges/ranges.ts';
import type { Spread } from '../ranges/spreading.ts';
import { object } from '../schema/fields.ts';
import { hostNameProblem } from '../schema/network-fields.ts';
import { isMap, type PlainMap } from '../yaml/plain.ts';
import { type Draft, type Report, reportTo } from './draft.ts';
import type { Omissions, RangedSection } from './omissions.ts';

/** The entries of a section; none if it is missing. */
function mapOf(section: string, top: PlainMap, report: Report): [string, unknown][] {
  const value = top[section];
  if (value === undefined) return [];
  if (isMap(value)) return Object.entries(value);
  const message =
    value === null ? 'is empty; remove the key' : `expected a map, found ${shown(value)}`;
  report([section], 'type', message);
  return [];
}

/** Identities and logins, which have no ranges. */
export function* singleEntries(
  section: 'identities' | 'logins',
  top: PlainMap,
  draft: Draft,
  report: Report,
): Generator<{ name: string; raw: unknown; path: Path }> {
  for (const [name, raw] of mapOf(section, top, report)) {
    const path = [section, name];
    draft.declared[section].add(name);
    if (!/^[A-Za-z0-9][\w.-]{0,62}$/.test(name)) {
      report(path, 'name', `"${name}" is not a valid name (letters, digits, . _ -)`, 'key');
    } else if (section === 'identities' && name === 'none') {
      report(path, 'name', '"none" is reserved: it means no identity', 'key');
    }
    yield { name, raw, path };
  }
}

interface ReadRanged {
  top: PlainMap;
  draft: Draft;
  problems: Problem[];
  omissions: Omissions | undefined;
}

/** An entry with its expanded names. */
interface RangedEntry extends Expanded {
  /** Path of the entry. */
  path: Path;
  /** Path for a problem of one name. */
  pathOf(name: string): Path;
  isOmitted(name: string): boolean;
}

function recordNames(
  section: RangedSection,
  key: string,
  value: unknown,
  { names, first, changes, problems }: Expanded,
  omissions: Omissions,
): void {
  // In a range with a mistake, each name may have any of its values.
  const isUnclear = problems !== undefined;
  if (names.length === 0) omissions.record(section, key, key, () => value);
  names.forEach((name, i) => {
    const own = () => (isMap(first) && i > 0 ? { ...first, ...changes(i) } : first);
    omissions.record(section, key, name, () => (isUnclear ? value : own()));
  });
}

/** Infrastructure and machines, which may have ranges. Reports mistakes in ranges and names. */
export function* rangedEntries(
  section: RangedSection,
  spreadFor: (raw: unknown) => Spread,
  { top, draft, problems, omissions }: ReadRanged,
): Generator<RangedEntry> {
  const report = reportTo(problems);
  const what = section === 'machines' ? 'a machine' : 'infrastructure';
  let count = 0;
  for (const [key, value] of mapOf(section, top, report)) {
    const path = [section, key];
    const expanded = expandEntry(path, key, value, spreadFor(value));
    if (omissions !== undefined) recordNames(section, key, value, expanded, omissions);
    if (omissions?.isOmitted(section, key)) continue;
    count += expanded.names.length;
    if (count > maxNames) {
      report(path, 'too many', `more than ${maxNames} entries`, 'key');
      return;
    }
    const pathOf = omissions === undefined ? () => path : (name: string) => [section, name];
    const isOmitted = (name: string) => omissions?.isOmitted(section, name) ?? false;
    for (const name of expanded.names.filter((name) => !isOmitted(name))) {
      draft.declared[section].add(name);
      draft.named.push({ name, what, path: pathOf(name), at: 'key' });
      const wrong = hostNameProblem(name);
      if (wrong !== undefined) report(pathOf(name), 'name', wrong, 'key');
    }
    problems.push(...(expanded.problems ?? []));
    if (expanded.names.length > 0) yield { ...expanded, path, pathOf, isOmitted };
  }
}

/**
 * Checks each name of an entry: the first completely, the others only in the keys that differ. Shared parts are the same
 * objects afterwards.
 */
export function checkEach<S extends z.ZodObject>(
  schema: S,
  { names, first, changes, problems, path, pathOf, isOmitted }: RangedEntry,
): { name: string; path: Path; checked: Checked<z.output<S>> }[] {
  const whole = check(schema, first, path);
  if (problems) {
    const others = whole.problems?.filter(
      (other) => !problems.some((known) => isWithin(other, known)),
    );
    return names.slice(0, 1).map((name) => ({ name, path, checked: { problems: others ?? [] } }));
  }
  const rest = names.slice(1);
  const differing = rest.map((_, i) => changes(i + 1));
  const parts = whole.value && check(partsOf(schema, differing[0]), differing, path).value;

  function checkedOf(i: number): Checked<z.output<S>> {
    if (whole.value && parts) return { value: { ...whole.value, ...parts[i] } };
    // With a mistake, check each name completely, to find all mistakes.
    return isMap(first) ? check(schema, { ...first, ...differing[i] }, path) : whole;
  }

  return names.flatMap((name, i) => {
    if (isOmitted(name)) return [];
    const checked = i === 0 ? whole : checkedOf(i - 1);
    return [{ name, path: pathOf(name), checked: moved(checked, path, pathOf(name)) }];
  });
}

/** Moves problems from one path to another. */
function moved<T>(checked: Checked<T>, from: Path, to: Path): Checked<T> {
  if (from === to || checked.problems === undefined) return checked;
  return {
    ...checked,
    problems: checked.problems.map((problem) => ({
      ...problem,
      path: [...to, ...problem.path.slice(from.length)],
    })),
  };
}

/** Whether a problem is within the path of a known one. */
function isWithin({ path }: Problem, { path: known }: Problem): boolean {
  return known.every((part, i) => part === path[i]);
}

const known = new Map<z.ZodObject, Map<string, z.ZodArray<z.ZodObject>>>();

/** The schema of a list of maps with only these keys. */
function partsOf(schema: z.ZodObject, keys: PlainMap = {}): z.ZodArray<z.ZodObject> {
  const ofSchema = known.get(schema) ?? new Map<string, z.ZodArray<z.ZodObject>>();
  known.set(schema, ofSchema);
  const id = Object.keys(keys).join();
  const parts = ofSchema.get(id) ?? z.array(object(pick(schema.shape, Object.keys(keys))));
  ofSchema.set(id, parts);
  return parts;
}

function pick(shape: z.ZodRawShape, keys: string[]): z.ZodRawShape {
  return Object.fromEntries(keys.flatMap((key) => (shape[key] ? [[key, shape[key]]] : [])));
}

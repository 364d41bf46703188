/** Entries of a section of rack.yaml, with ranges expanded. */
import { isObject } from '@skolo/base';
import type { z } from 'zod';
import { type Checked, check } from '../issues/describe.ts';
import { type Path, type Problem, shown } from '../issues/issues.ts';
import { type Expanded, expandEntry } from '../ranges/expand.ts';
import { maxNames } from '../ranges/ranges.ts';
import type { Spread } from '../ranges/spreading.ts';
import { hostNameProblem } from '../schema/network-fields.ts';
import { type Draft, type Report, reportTo } from './draft.ts';
import type { Omissions, RangedSection } from './omissions.ts';

/** The entries of a section; none if it is missing. */
export function mapOf(
  section: string,
  top: Record<string, unknown>,
  report: Report,
): [string, unknown][] {
  const value = top[section];
  if (value === undefined) return [];
  if (isObject(value)) return Object.entries(value);
  const message =
    value === null ? 'is empty; remove the key' : `expected a map, found ${shown(value)}`;
  report([section], 'type', message);
  return [];
}

/** Identities and logins, which have no ranges. */
export function* singleEntries(
  section: 'identities' | 'logins',
  top: Record<string, unknown>,
  draft: Draft,
  report: Report,
): Generator<{ name: string; raw: unknown; path: Path }> {
  for (const [name, raw] of mapOf(section, top, report)) {
    const path = [section, name];
    draft.declared[section].add(name);
    if (!/^[A-Za-z0-9][\w.-]{0,62}$/.test(name)) {
      report(
        path,
        'name',
        `"${name}" is not a valid name (at most 63 letters, digits, . _ -, starting with a letter or digit)`,
        'key',
      );
    } else if (section === 'identities' && name === 'none') {
      report(path, 'name', '"none" is reserved: it means no identity', 'key');
    }
    yield { name, raw, path };
  }
}

interface ReadRanged {
  top: Record<string, unknown>;
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
  { names, entryOf, problems }: Expanded,
  omissions: Omissions,
): void {
  if (names.length === 0) omissions.record(section, key, key, () => value);
  names.forEach((name, i) => {
    // In a range with an error, each name may have any of its values.
    omissions.record(section, key, name, () => (problems === undefined ? entryOf(i) : value));
  });
}

/** Equipment and machines, which may have ranges. Reports errors in ranges and names. */
export function* rangedEntries(
  section: RangedSection,
  spreadFor: (raw: unknown) => Spread,
  { top, draft, problems, omissions }: ReadRanged,
): Generator<RangedEntry> {
  const report = reportTo(problems);
  const what = section === 'machines' ? 'a machine' : 'equipment';
  let count = 0;
  for (const [key, value] of mapOf(section, top, report)) {
    const path = [section, key];
    const expanded = expandEntry(path, key, value, spreadFor(value));
    if (omissions !== undefined) recordNames(section, key, value, expanded, omissions);
    const isOmitted = (name: string) => omissions?.isOmitted(section, name) ?? false;
    for (const name of expanded.names)
      if (isOmitted(key) || isOmitted(name)) draft.omitted.add(name);
    if (isOmitted(key)) continue;
    count += expanded.names.length;
    if (count > maxNames) {
      report(path, 'too many', `more than ${maxNames} entries`, 'key');
      return;
    }
    const pathOf = omissions === undefined ? () => path : (name: string) => [section, name];
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

/** Checks each name of an entry; if a range has an error, only the other errors of the first name. */
export function checkEach<S extends z.ZodType>(
  schema: S,
  { names, entryOf, problems, path, pathOf, isOmitted }: RangedEntry,
): { name: string; path: Path; checked: Checked<z.output<S>> }[] {
  if (problems === undefined) {
    return names.flatMap((name, i) => {
      if (isOmitted(name)) return [];
      return [{ name, path: pathOf(name), checked: check(schema, entryOf(i), pathOf(name)) }];
    });
  }
  const others = check(schema, entryOf(0), path).problems?.filter(
    (other) => !problems.some((known) => isWithin(other, known)),
  );
  return names.slice(0, 1).map((name) => ({ name, path, checked: { problems: others ?? [] } }));
}

/** Whether a problem is within the path of a known one. */
function isWithin({ path }: Problem, { path: known }: Problem): boolean {
  return known.every((part, i) => part === path[i]);
}

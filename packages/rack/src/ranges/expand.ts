/** Expands an entry with a range to one entry per name. Its ranges and lists advance together. */
import { type Path, type Problem, shown } from '../issues/issues.ts';
import { expandRange, RangeSyntaxError } from './ranges.ts';
import type { Spread } from './spreading.ts';

export interface Expanded {
  names: string[];
  /** The value of the first name. */
  first: unknown;
  /** Keys and values in which the i-th name differs from the first. */
  changes(index: number): Record<string, unknown>;
  /** Mistakes in ranges; the entry then only serves to find other mistakes. */
  problems?: Problem[];
}

/** Limit of values and text of one entry. */
const maxWork = 20_000_000;

/** Expands an entry. Problems have paths of the file. */
export function expandEntry(path: Path, key: string, value: unknown, spread: Spread): Expanded {
  let names: string[];
  try {
    names = expandRange(key);
  } catch (error) {
    if (!(error instanceof RangeSyntaxError)) throw error;
    const problem: Problem = { path, rule: 'range', message: error.message, at: 'key' };
    return { names: [], first: undefined, changes: () => ({}), problems: [problem] };
  }
  const size = { work: 0 };
  const problems: Problem[] = [];
  const plan = planOf(value, path, spread, names.length, problems, size);
  if (size.work * names.length > maxWork && names.length > 1) {
    const message = `is too large for ${names.length} names`;
    problems.push({ path, rule: 'range', message, at: 'key' });
  }
  const { varying } = plan;
  return {
    names,
    ...(problems.length > 0 && { problems }),
    first: valueAt(plan, value, 0),
    changes: (index) =>
      varying ? Object.fromEntries(varying.map(({ key, at }) => [key, at(index)])) : {},
  };
}

/** The value of a part by name; without `at` it is constant. */
interface Plan {
  at?: (index: number) => unknown;
  /** Keys of a map that vary. */
  varying?: { key: string; at: (index: number) => unknown }[];
}

const same: Plan = {};

function planOf(
  value: unknown,
  path: Path,
  spread: Spread | undefined,
  count: number,
  problems: Problem[],
  size: { work: number },
): Plan {
  size.work++;
  if (spread?.as === 'literal') return same;
  if (typeof value === 'string') {
    if (!value.includes('[')) return same;
    size.work += value.length;
    return planOfText(value, path, count, problems);
  }
  if (Array.isArray(value)) {
    if (spread?.as === 'each') return planOfList(value, path, count, problems);
    const plans = value.map((item, i) =>
      planOf(item, [...path, i], spread?.items, count, problems, size),
    );
    if (plans.every((plan) => plan === same)) return same;
    return { at: (index) => value.map((item, i) => valueAt(plans[i], item, index)) };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => ({
      key,
      item,
      plan: planOf(item, [...path, key], spread?.keys.get(key), count, problems, size),
    }));
    const varying = entries.flatMap(({ key, plan }) => (plan.at ? [{ key, at: plan.at }] : []));
    if (varying.length === 0) return same;
    return {
      varying,
      at: (index) =>
        Object.fromEntries(entries.map(({ key, item, plan }) => [key, valueAt(plan, item, index)])),
    };
  }
  return same;
}

function valueAt(plan: Plan | undefined, value: unknown, index: number): unknown {
  return plan?.at === undefined ? value : plan.at(index);
}

function planOfText(text: string, path: Path, count: number, problems: Problem[]): Plan {
  const values = texts(text, path, problems);
  if (values.length === 1) return values[0] === text ? same : { at: () => values[0] };
  if (values.length > 1 && values.length !== count) {
    const hint = count === 1 ? '; if it is not a range, write \\[' : '';
    problems.push({
      path,
      rule: 'range',
      message: `${shown(text)} is a range of ${values.length}, but the entry has ${names(count)}${hint}`,
    });
  }
  return { at: (index) => values[index] };
}

/** A list with one value per name. */
function planOfList(list: unknown[], path: Path, count: number, problems: Problem[]): Plan {
  const values = list.flatMap((item, i) =>
    typeof item === 'string' ? texts(item, [...path, i], problems) : [item],
  );
  if (values.length !== count) {
    const only = list[0];
    const meant =
      list.length === 1 && typeof only === 'string' && expandable(`[${only}]`)
        ? `; did you mean the range "[${only}]", in quotes?`
        : '';
    problems.push({
      path,
      rule: 'range',
      message: `is a list of ${values.length}, but the entry has ${names(count)}${meant}`,
    });
  }
  return { at: (index) => values[index] };
}

function texts(text: string, path: Path, problems: Problem[]): string[] {
  try {
    return expandRange(text);
  } catch (error) {
    if (!(error instanceof RangeSyntaxError)) throw error;
    problems.push({ path, rule: 'range', message: error.message });
    return [];
  }
}

function expandable(text: string): boolean {
  return /^\[\d+-\d+\]$/.test(text);
}

function names(count: number): string {
  return count === 1 ? 'one name' : `${count} names`;
}

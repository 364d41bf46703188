/** Expands an entry with a range to one entry per name. Its ranges and lists advance together, and must be as long as its names. */
import { isObject } from '@skolo/base';
import { type Path, type Problem, shown } from '../issues/issues.ts';
import { expandRange, RangeSyntaxError } from './ranges.ts';
import type { Spread } from './spreading.ts';

export interface Expanded {
  names: string[];
  /** The value of the i-th name. */
  entryOf(index: number): unknown;
  /** Errors in ranges; the entry then only serves to find other errors. */
  problems?: Problem[];
}

/** Limit of values and text of one entry, times its names. */
const maxWork = 5_000_000;

/** Expands an entry. Problems have paths of the file. */
export function expandEntry(path: Path, key: string, value: unknown, spread: Spread): Expanded {
  let names: string[];
  try {
    names = expandRange(key);
  } catch (error) {
    if (!(error instanceof RangeSyntaxError)) throw error;
    const problem: Problem = { path, rule: 'range', message: error.message, at: 'key' };
    return { names: [], entryOf: () => undefined, problems: [problem] };
  }
  const entry: Entry = { count: names.length, problems: [], size: 0 };
  const plan = planOf(value, path, spread, entry);
  const { problems } = entry;
  if (entry.size * names.length > maxWork && names.length > 1) {
    const message = `the entry is too large to expand to ${names.length} names`;
    problems.push({ path, rule: 'range', message, at: 'key' });
  }
  return {
    names,
    entryOf: (index) => valueAt(plan, value, index),
    ...(problems.length > 0 && { problems }),
  };
}

interface Entry {
  /** Of names. */
  count: number;
  problems: Problem[];
  size: number;
}

/** The value of a part by name; undefined: it is constant. */
type Plan = ((index: number) => unknown) | undefined;

function planOf(value: unknown, path: Path, spread: Spread | undefined, entry: Entry): Plan {
  entry.size++;
  if (spread?.as === 'literal') return undefined;
  if (typeof value === 'string') {
    if (!value.includes('[')) return undefined;
    entry.size += value.length;
    return planOfText(value, path, entry);
  }
  if (Array.isArray(value)) {
    if (spread?.as === 'each') return planOfList(value, path, entry);
    const plans = value.map((item, i) => planOf(item, [...path, i], spread?.items, entry));
    if (plans.every((plan) => plan === undefined)) return undefined;
    return (index) => value.map((item, i) => valueAt(plans[i], item, index));
  }
  if (!isObject(value)) return undefined;
  const plans = Object.entries(value).map(([key, item]) => ({
    key,
    item,
    plan: planOf(item, [...path, key], spread?.keys.get(key), entry),
  }));
  if (plans.every(({ plan }) => plan === undefined)) return undefined;
  return (index) =>
    Object.fromEntries(plans.map(({ key, item, plan }) => [key, valueAt(plan, item, index)]));
}

function valueAt(plan: Plan, value: unknown, index: number): unknown {
  return plan === undefined ? value : plan(index);
}

function planOfText(text: string, path: Path, { count, problems }: Entry): Plan {
  const values = texts(text, path, problems);
  if (values.length === 1) return values[0] === text ? undefined : () => values[0];
  if (values.length > 1 && values.length !== count) {
    const hint = count === 1 ? '; if it is not a range, write \\[' : '';
    problems.push({
      path,
      rule: 'range',
      message: `${shown(text)} is a range of ${values.length}, but the entry has ${names(count)}${hint}`,
    });
  }
  return (index) => values[index];
}

/** A list with one value per name. */
function planOfList(list: unknown[], path: Path, { count, problems }: Entry): Plan {
  const values = list.flatMap((item, i) =>
    typeof item === 'string' ? texts(item, [...path, i], problems) : [item],
  );
  if (values.length !== count) {
    const only = list[0];
    const meant =
      list.length === 1 && typeof only === 'string' && /^\d+-\d+$/.test(only)
        ? `; did you mean the range "[${only}]", in quotes?`
        : '';
    problems.push({
      path,
      rule: 'range',
      message: `is a list of ${values.length}, but the entry has ${names(count)}${meant}`,
    });
  }
  return (index) => values[index];
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

function names(count: number): string {
  return count === 1 ? 'one name' : `${count} names`;
}

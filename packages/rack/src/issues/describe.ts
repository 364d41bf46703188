/** Messages for zod issues: the value found, and what is expected. */
import { isObject } from '@skolo/base';
import { z } from 'zod';
import { type Path, type Problem, shown } from './issues.ts';
import { didYouMean } from './suggest.ts';

export type Checked<T> = { value: T; problems?: never } | { value?: never; problems: Problem[] };

/** Checks a value; paths of problems begin with `path`. */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
  path: Path,
): Checked<z.output<S>> {
  const result = schema.safeParse(value, {
    error: describe,
    reportInput: true,
    // Compiling a schema pays off only for thousands of values.
    jitless: true,
  });
  if (result.success) return { value: result.data };
  return { problems: result.error.issues.flatMap((issue) => problemsOf(issue, path)) };
}

function problemsOf(issue: z.core.$ZodIssue, base: Path): Problem[] {
  const path = [
    ...base,
    ...issue.path.map((part) => (typeof part === 'number' ? part : String(part))),
  ];
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, i) => ({
      path: [...path, key],
      rule: 'unknown key',
      message: messages[i] ?? 'unknown key',
      at: 'key',
    }));
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({ path, rule: issue.code, message, at: 'key' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const meant = issue.errors.find((branch) =>
      branch.every(({ path, code }) => path.length > 0 || code !== 'invalid_type'),
    );
    if (meant !== undefined) return meant.flatMap((inner) => problemsOf(inner, path));
  }
  const missing = issue.input === undefined;
  return [
    {
      path,
      rule: missing ? 'missing' : issue.code,
      message: issue.message,
      ...(isQuotable(issue) && { quote: true }),
    },
  ];
}

function isQuotable({ code, input, ...issue }: z.core.$ZodIssue): boolean {
  return (
    code === 'invalid_type' &&
    'expected' in issue &&
    issue.expected === 'string' &&
    (typeof input === 'number' || typeof input === 'boolean')
  );
}

/** The message of an issue, unless its schema has one. */
function describe(issue: z.core.$ZodRawIssue): string {
  const found = shown(issue.input);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      return issue.keys.map((key) => unknownKey(key, known)).join('\n');
    }
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      if (issue.input === null)
        return `is empty; specify ${expected(issue.expected)}, or remove the key`;
      return `expected ${expected(issue.expected)}, found ${found}${unitHint(issue.expected, issue.input)}`;
    case 'invalid_value':
      if (issue.input === undefined)
        return `is missing; expected ${oneOf(issue.values.map(String))}`;
      return `expected ${oneOf(issue.values.map(String))}, found ${found}${didYouMean(
        String(issue.input),
        issue.values.map(String),
      )}`;
    case 'too_small':
      return `expected at least ${issue.minimum}${measure(issue.origin, issue.minimum)}, found ${sizeOf(issue.input)}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${measure(issue.origin, issue.maximum)}, found ${sizeOf(issue.input)}${milliseconds(issue)}`;
    case 'invalid_union':
      if (typeof issue.discriminator === 'string' && Array.isArray(issue.options)) {
        return describeKind(issue.discriminator, issue.options.map(String), issue.input);
      }
      return `expected ${unionOf(issue.errors)}, found ${found}`;
    case 'invalid_format':
      return `${found} has an invalid format`;
    default:
      return `${found} is not valid here`;
  }
}

/** A map of unknown kind. */
function describeKind(key: string, known: string[], map: unknown): string {
  const found = isObject(map) ? map[key] : undefined;
  if (found === undefined) return `has no \`${key}\`; expected ${oneOf(known)}`;
  const guess = typeof found === 'string' ? didYouMean(found, known) : '';
  return `expected ${oneOf(known)}, found ${shown(found)}${guess}`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const all = known.length > 0 ? `known keys: ${known.join(', ')}` : '';
  return `unknown key "${key}"${didYouMean(key, known, all)}`;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function expected(kind: string): string {
  return kinds[kind] ?? kind;
}

function oneOf(values: string[]): string {
  return values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`;
}

function unionOf(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const kinds = branches.flat().flatMap((error) => {
    if (error.code === 'invalid_type') return [expected(error.expected)];
    return error.code === 'invalid_value' ? error.values.map(String) : [];
  });
  return [...new Set(kinds)].join(' or ') || 'other content';
}

function measure(origin: string, count: number | bigint): string {
  const words: Readonly<Record<string, string>> = {
    string: 'character',
    array: 'item',
    record: 'key',
  };
  const word = words[origin];
  return word === undefined ? '' : ` ${word}${count === 1 ? '' : 's'}`;
}

function sizeOf(input: unknown): string {
  if (Array.isArray(input)) return String(input.length);
  return typeof input === 'string' ? String(input.length) : String(input);
}

const factors: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  sec: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86_400,
};

/** `offSeconds: 5000`. */
function milliseconds({
  path,
  input,
  maximum,
}: z.core.$ZodRawIssue<z.core.$ZodIssueTooBig>): string {
  const inSeconds = Number(input) / 1000;
  const isTime = String(path?.at(-1)).endsWith('Seconds');
  return isTime && inSeconds <= Number(maximum)
    ? `; if these are milliseconds, write ${inSeconds}`
    : '';
}

/** `5m` instead of a number: keys name the unit. */
function unitHint(kind: string, input: unknown): string {
  if (typeof input !== 'string' || (kind !== 'number' && kind !== 'int')) return '';
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/i.exec(input) ?? [];
  if (digits === undefined) return '';
  if (unit === '') return `; write ${digits} without quotes`;
  const factor = factors[unit.toLowerCase()];
  return factor === undefined
    ? '; the key name contains the unit'
    : `; the key name contains the unit, and ${input} is ${Number(digits) * factor} s`;
}

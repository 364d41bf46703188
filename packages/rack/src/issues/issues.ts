/** Problems of a rack.yaml and their positions. */
import { NamedError } from '@skolo/base';
import { withHint } from './suggest.ts';

/** Keys and indices from the top of the file. */
export type Path = readonly (string | number)[];

export interface Problem {
  path: Path;
  /** Kind of the error. Of the names of a range, only the first with the same kind is shown. */
  rule: string;
  message: string;
  /** The position is that of the key. */
  at?: 'key';
  /** The other entry of a conflict. */
  other?: Path;
  missing?: { section: 'identities' | 'logins' | 'equipment'; name: string };
  /** A scalar that must be text: the message ends with its quoted form. */
  quote?: true;
}

/** A problem of something that a valid rack.yaml refers to. */
export interface Finding {
  /** As in the expanded rack: the name of one entry, not its range. */
  path: Path;
  message: string;
  /** The position is that of the key. */
  at?: 'key';
}

/** A message about a setting of a valid rack.yaml, with its dotted path: `services.alert-to-pubsub.credentials`. */
export interface Remark {
  where: string;
  message: string;
}

export interface RackIssue {
  file: string;
  /** Both count from 1. */
  line: number;
  column: number;
  /** Dotted; empty for the whole file. */
  path: string;
  /** The value found, and the likely correction. */
  message: string;
}

/** rack.yaml is not valid. The message has one issue per line. */
export class RackError extends NamedError {
  readonly code = 'RACK_INVALID';
  readonly issues: RackIssue[];

  constructor(issues: RackIssue[], options?: ErrorOptions) {
    super(issues.map(formatIssue).join('\n'), options);
    this.issues = issues;
  }
}

/** `rack.yaml:12:5 machines.x.power: …` */
export function formatIssue({ file, line, column, path, message }: RackIssue): string {
  return `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
}

/** The position of a path, and the part of the path that exists. */
interface Place {
  line: number;
  column: number;
  path: Path;
  /** The scalar as typed. */
  source?: string;
}
export type Locate = (path: Path, at: 'key' | 'value') => Place;

/** Sorts problems by position, and merges equal errors of the names of a range. */
export function issuesOf(problems: readonly Problem[], locate: Locate, file: string): RackIssue[] {
  const first = new Map<string, { problem: Problem; more: number }>();
  for (const problem of problems) {
    const key = JSON.stringify([problem.path, problem.rule]);
    const known = first.get(key);
    if (known === undefined) first.set(key, { problem, more: 0 });
    else if (known.problem.message !== problem.message) known.more++;
  }
  const issues = [...first.values()].map(({ problem, more }): RackIssue => {
    const place = locate(problem.path, problem.at ?? 'value');
    const odd = oddSpace.exec(place.source ?? '')?.[0];
    const hints = [
      ...(problem.quote && place.source ? [`put it in quotes: "${place.source}"`] : []),
      ...(odd === undefined
        ? []
        : [`the text contains ${nameOfSpace(odd)}: remove it, or replace it with a space`]),
    ];
    const others = more === 0 ? '' : ` (and ${more} more in this range)`;
    return {
      file,
      line: place.line,
      column: place.column,
      path: dotted(problem.rule === 'missing' ? problem.path : place.path),
      message: `${hints.reduce(withHint, problem.message)}${others}`,
    };
  });
  return issues.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Characters that look like a space, or are invisible. Source: Unicode, general category Zs, and U+200B, U+FEFF. */
export const oddSpace = /[\t\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff]/;

/** `a tab`, `a no-break space (U+00A0)`, `an invisible character (U+200B)`. */
export function nameOfSpace(character: string): string {
  if (character === '\t') return 'a tab';
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return character === '\u00a0'
    ? `a no-break space (U+${code})`
    : `an invisible character (U+${code})`;
}

/** `services.metadata-server.callers[1].cidr` */
function dotted(path: Path): string {
  return path
    .map((part, i) => {
      if (typeof part === 'number') return `[${part}]`;
      return (i > 0 ? '.' : '') + (/^[\w[\],-]+$/.test(part) ? part : JSON.stringify(part));
    })
    .join('');
}

/** A value for a message: short, on one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string')
    return `the ${typeof value === 'boolean' ? 'word' : 'number'} ${value}`;
  const line = value.replaceAll(/\s+/g, ' ');
  return `"${line.length > 60 ? `${line.slice(0, 57)}…` : line}"`;
}

const unreadableReasons = new Map([
  ['ENOENT', 'no such file'],
  ['EACCES', 'permission denied; grant access to the user that runs this process'],
  ['EISDIR', 'is a directory; specify the path of the file in it'],
  ['ENOTREG', 'is not a regular file; specify one'],
  ['EFBIG', 'is too large for a rack.yaml; check the path'],
]);

/** Messages for unreadable files, by the code of the system error. */
export function unreadableRack(file: string, code: string, cause?: unknown): RackError {
  const message = unreadableReasons.get(code) ?? `cannot be read (${code})`;
  return wholeFile(file, message, cause);
}

/** A problem of the whole file. */
export function wholeFile(file: string, message: string, cause?: unknown): RackError {
  return new RackError([{ file, line: 1, column: 1, path: '', message }], { cause });
}

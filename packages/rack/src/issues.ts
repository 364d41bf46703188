/** What is wrong with a rack.yaml, and where: all of it at once. */

/** Keys and indices from the top of the file, as they are written there. */
export type Path = readonly (string | number)[];

/** Something wrong, before it is known where in the text it stands. */
export interface Problem {
  path: Path;
  /** What kind of mistake: of the names of one range, only the first that makes it is shown. */
  rule: string;
  message: string;
  /** Point at the key instead of its value. */
  at?: 'key';
  /** The other place, where two claim the same: either may be the one with the mistake. */
  other?: Path;
  /** What is referred to and not there. */
  missing?: { section: 'identities' | 'logins' | 'infrastructure'; name: string };
  /** A scalar that must be text: the message ends with how it is quoted. */
  quote?: true;
}

export interface RackIssue {
  file: string;
  /** Both count from 1. */
  line: number;
  column: number;
  /** Dotted; empty for the whole file. */
  path: string;
  /** What was found, and what it probably should be. */
  message: string;
}

/** rack.yaml is not valid. The message has all issues, one a line. */
export class RackError extends Error {
  readonly code = 'RACK_INVALID';
  readonly issues: RackIssue[];

  constructor(issues: RackIssue[], options?: ErrorOptions) {
    super(issues.map(formatIssue).join('\n'), options);
    this.name = 'RackError';
    this.issues = issues;
  }
}

/** `rack.yaml:12:5 machines.x.power: …` */
export function formatIssue({ file, line, column, path, message }: RackIssue): string {
  return `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
}

/** The place of a path in the text, and as much of the path as is there. */
export interface Place {
  line: number;
  column: number;
  path: Path;
  /** The scalar as it is typed. */
  source?: string;
}
export type Locate = (path: Path, at: 'key' | 'value') => Place;

/** Puts problems in the order of the text. Equal mistakes of one entry, from the names of its range, become one. */
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
    const quoted = problem.quote && place.source ? `; put it in quotes: "${place.source}"` : '';
    const others = more === 0 ? '' : ` (and ${more} more of this range)`;
    return {
      file,
      line: place.line,
      column: place.column,
      path: dotted(problem.rule === 'missing' ? problem.path : place.path),
      message: `${problem.message}${quoted}${others}`,
    };
  });
  return issues.sort((a, b) => a.line - b.line || a.column - b.column);
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

/** A value in a message: short, on one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string')
    return `the ${typeof value === 'boolean' ? 'word' : 'number'} ${value}`;
  const line = value.replaceAll(/\s+/g, ' ');
  return `"${line.length > 60 ? `${line.slice(0, 57)}…` : line}"`;
}

/**
 * Files in rack.yaml: absolute paths and globs. `*` and `?` match anything but `/`, `[a-z]` and `[!a-z]` one character, `**` as a whole
 * part also any number of directories, and `\` escapes the next character. A leading dot is not special.
 *
 * A path without any of these names a file or a link, or a directory with everything in it. One without `/` is a name in any directory.
 */
import { shellWord } from '@skolo/base';

interface Glob {
  /** Whether it matches this absolute path. */
  matches(path: string): boolean;
  /** Whether it may match something in this directory. */
  reaches(folder: string): boolean;
}

export function glob(text: string): Glob {
  const parts = split(text.includes('/') ? text : `/**/${text}`);
  const last = parts.length - 1;
  const sources = parts.map((part, index) => {
    if (part !== '**') return `/${partSource(part)}`;
    return index === last ? '/.+' : '(?:/.+)?';
  });
  const beneath = parts.some(isMagic) ? '' : '(?:/.*)?';
  const whole = pattern(`${sources.join('')}${beneath}`);
  // Directories on the path, and where any number may be.
  const deep = parts.indexOf('**');
  const length = deep < 0 ? parts.length : deep;
  const ways = sources.slice(0, length).map((_, index) => sources.slice(0, index).join(''));
  if (deep >= 0) ways.push(`${sources.slice(0, deep).join('')}(?:/.*)?`);
  else if (beneath !== '') ways.push(`${sources.join('')}(?:/.*)?`);
  const way = pattern(`(?:${ways.join('|')})`);
  return { matches: (path) => whole.test(path), reaches: (folder) => way.test(folder) };
}

/**
 * The arguments of `find` that print everything that this may match, and little else, one path per line. POSIX and BusyBox support them.
 * Directories are included if the shell variable `folders` is `-o -type d`.
 *
 * @param skipped paths to skip, as returned by `skip`
 */
export function findArguments(text: string, skipped: readonly string[]): string {
  const parts = split(text);
  const first = parts.findIndex(isMagic);
  const skip = skipped.map((path) => `-path ${shellWord(path)} -prune -o `).join('');
  const all = String.raw`\( -type f -o -type l $folders \) -print`;
  if (first < 0) return `${shellWord(`/${taken(parts)}`)} ${skip}${all}`;
  const base = first === 0 ? '' : `/${taken(parts.slice(0, first))}`;
  const rest = parts.slice(first);
  const deep = rest.indexOf('**');
  const depth = deep < 0 ? rest.length : deep;
  // The form of a path after each part.
  const looks = Array.from({ length: depth + 1 }, (_, length) =>
    [escaped(base), ...rest.slice(0, length)].join('/'),
  );
  const end = looks.at(-1) ?? '';
  const onTheWay = deep < 0 ? looks.slice(0, -1) : looks;
  const found =
    deep < 0
      ? String.raw`-path ${shellWord(`${escaped(base)}${'/*'.repeat(depth)}`)} -prune -path ${shellWord(end)} \( -type f -o -type l \) -print`
      : `-path ${shellWord(`${end}/*`)} ${all}`;
  const down = onTheWay.reverse().map((look) => `-path ${shellWord(look === '' ? '/' : look)}`);
  // The starting directory may be a link, and `/` looks like a path below itself.
  const root = base === '' ? '-path / -o ' : '';
  return `-H ${shellWord(base === '' ? '/' : base)} ${root}${skip}${found} -o ${down.join(' -o ')} -o -prune`;
}

/** Paths that `find` can skip, if its patterns, whose `*` also matches `/`, can express that. */
export function skip(text: string): string | undefined {
  const parts = split(text);
  const isTree = parts.at(-1) === '**';
  const path = isTree ? parts.slice(0, -1) : parts;
  if (!text.startsWith('/') || path.length === 0 || path.some(isMagic)) return undefined;
  return `${escaped(`/${taken(path)}`)}${isTree ? '/*' : ''}`;
}

function split(text: string): string[] {
  return text.split('/').filter((part) => part !== '' && part !== '.');
}

function isMagic(part: string): boolean {
  return /[*?[]/.test(part.replaceAll(/\\./gs, ''));
}

/** Without its backslashes. */
function taken(parts: readonly string[]): string {
  return parts.join('/').replaceAll(/\\(.)/gs, '$1');
}

function escaped(path: string): string {
  return path.replaceAll(/[\\*?[\]]/g, String.raw`\$&`);
}

function pattern(source: string): RegExp {
  return new RegExp(`^${source}$`, 'su');
}

const token =
  /\\(?<taken>.)|\[(?<not>[!^])?(?<set>\]?[^\]]*)\]|(?<any>\*+)|(?<one>\?)|(?<other>.)/gsu;

/** Source of a pattern for one part of a path. */
function partSource(part: string): string {
  return [...part.matchAll(token)]
    .map(({ groups = {} }) => {
      const { taken: literal, not, set, any, one, other = '' } = groups;
      if (any !== undefined) return '[^/]*';
      if (one !== undefined) return '[^/]';
      if (set === undefined) return (literal ?? other).replace(/[\\^$.*+?()[\]{}|/-]/u, hex);
      const range = set.replaceAll(/[^\w-]|^-|-$/gu, hex);
      return `(?!/)[${not === undefined ? '' : '^'}${range}]`;
    })
    .join('');
}

function hex(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

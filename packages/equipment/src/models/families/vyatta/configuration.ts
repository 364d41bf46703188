/**
 * A configuration of a Vyatta descendant: blocks in braces, then comments with the versions of the software that wrote it; or `set`
 * commands. Texts have one character per byte.
 */
import type { Extent } from '../../contract/backup.ts';

/** `interfaces ethernet eth0 duplex auto`, without quotes. */
export type Setting = string;

const warning = /^[ \t]*(?:\/\*|\/\/) Warning: Do not remove the following line/m;

/** The version comments at the end, with the empty lines before them. */
export function splitVersions(text: string): { body: string; versions: string } {
  const at = warning.exec(text)?.index;
  if (at === undefined) return { body: text, versions: '' };
  const body = text.slice(0, at).trimEnd();
  const end = body === '' ? 0 : body.length + 1;
  return { body: text.slice(0, end), versions: text.slice(end) };
}

/** Why it is not a complete /config/config.boot. */
export function whyCut(text: string): string | undefined {
  const { body, versions } = splitVersions(text);
  if (body.trim() === '') return 'the configuration is empty';
  if (!text.endsWith('\n')) return 'the last line is incomplete';
  const settings = settingsIn(body);
  if (typeof settings === 'string') return settings;
  if (
    !/^(?:\/\* === vyatta-config-version: ".*" === \*\/|\/\/ vyos-config-version: ".*")[ \t\r]*$/m.test(
      versions,
    )
  ) {
    return 'the line with the component versions, which should be at the end, is missing';
  }
  const last = versions.trimEnd().split('\n').at(-1) ?? '';
  if (!/^(?:\/\*|\/\/) Release version: \S/.test(last))
    return 'the last line is not the "Release version" comment';
  return settings.some((setting) => setting.startsWith('system '))
    ? undefined
    : 'the configuration does not contain a "system" block';
}

/** Why these are not only commands. There is no end mark, so completeness cannot be checked. */
export function whyNoCommands(text: string): string | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const other = lines.find((line) => !line.startsWith('set '));
  if (other !== undefined)
    return `a line is not a "set" command: ${JSON.stringify(other.slice(0, 60))}`;
  return lines.some((line) => line.startsWith('set system '))
    ? undefined
    : 'the configuration does not set anything in "system"';
}

/** Only users of level admin can read config.boot, but their commands may hide secrets. */
export function extentOf(text: string): Extent {
  const [, hidden] =
    /(?<!\S)(?!(?:pre|post)-login )(\S+) ["']?\*{8,}["']?[ \t\r]*$/m.exec(text) ?? [];
  return hidden === undefined ? 'whole' : { part: `secrets are hidden, such as ${hidden}` };
}

/** Nested blocks; a real configuration has fewer than ten levels. */
const deepest = 100;

/** All settings, or why they are unknown. */
export function settingsIn(body: string): Setting[] | string {
  const settings: Setting[] = [];
  const open: { path: string; isEmpty: boolean }[] = [];
  for (const [index, whole] of body.split('\n').entries()) {
    const line = whole.trim();
    if (line === '' || (line.startsWith('/*') && line.endsWith('*/'))) continue;
    if (line === '}') {
      const closed = open.pop();
      if (closed === undefined) return `line ${index + 1} closes a block that is not open`;
      if (closed.isEmpty) settings.push(closed.path);
      continue;
    }
    const above = open.at(-1);
    if (above) above.isEmpty = false;
    const opens = line.endsWith(' {');
    const path = [above?.path, words(opens ? line.slice(0, -2) : line)].join(' ').trim();
    if (open.length > deepest) return `line ${index + 1} is nested too deeply`;
    if (opens) open.push({ path, isEmpty: true });
    else settings.push(path);
  }
  const left = open.at(-1);
  return left === undefined ? settings : `the block "${left.path}" is not closed`;
}

/** Of `set` commands. */
export function settingsOf(commands: string): Setting[] {
  return commands
    .split('\n')
    .filter((line) => line.startsWith('set '))
    .map((line) => words(line.slice('set '.length)));
}

/** Whether both are known and equal, in any order. A string is the reason why settings are unknown. */
export function isSameSettings(
  a: readonly Setting[] | string,
  b: readonly Setting[] | string,
): boolean {
  if (typeof a === 'string' || typeof b === 'string' || a.length !== b.length) return false;
  const [one, other] = [[...a].sort(), [...b].sort()];
  return one.every((setting, i) => setting === other[i]);
}

export function commandsOf(settings: readonly Setting[]): string {
  return settings.map((setting) => `set ${setting}\n`).join('');
}

/** The value of a leaf that occurs only once. */
export function valueIn(settings: readonly Setting[], path: string): string | undefined {
  return settings.find((setting) => setting.startsWith(`${path} `))?.slice(path.length + 1);
}

/** The text with quotes if `like` has them: VyOS saves all values in quotes, and shows them without. */
export function quotedLike(shown: string, like: string): string {
  if (!/^[ \t]*[\w-]+ "[\w.:/-]+"$/m.test(like)) return shown;
  return shown.replace(/^([ \t]*[\w-]+) ([^\s"{][^\n{]*)$/gm, '$1 "$2"');
}

/** Without quotes around values. */
function words(line: string): string {
  return line
    .replace(/ "((?:[^"\\]|\\.)*)"$/, (_, value: string) => ` ${value.replace(/\\(["\\])/g, '$1')}`)
    .replace(/ '([^']*)'$/, ' $1');
}

/**
 * Messages for YAML parser errors: the error and its fix. The parser reports where it failed, but the error
 * is often earlier.
 *
 * Messages do not repeat any text of the file except YAML's own characters, because the line may contain a secret.
 */
import { count } from '@skolo/base';
import { type ErrorCode, LineCounter } from 'yaml';
import { nameOfSpace, oddSpace } from '../issues/issues.ts';
import { type Line, lineAt, type Spot, spotOf, tokensOf } from './error-context.ts';

interface YamlError {
  /** Both count from 1. */
  line: number;
  column: number;
  message: string;
}

/** An error as the parser reports it. */
export interface ParserError {
  code: ErrorCode;
  pos: [number, number];
  /** Where the same key is before. */
  first?: number;
}

interface Found {
  message: string;
  offset: number;
  /** Later errors follow from this one. */
  last?: true;
}

/** A message for the position of the error, or for a better position. */
type Finding = string | Found;

/** Each costs a pass over the text. */
const maxFindings = 20;

/** In the order of the text, one per line: one error often causes several errors. */
export function yamlErrors(text: string, parserErrors: readonly ParserError[]): YamlError[] {
  if (parserErrors.length === 0) return [];
  const tokens = tokensOf(text);
  const counter = lineCounterOf(text);
  const found = new Map<number, YamlError>();
  const reported = new Set<number>();
  let findings = 0;
  for (const { code, pos, first } of [...parserErrors].sort((a, b) => a.pos[0] - b.pos[0])) {
    const offset = Math.min(pos[0], text.length);
    const { line: at } = counter.linePos(offset);
    if (reported.has(at)) continue;
    reported.add(at);
    if (++findings > maxFindings) break;
    const error = findingOf(code, spotOf(text, tokens, offset));
    if (first !== undefined && error.message === duplicate) {
      error.message = `duplicate key, the first is on line ${counter.linePos(first).line}; remove one`;
    }
    const { line, col } = counter.linePos(error.offset);
    reported.add(line);
    if (!found.has(line)) found.set(line, { line, column: col, message: error.message });
    if (error.last) break;
  }
  return [...found.values()].sort((a, b) => a.line - b.line);
}

function lineCounterOf(text: string): LineCounter {
  const counter = new LineCounter();
  counter.addNewLine(0);
  for (const { index } of text.matchAll(/\n/g)) counter.addNewLine(index + 1);
  return counter;
}

function findingOf(code: ErrorCode, spot: Spot): Found {
  const odd = new RegExp(`^ *(${oddSpace.source})`, 'm').exec(spot.text);
  if (odd?.[1] !== undefined && odd[1] !== '\t') {
    const message = `this line is indented with ${nameOfSpace(odd[1])}; use spaces instead`;
    return { message, offset: odd.index, last: true };
  }
  const conflict = /^(?:<{7}|={7}|>{7})(?: |$)/.test(spot.line.content) && spot.line.margin === '';
  if (conflict) return { message: mergeConflict, offset: spot.line.start };
  const finding = findingByCode[code](spot);
  const found = typeof finding === 'string' ? { message: finding, offset: spot.offset } : finding;
  return tabBefore(spot.text, found.offset) ?? tabBefore(spot.text, spot.offset) ?? found;
}

/** A tab in the indentation of the line causes all other errors. */
function tabBefore(text: string, offset: number): Found | undefined {
  const { start, margin } = lineAt(text, offset);
  const tab = margin.indexOf('\t');
  if (tab < 0 || offset > start + margin.length) return undefined;
  return { message: 'this line is indented with a tab; use spaces instead', offset: start + tab };
}

const duplicate = 'duplicate key; remove one';
const mergeConflict = 'this line marks a merge conflict; keep one version and remove the markers';
const comma = 'a comma is missing after this value; add it, or put the whole value in quotes';
const multilineKey = 'this key spans several lines; write it on one line';
const property =
  '`&` or `!` and its name must be followed by a space; add one, or put text that starts with `&` or `!` in quotes';
const tag =
  '`!` starts a YAML tag, which is not supported; remove it, or put text that starts with `!` in quotes';
const lineNotKey = 'this line has no colon followed by a space; write `KEY: VALUE`';

/** For every code, so that a parser with a new one does not compile. */
const findingByCode: Readonly<Record<ErrorCode, (spot: Spot) => Finding>> = {
  ALIAS_PROPS: () =>
    'an alias (`*`) cannot have an anchor (`&`) or a tag (`!`); remove the anchor or tag before the `*`',
  BAD_ALIAS: ({ char }) =>
    char === ':'
      ? 'the name of an anchor or alias ends with a colon; remove the colon, or put the text in quotes'
      : `\`${char}\` requires an anchor name; put text that starts with \`${char}\` in quotes`,
  BAD_COLLECTION_TYPE: () => tag,
  BAD_DIRECTIVE: ({ line }) => ({
    message: '`%` starts a YAML directive, which this file does not need; remove the line',
    offset: line.start,
  }),
  BAD_DQ_ESCAPE: () =>
    'this backslash does not start a valid escape sequence; write two backslashes, or use single quotes',
  BAD_INDENT: badIndent,
  BAD_PROP_ORDER: () =>
    'an anchor (`&`) or a tag (`!`) is not allowed before `-`, `?` or `:`; write it after that character',
  BAD_SCALAR_START: ({ char }) =>
    `text cannot start with ${char === '`' ? 'a backtick' : `\`${char}\``} here; put the text in quotes`,
  BLOCK_AS_IMPLICIT_KEY: blockAsKey,
  BLOCK_IN_FLOW: ({ at }) =>
    at?.type === 'seq-item-ind'
      ? 'a list with `- ` is not allowed within { } or [ ]; write it as [a, b]'
      : comma,
  DUPLICATE_KEY: () => duplicate,
  IMPOSSIBLE: () => 'this is not valid YAML; put the value in quotes, or write the entry again',
  KEY_OVER_1024_CHARS: ({ bracket, offset }) => ({
    message: 'this key has more than 1024 characters; shorten it, or add the missing colon',
    offset: bracket === undefined ? offset : bracket + 1,
  }),
  MISSING_CHAR: missingChar,
  MULTILINE_IMPLICIT_KEY: notAKey,
  MULTIPLE_ANCHORS: () => 'two anchors (`&`) apply to the same value; remove one',
  MULTIPLE_DOCS: () => 'a second document starts here; the file must contain only one',
  MULTIPLE_TAGS: () => 'two tags (`!`) apply to the same value; remove both',
  NON_STRING_KEY: () => 'this key is not text; put it in quotes',
  RESOURCE_EXHAUSTION: () => 'brackets are nested too deeply here; close some of them first',
  TAB_AS_INDENT: () => 'this line is indented with a tab; use spaces instead',
  TAG_RESOLVE_FAILED: () => tag,
  UNEXPECTED_TOKEN: unexpected,
};

function badIndent(spot: Spot): Finding {
  if (spot.bracket !== undefined) return unclosed(spot, spot.bracket);
  const { line, above } = spot;
  const offset = line.start + line.margin.length;
  const [nearest] = above;
  const same = above.find(({ margin }) => margin.length <= line.margin.length);
  if (same?.margin === line.margin) {
    return { message: notAKeyMessage(spot), offset };
  }
  if (nearest === undefined) {
    return { message: 'the first line is indented; start it in column 1', offset };
  }
  const found = `an indentation of ${count(line.margin.length, 'space')}`;
  return {
    message: `${found} does not match any line above; indent this line by ${levels(above)}`,
    offset,
  };
}

/** The indentations that are open: `0, 2 or 4 spaces`. */
function levels(above: readonly Line[]): string {
  const open: number[] = [];
  for (const { margin } of above) {
    if (margin.length < (open[0] ?? Number.POSITIVE_INFINITY)) open.unshift(margin.length);
  }
  const last = open.pop() ?? 0;
  return open.length === 0 ? count(last, 'space') : `${open.join(', ')} or ${count(last, 'space')}`;
}

function isItem({ content }: Line): boolean {
  return /^-(?: |$)/.test(content);
}

/** `a: b: c` on a line, a line indented too far below a value, or a misaligned item. */
function blockAsKey(spot: Spot): Finding {
  const { text, offset, line, rest, bracket } = spot;
  if (bracket !== undefined) return findingByCode.BLOCK_IN_FLOW(spot);
  if (rest.some(({ type }) => type === 'map-value-ind')) {
    return 'this line contains a second `: `; put the value in quotes, or write each key on its own line';
  }
  const next = /\S/.exec(text.slice(line.start + line.margin.length + line.content.length));
  const below = isItem(line)
    ? line
    : lineAt(text, line.start + line.margin.length + line.content.length + (next?.index ?? 0));
  const start = below.start + below.margin.length;
  if (isItem(below)) return { message: itemMessage(spot, below), offset: start };
  if (below.start <= offset) return notAKey(spot);
  const hyphens = /^(?:- +)*/.exec(line.content)?.[0].length ?? 0;
  const message = `the key above already has a value; indent this line by ${count(line.margin.length + hyphens, 'space')}`;
  return { message, offset: start };
}

/** A misplaced item of a list. */
function itemMessage({ above }: Spot, line: Line): string {
  const list = above.find(
    (each) => isItem(each) && each.margin.length > line.margin.length && each.start < line.start,
  );
  const between = above.slice(0, list === undefined ? 0 : above.indexOf(list));
  if (list !== undefined && between.every(({ margin }) => margin.length > line.margin.length)) {
    return `the list items above are indented by ${count(list.margin.length, 'space')}; indent this one the same way`;
  }
  return 'a list item (`- `) is not allowed among keys; move it below the key of its list';
}

function notAKey(spot: Spot): Finding {
  const { at, bracket, line, offset } = spot;
  const quoted = at?.type === 'double-quoted-scalar' || at?.type === 'single-quoted-scalar';
  if (quoted && at.source.includes('\n')) return multilineKey;
  if (bracket !== undefined)
    return at?.type === 'seq-item-ind' ? findingByCode.BLOCK_IN_FLOW(spot) : comma;
  if (at?.type === 'seq-item-ind') return itemMessage(spot, line);
  return { message: notAKeyMessage(spot), offset };
}

function notAKeyMessage({ line: { content, margin }, above }: Spot): string {
  const list = above.find((each) => each.margin.length <= margin.length);
  if (list?.margin === margin && isItem(list)) {
    return /^-\S/.test(content)
      ? 'the hyphen is not followed by a space; write `- VALUE`'
      : 'the lines above are a list; start this line with `- `';
  }
  const after = /^[\w.-]+:([^ ])/.exec(content)?.[1];
  if (after === undefined) return lineNotKey;
  const what = oddSpace.test(after)
    ? `${nameOfSpace(after)} follows the colon instead of a space`
    : 'no space follows the colon';
  return `${what}; write \`KEY: VALUE\``;
}

function missingChar(spot: Spot): Finding {
  const { text, char, offset, at, before, line, bracket } = spot;
  if (char === '#') return '`#` must be preceded by a space; add one, or put the text in quotes';
  if (
    (before?.type === 'double-quoted-scalar' || before?.type === 'single-quoted-scalar') &&
    !isClosed(before.source)
  ) {
    const quote = before.source.charAt(0);
    const message = `this quote is not closed; write ${quote} at the end of the text`;
    return { message, offset: before.offset, last: true };
  }
  if (bracket !== undefined) return offset === text.length ? unclosed(spot, bracket) : comma;
  if (before?.type === 'doc-start' || line.content.startsWith('--- ')) {
    return 'a key follows `---` on the same line; put it on the next line';
  }
  if (before?.type === 'directive-line') {
    return {
      message: 'this `%` line is not followed by a `---` line; remove the `%` line',
      offset: before.offset,
    };
  }
  if (at?.type === 'anchor' || at?.type === 'tag') return findingByCode.BAD_PROP_ORDER(spot);
  if (before?.type === 'anchor' || before?.type === 'tag') return property;
  if (before?.type === 'block-scalar-header') {
    return 'the empty lines above this text are indented more than the text; remove their spaces';
  }
  return notAKey(spot);
}

function isClosed(quoted: string): boolean {
  return quoted.length > 1 && quoted.at(-1) === quoted.at(0);
}

function unclosed({ text, char, offset }: Spot, bracket: number): Finding {
  const begin = text.charAt(bracket);
  const end = begin === '{' ? '}' : ']';
  if ((char === '}' || char === ']') && char !== end) {
    const message = `\`${begin}\` is closed by \`${char}\`; write \`${end}\``;
    return { message, offset, last: true };
  }
  const missing = `write \`${end}\` after its last entry`;
  const message =
    offset === text.length
      ? `\`${begin}\` is not closed; ${missing}`
      : `\`${begin}\` is not closed before a line that is not indented more than its key; ${missing}, or indent that line`;
  return { message, offset: bracket, last: true };
}

function unexpected(spot: Spot): Finding {
  const { at, char, bracket, before } = spot;
  if (before?.type === 'block-scalar-header' || at?.type === 'block-scalar-header') {
    return 'text follows `|` or `>` on the same line; put it on the next line, or in quotes';
  }
  if (char === ',') {
    return bracket === undefined
      ? 'a comma follows a value outside of { } and [ ]; remove it'
      : 'a value is missing before this comma; remove the comma';
  }
  if (char === '}' || char === ']') {
    const begin = char === '}' ? '{' : '[';
    return `\`${char}\` has no opening bracket; remove it, or add the missing \`${begin}\``;
  }
  if (at?.type === 'seq-item-ind') {
    return isItem(spot.line)
      ? itemMessage(spot, spot.line)
      : 'a list item (`- `) follows a key on the same line; put it on the next line, or write [a, b]';
  }
  if (bracket !== undefined)
    return 'a comma is missing before this; add it, or put the whole value in quotes';
  return 'text follows the end of a value; put the whole value in quotes, or write the next key on its own line';
}

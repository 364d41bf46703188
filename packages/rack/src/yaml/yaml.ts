/** Parses rack.yaml to plain data, with the line and column of each path, and limits its size. */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  YAMLParseError,
} from 'yaml';
import { type Locate, type Path, RackError, type RackIssue } from '../issues/issues.ts';
import { hideRanges } from './hidden-ranges.ts';
import { renamePrevious } from './previous-keys.ts';
import { type ParserError, yamlErrors } from './syntax-errors.ts';

/** In characters; a rack of a thousand machines without ranges has 400,000. */
export const maxTextLength = 4_000_000;
const maxDepth = 40;

interface Source {
  value: unknown;
  locate: Locate;
  /** Current names of the top-level keys that are written with their previous ones. */
  renamed: string[];
}

/** @throws RackError The text is not YAML, or too deep, or expands too much. */
export function readYaml(text: string, file: string): Source {
  const lines = new LineCounter();
  const failure = (message: string, offset = 0, cause?: unknown): RackError => {
    const issue = { file, ...positionOf(lines, offset), path: '', message };
    return new RackError([issue], { cause });
  };
  if (text.length > maxTextLength) {
    throw failure(`has ${text.length} characters; the limit is ${maxTextLength}`);
  }
  if (text.includes('\0'))
    throw failure('is not UTF-8 text, but probably UTF-16; save it as UTF-8');
  try {
    const { hidden, show } = hideRanges(text);
    const tokens = [...new Parser(lines.addNewLine).parse(hidden)];
    const trap = findTrap(tokens);
    if (trap && 'code' in trap) {
      throw new RackError(syntaxIssues(hidden, [trap], file));
    }
    if (trap) throw failure(trap.message, trap.offset);
    const document = compose(tokens, text.length);
    showHidden(document, show);
    const pairs = [...nodesOf(document)].flatMap((node) => (isMap(node) ? node.items : []));
    const merge = pairs.find(isMerge);
    if (merge) throw failure(mergeKey, merge.key.range?.[0]);
    const glued = pairs.find(isGlued);
    if (glued) throw failure(gluedKey, glued.key.range?.[0]);
    const wrong = [...document.errors, ...document.warnings, ...duplicateKeys(document)];
    if (wrong.length > 0) throw new RackError(syntaxIssues(hidden, wrong, file));
    const alias = wrongAlias(document);
    if (alias) throw failure(alias.message, alias.offset);
    const renamed = renamePrevious(document.contents);
    // Aliases are limited above.
    const value: unknown = document.toJS({ maxAliasCount: -1 });
    if (isDeeper(value, maxDepth)) throw failure(`is nested deeper than ${maxDepth} levels`);
    return { value, locate: locator(document, lines), renamed };
  } catch (error) {
    if (error instanceof RackError) throw error;
    throw failure('is not valid YAML; undo the last change', 0, error);
  }
}

function positionOf(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** Like parseDocument of yaml, from tokens. */
function compose(tokens: CST.Token[], length: number): Document.Parsed {
  // duplicateKeys is faster: the library compares each key with each.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false });
  const [document, second] = composer.compose(tokens, true, length);
  if (document === undefined) throw new Error('the file does not contain a document');
  if (second !== undefined) {
    const [start, end] = second.range;
    document.errors.push(new YAMLParseError([start, end], 'MULTIPLE_DOCS', 'MULTIPLE_DOCS'));
  }
  return document;
}

function isMerge(pair: Pair): pair is Pair<Scalar> {
  return isScalar(pair.key) && pair.key.type === 'PLAIN' && pair.key.source === '<<';
}

/** `{ model:frr }` is one key without a value. */
function isGlued(pair: Pair): pair is Pair<Scalar> {
  const { key, value } = pair;
  const isEmpty = value == null || (isScalar(value) && value.value === null && !value.source);
  return isEmpty && isScalar(key) && key.type === 'PLAIN' && /^[\w-]+:./.test(key.source ?? '');
}

const gluedKey = 'a space is missing after the colon; write `KEY: VALUE`';

const mergeKey =
  'merge keys (`<<`) are not supported; write the keys in each entry, or use one entry with a range';

interface Trap {
  message: string;
  offset: number;
}

const collectionAsKey =
  'a list, a map or an alias cannot be a key; put text that starts with `{`, `[` or `*` in quotes';

/** Detects YAML on which the next steps would overflow the stack or not end. */
function findTrap(tokens: readonly CST.Token[]): Trap | ParserError | undefined {
  const queue: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { token, depth } = next;
    if (depth > maxDepth)
      return { message: `is nested deeper than ${maxDepth} levels`, offset: token.offset };
    if (token.type === 'document' && token.value) queue.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const { key, value } of token.items) {
      // Rarely meant as a key: a misaligned item.
      if (key?.type === 'block-seq') {
        return { code: 'BLOCK_AS_IMPLICIT_KEY', pos: [key.offset, key.offset] };
      }
      if (key && ('items' in key || key.type === 'alias')) {
        return { message: collectionAsKey, offset: key.offset };
      }
      if (value) queue.push({ token: value, depth: depth + 1 });
    }
  }
  return undefined;
}

/** All nodes, including keys. */
function* nodesOf(document: Document.Parsed): Generator<Node> {
  const queue: unknown[] = [document.contents];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (!isNode(node)) continue;
    yield node;
    // Single pushes, because a call has a maximum number of arguments.
    if (isSeq(node)) for (const item of node.items) queue.push(item);
    if (isMap(node)) for (const { key, value } of node.items) queue.push(key, value);
  }
}

function showHidden(document: Document.Parsed, show: (text: string) => string): void {
  for (const node of nodesOf(document)) {
    if (!isScalar(node)) continue;
    if (typeof node.value === 'string') node.value = show(node.value);
    if (node.source !== undefined) node.source = show(node.source);
  }
}

function duplicateKeys(document: Document.Parsed): ParserError[] {
  const errors: ParserError[] = [];
  for (const node of nodesOf(document)) {
    const keys = new Map<string, number>();
    for (const { key } of isMap(node) ? node.items : []) {
      if (!isScalar(key)) continue;
      const name = String(key.value);
      const [start, end] = key.range ?? [0, 0];
      const first = keys.get(name);
      if (first !== undefined) errors.push({ code: 'DUPLICATE_KEY', pos: [start, end], first });
      else keys.set(name, start);
    }
  }
  return errors;
}

function syntaxIssues(text: string, wrong: readonly ParserError[], file: string): RackIssue[] {
  return yamlErrors(text, wrong).map((error) => ({ file, ...error, path: '' }));
}

/** Whether a value is nested too deeply; an alias inside its anchor is infinite. */
function isDeeper(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((item) => isDeeper(item, left - 1));
}

function locator(document: Document.Parsed, lines: LineCounter): Locate {
  return (path, at) => {
    const found: (string | number)[] = [];
    let key: Node | undefined;
    let node = resolved(document.contents, document);
    for (const part of path) {
      const next = step(node, part);
      if (next === undefined) break;
      key = next.key;
      node = resolved(next.value, document);
      found.push(part);
    }
    const complete = found.length === path.length;
    const block = isCollection(node) && !node.flow;
    const target = at === 'key' || !complete || block || node === undefined ? (key ?? node) : node;
    return {
      ...positionOf(lines, target?.range?.[0] ?? 0),
      path: found satisfies Path,
      ...(isScalar(target) && target.source !== undefined && { source: target.source }),
    };
  };
}

function step(node: Node | undefined, part: string | number) {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
    if (pair === undefined) return undefined;
    return { key: isNode(pair.key) ? pair.key : undefined, value: pair.value };
  }
  if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
    const item = node.items[part];
    return { key: isNode(item) ? item : undefined, value: item };
  }
  return undefined;
}

function resolved(value: unknown, document: Document.Parsed): Node | undefined {
  if (isAlias(value)) return value.resolve(document);
  return isNode(value) ? value : undefined;
}

/** Values that aliases may add to a file. */
const maxAdded = 100_000;

/**
 * Before aliases are resolved, because the library's errors have no position: finds an alias without an anchor, one within its own anchor,
 * or one that expands the file too much. Requires a document of limited depth.
 */
function wrongAlias(document: Document.Parsed): { message: string; offset: number } | undefined {
  /** Number of values of each anchor; undefined while counting. */
  const sizes = new Map<string, number | undefined>();
  let added = 0;
  let wrong: { message: string; offset: number } | undefined;

  const sizeOf = (item: unknown): number => {
    if (wrong !== undefined) return 0;
    if (isPair(item)) return sizeOf(item.key) + sizeOf(item.value);
    if (!isNode(item)) return 1;
    if (isAlias(item)) {
      const offset = item.range?.[0] ?? 0;
      const size = sizes.get(item.source);
      if (!sizes.has(item.source)) {
        const message =
          'unknown alias: no anchor (`&`) with this name precedes it; write the value, or put text that starts with `*` in quotes';
        wrong = { message, offset };
        return 0;
      }
      if (size === undefined) {
        wrong = { message: 'this alias is within its own anchor; write the value', offset };
        return 0;
      }
      added += size;
      if (added > maxAdded) {
        const message = `aliases add more than ${maxAdded} values to this file; write the values, or use ranges`;
        wrong = { message, offset };
      }
      return size;
    }
    if (item.anchor !== undefined) sizes.set(item.anchor, undefined);
    const items = isCollection(item) ? item.items : [];
    const size = items.reduce<number>((sum, each) => sum + sizeOf(each), 1);
    if (item.anchor !== undefined) sizes.set(item.anchor, size);
    return size;
  };
  sizeOf(document.contents);
  return wrong;
}

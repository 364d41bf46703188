/** Text of rack.yaml to plain data, with the place of everything: line and column for each path. */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  YAMLParseError,
} from 'yaml';
import { hideRanges } from './hidden-ranges.ts';
import { type Locate, type Path, RackError, type RackIssue } from './issues.ts';
import { wrongAlias } from './yaml-aliases.ts';
import { type YamlComplaint, yamlMistakes } from './yaml-mistakes.ts';

/** Characters; a rack of a thousand machines written one by one has 400,000. */
export const maxTextLength = 4_000_000;
const maxDepth = 40;

export interface Source {
  value: unknown;
  locate: Locate;
}

/** Throws RackError for text that is not YAML, and for YAML that is a trap (depth, aliases). */
export function readYaml(text: string, file: string): Source {
  const lines = new LineCounter();
  const refuse = (message: string, offset = 0, cause?: unknown): RackError => {
    const issue = { file, ...positionOf(lines, offset), path: '', message };
    return new RackError([issue], { cause });
  };
  if (text.length > maxTextLength) {
    throw refuse(`has ${text.length} characters; more than ${maxTextLength} are not read`);
  }
  try {
    const { hidden, show } = hideRanges(text);
    const tokens = [...new Parser(lines.addNewLine).parse(hidden)];
    const trap = findTrap(tokens);
    if (trap && 'code' in trap) {
      throw new RackError(syntaxIssues(hidden, [trap], file));
    }
    if (trap) throw refuse(trap.message, trap.offset);
    const document = compose(tokens, text.length);
    showHidden(document, show);
    const wrong = [...document.errors, ...document.warnings, ...duplicateKeys(document)];
    if (wrong.length > 0) throw new RackError(syntaxIssues(hidden, wrong, file));
    const alias = wrongAlias(document);
    if (alias) throw refuse(alias.message, alias.offset);
    // What aliases add is limited above.
    const value: unknown = document.toJS({ maxAliasCount: -1 });
    if (isDeeper(value, maxDepth)) throw refuse(`is nested more than ${maxDepth} deep`);
    return { value, locate: locator(document, lines) };
  } catch (error) {
    if (error instanceof RackError) throw error;
    throw refuse('cannot be read as YAML; undo the last change, or write the file again', 0, error);
  }
}

function positionOf(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** What parseDocument of yaml does, from tokens. */
function compose(tokens: CST.Token[], length: number): Document.Parsed {
  // Duplicates are looked for here: the library compares each key with each.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false });
  const [document, second] = composer.compose(tokens, true, length);
  if (document === undefined) throw new Error('there is no document');
  if (second !== undefined) {
    const [start, end] = second.range;
    document.errors.push(new YAMLParseError([start, end], 'MULTIPLE_DOCS', 'MULTIPLE_DOCS'));
  }
  return document;
}

interface Trap {
  message: string;
  offset: number;
}

const collectionAsKey =
  'a list, a map or an alias cannot be a key; put text that begins with `{`, `[` or `*` in quotes';

/** What would make the steps to come overflow the stack or run for ever. */
function findTrap(tokens: readonly CST.Token[]): Trap | YamlComplaint | undefined {
  const queue: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { token, depth } = next;
    if (depth > maxDepth)
      return { message: `is nested more than ${maxDepth} deep`, offset: token.offset };
    if (token.type === 'document' && token.value) queue.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const { key, value } of token.items) {
      // Hardly ever meant as a key: an item that is out of line.
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

/** All nodes, those of keys too. */
function* nodesOf(document: Document.Parsed): Generator<Node> {
  const queue: unknown[] = [document.contents];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (!isNode(node)) continue;
    yield node;
    // One at a time: a call cannot take a hundred thousand arguments.
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

function duplicateKeys(document: Document.Parsed): YAMLParseError[] {
  const errors: YAMLParseError[] = [];
  for (const node of nodesOf(document)) {
    const keys = new Set<string>();
    for (const { key } of isMap(node) ? node.items : []) {
      if (!isScalar(key)) continue;
      const name = String(key.value);
      const [start, end] = key.range ?? [0, 0];
      if (keys.has(name)) errors.push(new YAMLParseError([start, end], 'DUPLICATE_KEY', name));
      keys.add(name);
    }
  }
  return errors;
}

function syntaxIssues(text: string, wrong: readonly YamlComplaint[], file: string): RackIssue[] {
  return yamlMistakes(text, wrong).map((mistake) => ({ file, ...mistake, path: '' }));
}

/** Whether something is nested deeper than allowed; what contains itself, by an alias, is endlessly deep. */
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
      ...(isScalar(node) && node.source !== undefined && { source: node.source }),
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

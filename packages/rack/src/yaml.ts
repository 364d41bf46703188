/** Text of rack.yaml to plain data, with the place of everything: line and column for each path. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { type Locate, type Path, RackError, type RackIssue } from './issues.ts';

/** Characters; a rack of a thousand machines written one by one has 400,000. */
export const maxTextLength = 4_000_000;
const maxDepth = 40;

/** Where the words of the parser are for programmers. */
const plainer: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key is there twice; the second would hide the first',
  MULTIPLE_DOCS: 'a second document begins here; a rack.yaml is one',
};

export interface Source {
  value: unknown;
  locate: Locate;
}

/** Throws RackError for text that is not YAML, and for YAML that is a trap (depth, aliases). */
export function readYaml(text: string, file: string): Source {
  if (text.length > maxTextLength) {
    const message = `has ${text.length} characters; more than ${maxTextLength} are not read`;
    throw new RackError([{ file, line: 1, column: 1, path: '', message }]);
  }
  const lines = new LineCounter();
  const issueAt = (offset: number, message: string): RackIssue => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), path: '', message };
  };
  try {
    const { protectedText, restore } = protectRanges(text);
    const document = parseDocument(protectedText, { lineCounter: lines, prettyErrors: false });
    const wrong = [...document.errors, ...document.warnings];
    if (wrong.length > 0) {
      throw new RackError(
        wrong.map(({ pos, code, message }) => issueAt(pos[0], plainer[code] ?? restore(message))),
      );
    }
    visit(document, {
      Scalar(_, node) {
        if (typeof node.value === 'string') node.value = restore(node.value);
        if (node.source !== undefined) node.source = restore(node.source);
      },
    });
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (isDeeper(value, maxDepth)) {
      throw new RackError([issueAt(0, `is nested more than ${maxDepth} deep`)]);
    }
    return { value, locate: locator(document, lines) };
  } catch (error) {
    if (error instanceof RackError) throw error;
    // The parser recurses: text made to break it ends here, with a full stack or too many aliases.
    const message = error instanceof Error ? error.message : String(error);
    throw new RackError([issueAt(0, `cannot be read as YAML: ${message}`)], { cause: error });
  }
}

/**
 * Within `{ }`, YAML takes `switch-1/[1-40]` for a text and a list, without a comma in between: never valid. A range
 * that stands right behind a letter, digit, hyphen or slash is therefore hidden from the parser, in as many characters.
 */
function protectRanges(text: string): { protectedText: string; restore: (text: string) => string } {
  if (/[\uE000-\uE002]/.test(text)) return { protectedText: text, restore: (same) => same };
  const range = /(?<=[\w./\]\\-])\[\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*\]/g;
  const hide = (found: string) =>
    found.replace('[', '\uE000').replace(']', '\uE001').replaceAll(',', '\uE002');
  return {
    // The closing bracket of one range may stand before the next one.
    protectedText: text.replace(range, hide),
    restore: (hidden) =>
      hidden.replaceAll('\uE000', '[').replaceAll('\uE001', ']').replaceAll('\uE002', ','),
  };
}

/** Whether something is nested deeper than allowed; what contains itself is endlessly deep. */
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
    const { line, col } = lines.linePos(target?.range?.[0] ?? 0);
    return {
      line: Math.max(1, line),
      column: Math.max(1, col),
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

/** Texts that people read, with their positions: paragraphs of pages, strings in sources, annotations of alert rules. */
import { parseAst } from 'vitest/node';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';

/** @typedef {{ line: number, prose: string, kind?: 'names' }} Text */

/**
 * Each list entry, table cell and paragraph of a page. Code, link targets and table rules are not prose.
 *
 * @param {string} text
 */
export function paragraphsOf(text) {
  /** @type {Text[]} */
  const paragraphs = [];
  let isCode = false;
  let isOpen = false;
  for (const [index, row] of text.split('\n').entries()) {
    if (/^\s*```/.test(row)) isCode = !isCode;
    const isProse = !isCode && !/^\s*(```|#|<!--|\|[\s|:-]+\|$|$)/.test(row);
    if (!isProse) {
      isOpen = false;
      continue;
    }
    const cells = row.startsWith('|') ? row.split('|').filter((cell) => cell.trim() !== '') : [row];
    const begins = row.startsWith('|') || /^\s*([-*]|\d+\.)\s/.test(row);
    const last = paragraphs.at(-1);
    if (begins || !isOpen || last === undefined) {
      for (const cell of cells) paragraphs.push({ line: index + 1, prose: plain(cell) });
    } else {
      last.prose += ` ${plain(row)}`;
    }
    isOpen = !row.startsWith('|');
  }
  return paragraphs;
}

/** @param {string} text */
function plain(text) {
  return text
    .replaceAll(/`[^`]*`/g, '`code`')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/https?:\/\/\S+/g, 'URL')
    .replace(/^\s*([-*>]|\d+\.)\s+/, '')
    .trim();
}

/** At least three words, which distinguishes prose from names, paths and commands. */
const words = /[A-Za-z]{2,},? [a-z]{2,},? [a-z]{1,}/;
/** Shell, SQL, HTTP, other markup. */
const code =
  /\$\(|&&|\|\||=>|[{}]|<[a-z/]|^(skolo|npx|sudo|ssh|systemctl|test|if|for|while) |^[A-Z]{3,} |\n/;

/**
 * Strings in a source that are prose, and JSX text. Template expressions become an X. Also its exported names, as words: `attached device`
 * for `AttachedDevice`.
 *
 * @param {string} source
 * @param {'ts' | 'tsx'} lang
 */
export function stringsOf(source, lang) {
  /** @type {Text[]} */
  const found = [];
  const lineStarts = [...source.matchAll(/^/gm)].map(({ index }) => index);
  /** @param {number} start @param {string} text */
  const add = (start, text) => {
    const prose = plain(text.replaceAll(/\s*\n\s*/g, '\n').trim());
    if (!words.test(prose) || code.test(prose)) return;
    found.push({ line: lineStarts.filter((at) => at <= start).length, prose });
  };
  /** @param {any} declaration */
  const addNames = ({ start, id, declarations = [{ id }] }) => {
    for (const { id } of declarations) {
      const prose = String(id?.name)
        .replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, ' ')
        .toLowerCase();
      found.push({ line: lineStarts.filter((at) => at <= start).length, prose, kind: 'names' });
    }
  };
  /** @param {unknown} node */
  const walk = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (Array.isArray(node)) {
      for (const each of node) walk(each);
      return;
    }
    const { type, start, value, quasis, declaration } = /** @type {Record<string, any>} */ (node);
    if (type === 'ExportNamedDeclaration' && declaration) addNames(declaration);
    if (/^(Import|Export(All|Named))Declaration$/.test(type) && 'source' in node && node.source)
      return;
    if (type === 'Literal' && typeof value === 'string') add(start, value);
    if (type === 'JSXText') add(start, value.replaceAll(/\s+/g, ' '));
    if (type === 'TemplateLiteral') {
      add(start, quasis.map((/** @type {any} */ quasi) => quasi.value.cooked).join('X'));
    }
    for (const child of Object.values(node)) walk(child);
  };
  walk(parseAst(source, { lang }));
  return found;
}

/**
 * Annotations of alert rules.
 *
 * @param {string} text
 */
export function annotationsOf(text) {
  /** @type {Text[]} */
  const found = [];
  const lines = new LineCounter();
  visit(parseDocument(text, { lineCounter: lines }), {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isScalar(value) || !/^(summary|description)$/.test(String(key.value)))
        return;
      const { line } = lines.linePos(value.range?.[0] ?? 0);
      found.push({ line, prose: plain(String(value.value).replaceAll(/\{\{[^}]*\}\}/g, 'X')) });
    },
  });
  return found;
}

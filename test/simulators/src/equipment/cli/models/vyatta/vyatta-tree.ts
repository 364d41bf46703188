/**
 * The configuration of Vyatta's descendants (EdgeOS, VyOS) as a tree, and its two forms: blocks in braces, and `set` commands.
 *
 * What may be set is known only roughly: which words are followed by a name (`ethernet eth1`), which by nothing (`disable`), and
 * otherwise what the configuration itself shows. That does for changes that people make in a test.
 */
export interface VyattaItem {
  /** `['ethernet', 'eth0']`, `['duplex', 'auto']`, `['disable']`: as written, quotes included. */
  words: string[];
  /** Lines before it. */
  comments: string[];
  /** Absent: a leaf. */
  children?: VyattaItem[];
}

export class VyattaSyntaxError extends Error {}

const withName = new Set(
  'ethernet loopback bridge vif user name rule community server group peer public-keys subnet shared-network-name static-mapping area route zone interface-route'.split(
    ' ',
  ),
);
const alone = new Set(
  'disable disable-host-validation disable-password-authentication autonomous older-ciphers-off'.split(
    ' ',
  ),
);
const severalValues = new Set(
  'address name-server location network listen-on dns-server allow domain-search'.split(' '),
);
/** At the top. */
const areas = new Set(
  'firewall interfaces nat policy port-forward protocols service system traffic-control vpn zone-policy'.split(
    ' ',
  ),
);

/** The tree of a text; what follows it (the versions) is `footer`. @throws VyattaSyntaxError */
export function parseVyatta(text: string): { items: VyattaItem[]; footer: string } {
  const root: VyattaItem[] = [];
  const open: VyattaItem[][] = [root];
  let comments: string[] = [];
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    const words = line.trim();
    const list = open.at(-1) ?? root;
    const wrong = () => new VyattaSyntaxError(`line ${i + 1}: ${words}`);
    if (words === '') continue;
    if (/^(\/\* Warning: Do not remove|\/\/ Warning: Do not remove)/.test(words)) {
      if (open.length > 1) throw wrong();
      const blank = lines.slice(0, i).findLastIndex((each) => each.trim() !== '') + 1;
      return { items: root, footer: lines.slice(blank).join('\n') };
    }
    const [, name = '', label, brace] =
      /^([\w.-]+)(?: ((?:"(?:[^"\\]|\\.)*"|[^\s"{}]\S*)(?: (?!\{)\S+)*))?( \{)?$/.exec(words) ?? [];
    if (words.startsWith('/*') && words.endsWith('*/')) comments.push(words.slice(2, -2).trim());
    else if (words === '}' && open.length > 1) open.pop();
    else if (name === '') throw wrong();
    else {
      const item: VyattaItem = { words: [name, ...(label ? [label] : [])], comments };
      comments = [];
      list.push(item);
      if (brace) {
        item.children = [];
        open.push(item.children);
      }
    }
  }
  if (open.length > 1) throw new VyattaSyntaxError('unexpected end of file');
  return { items: root, footer: '' };
}

/** Quotes around values: as they were written, where they are needed, always. */
export type Quotes = 'written' | 'needed' | 'always';

export function renderVyatta(
  items: readonly VyattaItem[],
  quotes: Quotes = 'written',
  indent = '',
): string {
  return items
    .map(({ words: [name = '', label], comments, children }) => {
      const before = comments.map((comment) => `${indent}/* ${comment} */\n`).join('');
      const shown = label === undefined ? '' : ` ${inQuotes(label, quotes, !children)}`;
      const line = `${before}${indent}${name}${shown}`;
      return children
        ? `${line} {\n${renderVyatta(children, quotes, `${indent}    `)}${indent}}\n`
        : `${line}\n`;
    })
    .join('');
}

function inQuotes(label: string, quotes: Quotes, isValue: boolean): string {
  if (quotes === 'written') return label;
  const value = unquoted(label);
  return quotes === 'always' && isValue ? `"${value.replace(/["\\]/g, '\\$&')}"` : quoted(value);
}

function unquoted(value: string): string {
  return value.replace(/^"(.*)"$/s, '$1').replace(/\\(["\\])/g, '$1');
}

/** `set interfaces ethernet eth0 duplex auto`; `quote` writes values. */
export function vyattaCommands(
  items: readonly VyattaItem[],
  quote: (value: string) => string,
  above = 'set',
): string {
  return items
    .map(({ words: [name = '', label], children }) => {
      if (children === undefined) {
        return `${above} ${name}${label === undefined ? '' : ` ${quote(unquoted(label))}`}\n`;
      }
      const path = `${above} ${name}${label === undefined ? '' : ` ${unquoted(label)}`}`;
      return children.length === 0 ? `${path}\n` : vyattaCommands(children, quote, path);
    })
    .join('');
}

export function copyVyatta(items: readonly VyattaItem[]): VyattaItem[] {
  return items.map(({ words, comments, children }) => ({
    words: [...words],
    comments: [...comments],
    ...(children && { children: copyVyatta(children) }),
  }));
}

/** What is at the end of a path: a block, or the leaves of that name. */
function findVyatta(items: readonly VyattaItem[], path: readonly string[]): VyattaItem[] {
  const [name = '', label] = path;
  const named = items.filter(({ words }) => words[0] === name);
  if (path.length === 1) return named;
  return named.flatMap((item) => {
    const isLabelled = item.words.length === 2;
    if (isLabelled && unquoted(item.words[1] ?? '') !== label) return [];
    const rest = path.slice(isLabelled ? 2 : 1);
    if (rest.length === 0) return [item];
    return findVyatta(item.children ?? [], rest);
  });
}

/** The value of a leaf. */
export function vyattaValue(
  items: readonly VyattaItem[],
  path: readonly string[],
): string | undefined {
  const value = findVyatta(items, path).find(({ children }) => !children)?.words[1];
  return value === undefined ? undefined : unquoted(value);
}

/** Whether the path means something; then it is in the tree. */
export function setVyatta(
  items: VyattaItem[],
  path: readonly string[],
): 'set' | 'exists' | 'invalid' {
  if (!areas.has(path[0] ?? '')) return 'invalid';
  let list = items;
  let result: 'set' | 'exists' = 'exists';
  for (const { words, isLeaf } of pieces(items, path)) {
    const [name = '', value] = words;
    const same = list.find((item) => sameWords(item.words, words));
    if (same && !isLeaf) same.children ??= [];
    if (same?.children && !isLeaf) list = same.children;
    else if (!same) {
      result = 'set';
      if (isLeaf && value !== undefined && !severalValues.has(name)) drop(list, name);
      const item: VyattaItem = { words: words.map(quoted), comments: [] };
      insert(list, item);
      if (!isLeaf) {
        item.children = [];
        list = item.children;
      }
    }
  }
  return result;
}

/** Whether there was something to delete. */
export function deleteVyatta(items: VyattaItem[], path: readonly string[]): boolean {
  const found = new Set(findVyatta(items, path));
  return removeAll(items, found);
}

function removeAll(items: VyattaItem[], gone: ReadonlySet<VyattaItem>): boolean {
  let has = false;
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i];
    if (item === undefined) continue;
    if (gone.has(item)) {
      items.splice(i, 1);
      has = true;
    } else if (item.children) has = removeAll(item.children, gone) || has;
  }
  return has;
}

interface Piece {
  words: string[];
  isLeaf: boolean;
}

function pieces(items: readonly VyattaItem[], path: readonly string[]): Piece[] {
  const result: Piece[] = [];
  let known: readonly VyattaItem[] = items;
  for (let i = 0; i < path.length; ) {
    const [word = '', next] = path.slice(i);
    const left = path.length - i;
    const like = known.find(({ words, children }) => words[0] === word && children);
    const isNamed = like ? like.words.length === 2 : withName.has(word);
    const isLeaf =
      !like && !isNamed && (left === 1 ? alone.has(word) : left === 2 && !alone.has(next ?? ''));
    const words = (isNamed || isLeaf) && next !== undefined ? [word, next] : [word];
    result.push({ words, isLeaf });
    known = known.find((item) => sameWords(item.words, words))?.children ?? like?.children ?? [];
    i += words.length;
  }
  return result;
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => unquoted(word) === unquoted(b[i] ?? ''));
}

function quoted(word: string): string {
  return /^[^\s"{}\\]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`;
}

function drop(list: VyattaItem[], name: string): void {
  const at = list.findIndex(({ words }) => words[0] === name);
  if (at !== -1) list.splice(at, 1);
}

/** As the device sorts what is new. */
function insert(list: VyattaItem[], item: VyattaItem): void {
  const key = item.words.join(' ');
  const at = list.findIndex(
    ({ words }) => words.join(' ').localeCompare(key, 'en', { numeric: true }) > 0,
  );
  list.splice(at === -1 ? list.length : at, 0, item);
}

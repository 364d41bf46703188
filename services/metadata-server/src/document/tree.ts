/**
 * The metadata document of one caller: plain nested data. Names are the dashed names of the paths;
 * `render.ts` turns them into camelCase where Google's server does.
 */

export type Node = Directory | List | Leaf;

/** A directory whose children have names. */
export interface Directory {
  kind: 'directory';
  children: ReadonlyMap<string, Node>;
  /** Keys that people chose (attributes, e-mail addresses) are shown as they are. */
  keysAsWritten?: true;
}

/** A directory whose children are numbered, an array under recursion: `disks/0/`. */
export interface List {
  kind: 'list';
  items: readonly Node[];
}

export interface Text {
  kind: 'text';
  value: string;
}

/** Digits, kept as text: a 64-bit id does not fit a JavaScript number. */
export interface Digits {
  kind: 'number';
  digits: string;
}

export interface Values {
  kind: 'values';
  values: readonly string[];
  /** The format where none is asked for. */
  usually: 'text' | 'json';
}

/** Made for each request: never part of a recursive answer, and without ETag. */
export interface Token {
  kind: 'token' | 'id-token';
}

/** There, but not to be had: guest attributes that are switched off. */
export interface Closed {
  kind: 'closed';
  status: 403 | 503;
  message: string;
}

type Leaf = Text | Digits | Values | Token | Closed;

export function text(value: string): Text {
  return { kind: 'text', value };
}

export function number(digits: string): Digits {
  return { kind: 'number', digits };
}

export function values(items: readonly string[], usually: 'text' | 'json' = 'text'): Values {
  return { kind: 'values', values: items, usually };
}

export function list(...items: Node[]): List {
  return { kind: 'list', items };
}

/** A directory of the entries that are there; an entry that is `undefined` is left out. */
export function directory(entries: Record<string, Node | undefined>): Directory {
  return { kind: 'directory', children: present(entries) };
}

/** The same for keys that people chose. */
export function dictionary(entries: Record<string, Node | undefined>): Directory {
  return { kind: 'directory', children: present(entries), keysAsWritten: true };
}

function present(entries: Record<string, Node | undefined>): Map<string, Node> {
  const children = new Map<string, Node>();
  for (const [name, node] of Object.entries(entries)) if (node) children.set(name, node);
  return children;
}

export function isDirectory(node: Node): node is Directory | List {
  return node.kind === 'directory' || node.kind === 'list';
}

/**
 * The node at a path, or undefined. Numbered children take plain indexes only: `0`, not `00` or `x`.
 * A closed node answers for everything below it.
 */
export function find(root: Node, path: readonly string[]): Node | undefined {
  let node: Node | undefined = root;
  for (const name of path) {
    if (node?.kind === 'directory') node = node.children.get(name);
    else if (node?.kind === 'list')
      node = /^(0|[1-9]\d*)$/.test(name) ? node.items[Number(name)] : undefined;
    else if (node?.kind === 'closed') return node;
    else return undefined;
  }
  return node;
}

/**
 * A caller's metadata document: plain nested data. Names are the dashed names of the paths; `render.ts` converts them to camelCase where
 * Google's server does.
 */

export type Node = Directory | List | Leaf;

/** A directory whose children have names. */
export interface Directory {
  kind: 'directory';
  children: ReadonlyMap<string, Node>;
  /** Keys chosen by people (attributes, e-mail addresses) are shown unchanged. */
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

/** Digits, stored as text: a 64-bit ID does not fit a JavaScript number. */
export interface Digits {
  kind: 'number';
  digits: string;
}

export interface Values {
  kind: 'values';
  values: readonly string[];
  /** The default format. */
  usually: 'text' | 'json';
}

/** Generated per request: never part of a recursive answer, and without ETag. */
export interface Token {
  kind: 'token' | 'id-token';
}

/** Present but inaccessible: guest attributes that are disabled. */
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

/** A directory of the entries that are present; `undefined` entries are omitted. */
export function directory(entries: Record<string, Node | undefined>): Directory {
  return { kind: 'directory', children: present(entries) };
}

/** The same for keys chosen by people. */
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
 * The node at a path, or undefined. Numbered children accept plain indexes only: `0`, not `00` or `x`.
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

/**
 * Renders a node: one leaf, a listing, or everything below it as JSON or text.
 * Behaviour from captured answers of Google's server and its own emulator's tests.
 */
import { sha256 } from '@skolo/base';
import {
  type Closed,
  type Digits,
  type Directory,
  isDirectory,
  type List,
  type Node,
  type Text,
  type Token,
  type Values,
} from './tree.ts';

interface Rendered {
  contentType: 'application/text' | 'application/json';
  body: string;
}

/** `alt`: anything but `json` and `text` is ignored on a leaf, as Google's server does. */
interface View {
  recursive: boolean;
  alt: string | undefined;
}

/** Leaves that are generated per request, or closed, cannot be rendered from the document. */
export type Renderable = Exclude<Node, Token | Closed>;

export function isRenderable(node: Node): node is Renderable {
  return node.kind !== 'token' && node.kind !== 'id-token' && node.kind !== 'closed';
}

/** Nodes are rebuilt for each version of rack.yaml, so nothing here outlives it. */
const known = new WeakMap<Renderable, Map<string, Content>>();

/** A rendering with its ETag, which on Google's server is the same in each format. Computed once. */
interface Content extends Rendered {
  etag: string;
}

/** Hundreds of callers wait for the same content, and are all answered at the same time. */
export function renderOnce(node: Renderable, { recursive, alt }: View): Content {
  const key = `${recursive} ${alt === 'json' || alt === 'text' ? alt : ''}`;
  const ofNode = known.get(node) ?? new Map<string, Content>();
  known.set(node, ofNode);
  let content = ofNode.get(key);
  if (content === undefined) {
    const rendered = render(node, { recursive, alt });
    const isJson = rendered.contentType === 'application/json';
    const json = isJson ? rendered : render(node, { recursive, alt: 'json' });
    content = { ...rendered, etag: etagOf(json.body) };
    ofNode.set(key, content);
  }
  return content;
}

export function render(node: Renderable, view: View): Rendered {
  if (!isDirectory(node)) return renderLeaf(node, view.alt);
  if (!view.recursive) return asText(listing(node));
  return view.alt === 'text' ? asText(lines(node, '')) : asJson(toJson(node) ?? '{}');
}

/** 16 hexadecimal digits, not quoted, as on Google's server; some clients parse it as a number. */
export function etagOf(body: string): string {
  return sha256(body).slice(0, 16);
}

function asText(body: string): Rendered {
  return { contentType: 'application/text', body };
}

function asJson(body: string): Rendered {
  return { contentType: 'application/json', body };
}

function renderLeaf(leaf: Text | Digits | Values, alt: string | undefined): Rendered {
  const format =
    alt === 'json' || alt === 'text' ? alt : leaf.kind === 'values' ? leaf.usually : 'text';
  if (format === 'json') return asJson(leafToJson(leaf));
  if (leaf.kind === 'values') return asText(leaf.values.map((value) => `${value}\n`).join(''));
  return asText(leaf.kind === 'number' ? leaf.digits : leaf.value);
}

function leafToJson(leaf: Text | Digits | Values): string {
  if (leaf.kind === 'number') return leaf.digits;
  return JSON.stringify(leaf.kind === 'values' ? leaf.values : leaf.value);
}

/** Children in byte order; numbered ones in numerical order. */
function children(node: Directory | List): [string, Node][] {
  if (node.kind === 'list') return node.items.map((item, index) => [String(index), item]);
  return [...node.children].sort(([a], [b]) => (a < b ? -1 : 1));
}

function listing(node: Directory | List): string {
  return children(node)
    .map(([name, child]) => {
      return isDirectory(child) || isClosedDirectory(child) ? `${name}/\n` : `${name}\n`;
    })
    .join('');
}

/** Undefined where the node has no place in a recursive answer. */
function toJson(node: Node): string | undefined {
  if (node.kind === 'list')
    return `[${node.items.map((item) => toJson(item) ?? 'null').join(',')}]`;
  if (node.kind === 'directory') {
    const members: [string, string][] = [];
    for (const [name, child] of node.children) {
      const json = toJson(child);
      if (json !== undefined) members.push([node.keysAsWritten ? name : camelCase(name), json]);
    }
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
  }
  if (isRenderable(node)) return leafToJson(node);
  return isClosedDirectory(node) ? '{}' : undefined;
}

/** Shown as empty, as Google's server shows disabled guest attributes. */
function isClosedDirectory(node: Node): boolean {
  return node.kind === 'closed' && node.status === 403;
}

function lines(node: Directory | List, prefix: string): string {
  let result = '';
  for (const [name, child] of children(node)) {
    const path = prefix + name;
    if (isDirectory(child)) result += lines(child, `${path}/`);
    else if (!isRenderable(child)) continue;
    else if (child.kind === 'values')
      for (const value of child.values) result += `${path} ${value}\n`;
    else result += `${path} ${child.kind === 'number' ? child.digits : child.value}\n`;
  }
  return result;
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

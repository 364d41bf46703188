/**
 * Reads the groups of an Ansible inventory: INI, YAML, or what `ansible-inventory --list` prints. It does not convert values that
 * are no text, such as a list, so that nobody takes them for a user name.
 *
 * Source: docs.ansible.com, "How to build your inventory"; ansible-core 2.18, plugins/inventory/{ini,yaml,script}.py and
 * parsing/utils/addresses.py.
 */
import { isIP } from 'node:net';
import { isObject } from '@skolo/base';
import { maxNames, RangeSyntaxError } from '../ranges/ranges.ts';
import { ForeignInventoryError, parseForeign } from './foreign-file.ts';

export type Variables = Record<string, unknown>;

interface Group {
  hosts: Set<string>;
  children: Set<string>;
  variables: Variables;
}

export interface Groups {
  /** By name. */
  groups: Map<string, Group>;
  /** Variables of hosts, in the order of the file. */
  hosts: Map<string, Variables>;
  /** Whether Ansible itself has printed it, so that nothing beside it counts. */
  isListed: boolean;
}

/** @throws ForeignInventoryError It is not an inventory, or contains what would be misunderstood. */
export function readGroups(text: string, file: string): Groups {
  const read: Groups = { groups: new Map(), hosts: new Map(), isListed: false };
  const plain = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  if (!isYaml(plain, file)) readIni(plain, file, read);
  else {
    // PyYAML reads YAML 1.1, where `<<` merges.
    const parsed = parseForeign(plain, file, '1.1');
    if (!isObject(parsed)) throw new ForeignInventoryError(`${file}: expected groups with hosts`);
    const { _meta: meta, ...groups } = parsed;
    if (meta === undefined)
      for (const [name, group] of Object.entries(groups)) addYaml(read, name, group, file);
    else readList(read, meta, groups, file);
    read.isListed = meta !== undefined;
  }
  return read;
}

function isYaml(text: string, file: string): boolean {
  if (/\.(ya?ml|json)$/.test(file)) return true;
  const first = text.split('\n').find((line) => !/^\s*([#;].*)?$/.test(line)) ?? '';
  return /^(---|\{|[\w.-]+:\s*(#.*)?$)/.test(first);
}

function addYaml(read: Groups, name: string, group: unknown, file: string): void {
  const { groups, hosts } = read;
  const own = groupIn(groups, name);
  // In this order, as Ansible does: of two values of a host, the last one counts.
  for (const [key, value] of Object.entries(mapping(group, `${file}: ${name}`))) {
    const where = `${file}: ${name}.${key}`;
    const entries = Object.entries(mapping(value, where));
    if (key === 'vars') Object.assign(own.variables, value);
    else if (key === 'hosts') {
      for (const [pattern, vars] of entries) {
        addHosts(own, hosts, pattern, mapping(vars, `${where}.${pattern}`), where);
      }
    } else if (key === 'children') {
      for (const [child, inner] of entries) {
        own.children.add(child);
        addYaml(read, child, inner, file);
      }
    } else throw new ForeignInventoryError(`${where}: a group has only hosts, children and vars`);
  }
}

/** The output of `ansible-inventory --list`, and of programs that print the same. */
function readList({ groups, hosts }: Groups, meta: unknown, all: Variables, file: string): void {
  const { hostvars } = mapping(meta, `${file}: _meta`);
  for (const [name, group] of Object.entries(all)) {
    const own = groupIn(groups, name);
    const where = `${file}: ${name}`;
    const { hosts: members = [], children = [], vars } = mapping(group, where);
    Object.assign(own.variables, mapping(vars, `${where}.vars`));
    for (const child of names(children, `${where}.children`)) {
      own.children.add(child);
      groupIn(groups, child);
    }
    for (const host of names(members, `${where}.hosts`)) {
      own.hosts.add(host);
      hosts.set(host, {});
    }
  }
  for (const [host, vars] of Object.entries(mapping(hostvars, `${file}: _meta.hostvars`))) {
    hosts.set(host, mapping(vars, `${file}: _meta.hostvars.${host}`));
  }
}

/** @throws ForeignInventoryError */
function mapping(value: unknown, where: string): Variables {
  if (value === null || value === undefined) return {};
  if (isObject(value)) return value;
  throw new ForeignInventoryError(`${where} is not an Ansible group or its variables`);
}

/** @throws ForeignInventoryError */
function names(value: unknown, where: string): string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw new ForeignInventoryError(`${where}: expected a list of names`);
}

function readIni(text: string, file: string, { groups, hosts }: Groups): void {
  let section = { name: 'ungrouped', kind: 'hosts' };
  for (const [at, whole] of text.split('\n').entries()) {
    const line = whole.trim();
    if (line === '' || /^[#;]/.test(line)) continue;
    const [, name, kind = 'hosts'] = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(line) ?? [];
    // `[1:3].lan` is a host, not a section, even on its own line.
    if (name !== undefined && /^(hosts|children|vars)$/.test(kind)) {
      section = { name, kind };
      groupIn(groups, name);
      continue;
    }
    const where = `${file}:${at + 1}`;
    const group = groupIn(groups, section.name);
    if (section.kind === 'children') {
      const child = line.replace(/\s*#.*$/, '');
      group.children.add(child);
      groupIn(groups, child);
    } else if (section.kind === 'vars') {
      Object.assign(group.variables, variable(line, where));
    } else {
      const [pattern = '', ...words] = shellWords(line, where);
      const own = Object.assign({}, ...words.map((word) => variable(word, where)));
      addHosts(group, hosts, pattern, own, where);
    }
  }
}

/** As Python's `shlex` splits them: a `#` begins a comment, even within a word. @throws ForeignInventoryError */
function shellWords(line: string, where: string): string[] {
  const words = [...line.matchAll(/(?:[^\s"'\\#]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+|#.*|\S/g)].map(
    ([word]) => word,
  );
  const code = words.slice(0, words.findIndex((word) => word.startsWith('#')) >>> 0);
  if (code.some((word) => /^["'\\]$/.test(word)))
    throw new ForeignInventoryError(`${where}: a quote is not closed; close it`);
  return code.map((word) =>
    word.replaceAll(
      /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
      (_all, double?: string, single?: string, escaped?: string) =>
        double?.replaceAll(/\\(["\\])/g, '$1') ?? single ?? escaped ?? '',
    ),
  );
}

/** The value is what Python's `literal_eval` makes of it, or else text. @throws ForeignInventoryError */
function variable(text: string, where: string): Variables {
  const [, key, value = ''] = /^([^=]+?)\s*=\s*(.*)$/.exec(text) ?? [];
  if (key === undefined)
    throw new ForeignInventoryError(`${where}: a word is not a variable; write KEY=VALUE`);
  const [, , quoted] = /^(["'])((?:(?!\1)[^\\])*)\1\s*(?:#.*)?$/.exec(value) ?? [];
  const [, number] = /^(0|[1-9]\d*)\s*(?:#.*)?$/.exec(value) ?? [];
  return { [key]: value === 'None' ? null : (quoted ?? number ?? value) };
}

function addHosts(
  group: Group,
  hosts: Groups['hosts'],
  written: string,
  variables: Variables,
  where: string,
): void {
  // `[2001:db8::1]:22`, `rpi-1:22`, `rpi-[1:3]:22`; an address without brackets has no port.
  const [, bracketed, bare, port] =
    /^(?:\[([\da-f]*:[\da-f:.]*)\]|((?:[^:[\]]|\[[^\]]*\])+)):(\d+)$/i.exec(written) ?? [];
  const pattern = bracketed ?? bare ?? written;
  const own = port === undefined ? variables : { ansible_port: port, ...variables };
  for (const host of isIP(pattern) ? [pattern] : expandPattern(pattern, where)) {
    group.hosts.add(host);
    hosts.set(host, { ...hosts.get(host), ...own });
  }
}

function groupIn(groups: Groups['groups'], name: string): Group {
  const group = groups.get(name) ?? { hosts: new Set(), children: new Set(), variables: {} };
  groups.set(name, group);
  return group;
}

const range = /\[(\w+):(\w+)(?::(\d+))?\]/;

/** `host[01:10]`, `red[a:f]`, `host[1:9:2]`. */
function expandPattern(pattern: string, where: string): string[] {
  const match = range.exec(pattern);
  if (match === null) return [pattern];
  const [found, from = '', to = '', step = '1'] = match;
  const before = pattern.slice(0, match.index);
  const rest = expandPattern(pattern.slice(match.index + found.length), where);
  const values = valuesOf(from, to, Number(step));
  if (values === undefined)
    throw new ForeignInventoryError(`${where} ${pattern}: ${found} is not a range`);
  if (values.length * rest.length > maxNames) {
    throw new RangeSyntaxError(`"${pattern}" expands to more than ${maxNames} names`);
  }
  return values.flatMap((value) => rest.map((end) => `${before}${value}${end}`));
}

function valuesOf(from: string, to: string, step: number): string[] | undefined {
  const isNumbers = /^\d+$/.test(from) && /^\d+$/.test(to);
  const isLetters = /^[a-z]$/i.test(from) && /^[a-z]$/i.test(to);
  if ((!isNumbers && !isLetters) || step < 1) return undefined;
  const number = (text: string) => (isNumbers ? Number(text) : text.charCodeAt(0));
  const [first, last] = [number(from), number(to)];
  if (last < first || last - first > maxNames) return undefined;
  const width = from.startsWith('0') ? from.length : 0;
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, at) => {
    const value = first + at * step;
    return isNumbers ? String(value).padStart(width, '0') : String.fromCharCode(value);
  });
}

/**
 * Imports Ansible inventories in INI and YAML, with groups, children, variables and ranges; reports entries without an IP address.
 * Source: docs.ansible.com, "How to build your inventory". Only connection variables are read.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { foldNames } from '../ranges/fold.ts';
import { maxNames, RangeSyntaxError } from '../ranges/ranges.ts';
import { ForeignInventoryError, parseForeign } from './foreign-file.ts';

export interface AnsibleHost {
  name: string;
  address?: string;
  user?: string;
  port?: number;
  /** All its groups, including indirect ones. */
  groups: readonly string[];
}

interface AnsibleInventory {
  /** In the order of the file. */
  hosts: AnsibleHost[];
  /** Names of ignored variables. */
  ignored: string[];
}

type Variables = Record<string, string>;

interface Group {
  hosts: Map<string, Variables>;
  children: Set<string>;
  variables: Variables;
}

/** @throws ForeignInventoryError */
export function readAnsible(text: string, file: string): AnsibleInventory {
  const groups = isYaml(text, file) ? readYamlGroups(text, file) : readIniGroups(text, file);
  const names = [...new Set([...groups.values()].flatMap(({ hosts }) => [...hosts.keys()]))];
  if (names.length === 0)
    throw new ForeignInventoryError(
      `${file} does not contain any hosts; check that it is an inventory`,
    );
  const ignored = new Set<string>();
  const unresolved: string[] = [];
  const hosts = names.map((name): AnsibleHost => {
    const own = groupsOf(groups, name);
    // The nearest group takes precedence, and the host itself over all groups.
    const variables: Variables = Object.assign(
      {},
      ...own.toReversed().map((group) => groups.get(group)?.variables ?? {}),
      ...own.map((group) => groups.get(group)?.hosts.get(name) ?? {}),
    );
    const taken = new Set([
      'ansible_host',
      'ansible_user',
      'ansible_ssh_host',
      'ansible_ssh_user',
      'ansible_port',
    ]);
    for (const key of Object.keys(variables)) if (!taken.has(key)) ignored.add(key);
    const given = variables.ansible_host ?? variables.ansible_ssh_host;
    const address = given ?? name;
    // A DNS name is not an address, but 10.1.1.999 is meant as one, and rack.yaml's schema rejects it.
    const isAddress = isIP(address) !== 0 || /^\d+(\.\d+){3}$/.test(address);
    if (given !== undefined && !isAddress) unresolved.push(name);
    const user = variables.ansible_user ?? variables.ansible_ssh_user;
    const port = Number(variables.ansible_port ?? 22);
    return {
      name,
      groups: own,
      ...(isAddress && { address }),
      ...(user !== undefined && !user.includes('{{') && { user }),
      ...(Number.isInteger(port) && port !== 22 && { port }),
    };
  });
  if (unresolved.length > 0)
    ignored.add(`ansible_host of ${foldNames(unresolved)}, which is not an address`);
  return { hosts, ignored: [...ignored].sort() };
}

/** Nearest first. */
function groupsOf(groups: ReadonlyMap<string, Group>, name: string): string[] {
  const found = [...groups].flatMap(([group, { hosts }]) => (hosts.has(name) ? [group] : []));
  for (const each of found) {
    for (const [parent, { children }] of groups) {
      if (children.has(each) && !found.includes(parent)) found.push(parent);
    }
  }
  return [...found.filter((each) => each !== 'all'), ...(groups.has('all') ? ['all'] : [])];
}

function isYaml(text: string, file: string): boolean {
  if (/\.(ya?ml|json)$/.test(file)) return true;
  const first = text.split('\n').find((line) => !/^\s*([#;].*)?$/.test(line)) ?? '';
  return /^(---|\{|[\w.-]+:\s*(#.*)?$)/.test(first);
}

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
/** Only text and numbers are used. */
const YamlVariables = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform(
    (all): Variables =>
      Object.fromEntries(
        Object.entries(all ?? {}).map(([key, value]) => [key, scalar.catch('').parse(value)]),
      ),
  );
interface YamlGroup {
  hosts?: Record<string, Variables> | null | undefined;
  vars: Variables;
  children?: Record<string, YamlGroup | null> | null | undefined;
}
const YamlGroup: z.ZodType<YamlGroup | null> = z.lazy(() =>
  z
    .object({
      hosts: z.record(z.string(), YamlVariables).nullish(),
      vars: YamlVariables,
      children: z.record(z.string(), YamlGroup).nullish(),
    })
    .nullable(),
);

function readYamlGroups(text: string, file: string): Map<string, Group> {
  const result = z.record(z.string(), YamlGroup).safeParse(parseForeign(text, file));
  if (!result.success) {
    const [issue] = result.error.issues;
    const place = issue?.path.join('.') ?? '';
    throw new ForeignInventoryError(
      `${file}: ${place} is not an Ansible group (${issue?.message})`,
    );
  }
  const groups = new Map<string, Group>();
  for (const [name, group] of Object.entries(result.data)) addYaml(groups, name, group, file);
  return groups;
}

function addYaml(
  groups: Map<string, Group>,
  name: string,
  group: YamlGroup | null,
  file: string,
): void {
  const { hosts, children, variables } = groupIn(groups, name);
  Object.assign(variables, group?.vars);
  for (const [pattern, own] of Object.entries(group?.hosts ?? {})) {
    for (const host of expandPattern(pattern, file)) {
      hosts.set(host, { ...hosts.get(host), ...own });
    }
  }
  for (const [child, value] of Object.entries(group?.children ?? {})) {
    children.add(child);
    addYaml(groups, child, value, file);
  }
}

function readIniGroups(text: string, file: string): Map<string, Group> {
  const groups = new Map<string, Group>();
  let section = { name: 'ungrouped', kind: 'hosts' };
  for (const [at, whole] of text.split('\n').entries()) {
    const line = whole.replace(/(^|\s)[#;].*$/, '').trim();
    if (line === '') continue;
    const [, name, kind = 'hosts'] = /^\[([^:\]]+)(?::(\w+))?\]$/.exec(line) ?? [];
    // `[1:3].lan` is a host, not a section, even on its own line.
    if (name !== undefined && /^(hosts|children|vars)$/.test(kind)) {
      section = { name, kind };
      groupIn(groups, name);
      continue;
    }
    const where = `${file}:${at + 1}`;
    const group = groupIn(groups, section.name);
    if (section.kind === 'children') {
      group.children.add(line);
      groupIn(groups, line);
    } else if (section.kind === 'vars') {
      Object.assign(group.variables, variablesIn([line], where));
    } else {
      const [pattern = '', ...words] = line.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
      const own = variablesIn(words, where);
      for (const host of expandPattern(pattern, where)) {
        group.hosts.set(host, { ...group.hosts.get(host), ...own });
      }
    }
  }
  return groups;
}

function variablesIn(words: readonly string[], where: string): Variables {
  return Object.fromEntries(
    words.map((word) => {
      const [, key, value = ''] = /^([\w.-]+)\s*=\s*(.*)$/.exec(word) ?? [];
      if (key === undefined) {
        throw new ForeignInventoryError(`${where}: a word is not a variable; write KEY=VALUE`);
      }
      return [key, value.replace(/^(["'])(.*)\1$/, '$2')];
    }),
  );
}

function groupIn(groups: Map<string, Group>, name: string): Group {
  const group = groups.get(name) ?? { hosts: new Map(), children: new Set(), variables: {} };
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

/**
 * Imports the hosts of Ansible inventories, with their addresses, users and ports. A host whose connection was not understood is named
 * instead: a wrong user or port would be a wrong rack.yaml.
 *
 * Source: ansible-core 2.18, inventory/helpers.py (order of groups), plugins/connection/ssh.py (which variable counts).
 */
import { isIP } from 'node:net';
import { portNumber } from '../schema/network-fields.ts';
import { type Groups, readGroups, type Variables } from './ansible-groups.ts';
import { ForeignInventoryError } from './foreign-file.ts';

export interface AnsibleHost {
  name: string;
  address?: string;
  user?: string;
  port?: number;
  /** All its groups, including indirect ones, the nearest first. */
  groups: readonly string[];
}

interface AnsibleInventory {
  /** In the order of the file. */
  hosts: AnsibleHost[];
  /** Hosts that are not imported on purpose, and why. */
  left: string[];
  /** Hosts with a connection that was not understood: what, and how to fix it. They contain no values, which may be passwords. */
  bad: string[];
  /** Names of ignored variables. */
  ignored: string[];
}

/** Each with its old name, which counts more. */
const connection = {
  address: ['ansible_ssh_host', 'ansible_host'],
  user: ['ansible_ssh_user', 'ansible_user'],
  port: ['ansible_ssh_port', 'ansible_port'],
} as const;
const overSsh = /^(?:ansible\.builtin\.)?(?:ssh|smart|paramiko|paramiko_ssh)$/;

/**
 * @param beside names of the files and folders beside it, of which Ansible reads group_vars and host_vars
 * @throws ForeignInventoryError
 */
export function readAnsible(
  text: string,
  file: string,
  beside: readonly string[] = [],
): AnsibleInventory {
  const read = readGroups(text, file);
  const others = beside.filter((name) => name === 'group_vars' || name === 'host_vars');
  if (others.length > 0 && !read.isListed) {
    const remedy = `run \`ansible-inventory -i ${file} --list > list.json\`, and import list.json`;
    throw new ForeignInventoryError(
      `${file}: Ansible also reads ${others.join(' and ')} beside it, which skolo does not; ${remedy}`,
    );
  }
  if (read.hosts.size === 0)
    throw new ForeignInventoryError(
      `${file} does not contain any hosts; check that it is an inventory`,
    );
  const ancestry = ancestryOf(read.groups, file);
  const ignored = new Set<string>();
  const inventory: Omit<AnsibleInventory, 'ignored'> = { hosts: [], left: [], bad: [] };
  const known: ReadonlySet<string> = new Set([
    ...Object.values(connection).flat(),
    'ansible_connection',
    'ansible_group_priority',
  ]);
  for (const [name, own] of read.hosts) {
    const groups = ancestry(name);
    const inherited = groups.map((group) => read.groups.get(group)?.variables ?? {});
    const variables: Variables = Object.assign({}, ...inherited, own);
    const { ansible_connection: kind = 'ssh', ansible_network_os: system } = variables;
    if (system !== undefined || !overSsh.test(String(kind))) {
      const why =
        system === undefined
          ? 'its ansible_connection is not SSH'
          : 'it is network equipment; add it with --oxidized';
      inventory.left.push(`${name}: ${why}`);
      continue;
    }
    const host = hostOf(name, variables);
    if (typeof host === 'string') inventory.bad.push(`${name}: ${host}`);
    else inventory.hosts.push({ ...host, groups: groups.toReversed() });
    for (const key of Object.keys(variables)) if (!known.has(key)) ignored.add(key);
  }
  return { ...inventory, ignored: [...ignored].sort() };
}

/** Or what was not understood. */
function hostOf(name: string, variables: Variables): Omit<AnsibleHost, 'groups'> | string {
  const [address = name, user, port = '22'] = Object.values(connection).map(
    ([former, current]) => variables[former] ?? variables[current] ?? undefined,
  );
  const values = Object.entries({ address, user, port }).filter(([, value]) => value !== undefined);
  const odd = values.find(([, value]) => !/^[^\s{}]+$/.test(textOf(value)));
  if (odd !== undefined) {
    return `the ${odd[0]} is a template, a vault or no text, which only Ansible can evaluate; replace it with its value`;
  }
  const number = Number(port);
  if (!portNumber.safeParse(number).success)
    return 'the port is not a number from 1 to 65535; fix it';
  const text = textOf(address);
  // A DNS name is not an address, but 10.1.1.999 is meant as one, and rack.yaml's schema rejects it.
  const isAddress = isIP(text) !== 0 || /^\d+(\.\d+){3}$/.test(text);
  if (!isAddress && text !== name)
    return 'ansible_host is a host name, but rack.yaml requires an address; replace it';
  return {
    name,
    ...(isAddress && { address: text }),
    ...(user !== undefined && { user: textOf(user) }),
    ...(number !== 22 && { port: number }),
  };
}

/** Empty if it is neither text nor a number. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Returns the groups of a host in Ansible's order, the strongest last. */
function ancestryOf(groups: Groups['groups'], file: string): (host: string) => string[] {
  const parents = new Map<string, string[]>();
  for (const [parent, { children }] of groups) {
    for (const child of children) parents.set(child, [...(parents.get(child) ?? []), parent]);
  }
  const depths = new Map<string, number>([['all', 0]]);
  function depthOf(name: string, below: readonly string[] = []): number {
    if (below.includes(name))
      throw new ForeignInventoryError(`${file}: group ${name} contains itself`);
    const known = depths.get(name);
    if (known !== undefined) return known;
    const above = (parents.get(name) ?? []).map((parent) => depthOf(parent, [...below, name]));
    const depth = 1 + Math.max(0, ...above);
    depths.set(name, depth);
    return depth;
  }
  const order = [...groups].map(([name, { variables }]) => {
    const priority = Number(variables.ansible_group_priority ?? 1);
    return { name, depth: depthOf(name), priority };
  });
  order.sort((a, b) => a.depth - b.depth || a.priority - b.priority || (a.name < b.name ? -1 : 1));
  return (host) => {
    const own = new Set(
      [...groups].flatMap(([name, { hosts }]) => (hosts.has(host) ? [name] : [])),
    );
    for (const name of own) for (const parent of parents.get(name) ?? []) own.add(parent);
    own.add('all');
    return order.flatMap(({ name }) => (own.has(name) ? [name] : []));
  };
}

import { readdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { count } from '@skolo/base';
import type { AnsibleHost } from '@skolo/rack/edit';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { expandedNames } from '../../names.ts';
import { plain } from '../../output/text.ts';
import { editInventory, rejectRows } from './edit-file.ts';
import { addEquipmentSources, type EquipmentSources, importEquipment } from './import-equipment.ts';
import { addImportedRackOptions, type ImportedRackOptions, importedRack } from './new-rack.ts';

interface Options extends ImportedRackOptions, EquipmentSources {
  names?: string[];
  kind: string;
}

type Edit = typeof import('@skolo/rack/edit');

/** From k3s-ansible, kubespray or cloudmesh. */
const serverGroups = ['server', 'master', 'manager', 'kube_control_plane'];

/** `skolo inventory import`: imports machines and devices from another program's inventory. */
export function define(command: SkoloCommand): void {
  addImportedRackOptions(
    addEquipmentSources(command)
      .description(
        'Adds the hosts in an Ansible inventory (INI, YAML, or the output of `ansible-inventory --list`) to rack.yaml, with their names, addresses, ports and users. Hosts with a connection that it does not understand, such as a template, are named and not added. Hosts that rack.yaml already contains with the same address are left unchanged. With --oxidized, --rancid or --pdudaemon, the command adds routers, switches and PDUs instead. It does not copy passwords, but lists the secrets that you must set. --create writes a new rack.yaml with `acts: false`: until you remove that line, services do not change anything in the rack. The jumphost is the host specified by --jumphost; by default, it is the first host in a group named server, master, manager or kube_control_plane, or else the first host in the inventory. The exit code is 3 if only some rows could be imported.',
      )
      .summary('add hosts from Ansible, or equipment from Oxidized, RANCID or pdudaemon')
      .argument('[file]', 'Ansible inventory')
      .option(
        '--names <range...>',
        'names for hosts that are listed only by address in the inventory',
      )
      .addOption(
        new Option('--kind <kind>', 'machine kind').choices(['rpi', 'host']).default('rpi'),
      ),
  )
    .uses('rack')
    .example('skolo inventory import inventory.yml --create desk --rack desk/rack.yaml')
    .example('skolo inventory import --oxidized router.db --rack /etc/skolo/rack.yaml');

  command.action(async (from: string | undefined, options: Options) => {
    const { io } = command;
    if (from === undefined) return await importEquipment(command, options);
    if ((options.oxidized ?? options.rancid ?? options.pdudaemon) !== undefined) {
      command.error(`${from}: specify only one inventory`);
    }
    const { readAnsible } = await import('@skolo/rack/edit');
    const path = resolve(io.folder, from);
    const beside = await readdir(dirname(path));
    const found = readAnsible(await readFile(path, 'utf8'), from, beside);
    const hosts = serversFirst(named(command, found.hosts, options.names));
    for (const line of found.left) io.err(plain(`${from}: not imported: ${line}`));
    const asRows = (lines: readonly string[]) => lines.map((each) => `${from}: ${each}`);
    if (hosts.length === 0) return rejectRows(io, asRows(found.bad), false);
    let bad: string[] = [];
    let isChanged = false;
    let isCreated = false;
    await editInventory(command, async (text, file) => {
      isCreated = text === undefined;
      const head = text ?? (await importedRack(command, options, hosts[0]));
      const added = await withHosts(head, hosts, file, options.kind);
      ({ bad } = added);
      isChanged = added.text !== head;
      return added.text;
    });
    const [first] = hosts;
    const isAlsoJumphost = isCreated && (options.jumphost ?? first?.name) === first?.name;
    if (isAlsoJumphost && (first?.user ?? first?.port) !== undefined) {
      io.err(plain(`not imported: user and port of ${first?.name}; set them in ~/.ssh/config`));
    }
    if (found.ignored.length > 0) {
      io.err(plain(`${from}: not imported: ${found.ignored.join(', ')}`));
    }
    if (options.kind === 'rpi' && isChanged) {
      io.err(
        'the machines are of kind rpi; for others than Raspberry Pis, run skolo inventory set NAMES kind=host',
      );
    }
    rejectRows(io, asRows([...found.bad, ...bad]), bad.length < hosts.length);
  });
}

function named(
  command: SkoloCommand,
  hosts: readonly AnsibleHost[],
  words: readonly string[] | undefined,
): AnsibleHost[] {
  const nameless = hosts.filter(({ name }) => isIP(name) !== 0);
  const names = words === undefined ? [] : expandedNames(words);
  if (names.length !== nameless.length) {
    const [first] = nameless;
    command.error(
      `--names: ${count(names.length, 'name')} for ${count(nameless.length, 'host')} with only an address${first === undefined ? '' : ` (${first.name})`}; specify exactly one name for each`,
    );
  }
  return hosts.map((host) => ({ ...host, name: names[nameless.indexOf(host)] ?? host.name }));
}

function serversFirst(hosts: readonly AnsibleHost[]): AnsibleHost[] {
  const isServer = ({ groups }: AnsibleHost) => groups.some((each) => serverGroups.includes(each));
  return [...hosts.filter(isServer), ...hosts.filter((host) => !isServer(host))];
}

/** Adds hosts that are not there yet. `bad` lists those that would make rack.yaml invalid, and why. */
async function withHosts(
  text: string,
  hosts: readonly AnsibleHost[],
  file: string,
  kind: string,
): Promise<{ text: string; bad: string[] }> {
  const [{ parseRack }, edit] = await Promise.all([
    import('@skolo/rack'),
    import('@skolo/rack/edit'),
  ]);
  const { machines, jumphost } = parseRack(text, { file });
  const wanted: AnsibleHost[] = [];
  const bad: string[] = [];
  for (const host of hosts) {
    const { name, address } = host;
    const known = name === jumphost.name ? jumphost : machines.get(name);
    if (known === undefined) wanted.push(host);
    else if (address !== undefined && known.address !== address) {
      const is = known.address ?? 'no address';
      bad.push(`${name} has ${is} in rack.yaml, but ${address} in the inventory; fix one of them`);
    }
  }
  const add = (some: readonly AnsibleHost[]) => addHosts(text, some, file, kind, edit);
  const sorted = edit.addable(wanted, add);
  bad.push(...sorted.bad.map(({ item, why }) => `${item.name}: ${why}`));
  return { text: add(sorted.good), bad };
}

/** Hosts with the same user and port share entries. */
function addHosts(
  text: string,
  hosts: readonly AnsibleHost[],
  file: string,
  kind: string,
  { addMachines, withLogin }: Edit,
): string {
  const alike = Map.groupBy(hosts, ({ user = '', port, address }) =>
    JSON.stringify([user, port, address === undefined]),
  );
  let result = text;
  for (const group of alike.values()) {
    const { user, port, address } = group[0] as AnsibleHost;
    const login = user === undefined ? undefined : withLogin(result, user, file);
    result = login?.text ?? result;
    const values = new Map<string, string | string[]>([
      ['kind', kind],
      ...(address === undefined
        ? []
        : ([['address', oneOrAll(group.map((host) => host.address ?? ''))]] as const)),
      ...(port === undefined ? [] : ([['port', String(port)]] as const)),
      ...(login === undefined ? [] : ([['login', login.name]] as const)),
    ]);
    result = addMachines(
      result,
      group.map(({ name }) => name),
      values,
      file,
    );
  }
  return result;
}

function oneOrAll(values: string[]): string | string[] {
  return values.length === 1 ? (values[0] ?? '') : values;
}

/** `skolo inventory import` of routers, switches and PDUs from the programs that skolo replaces. */
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ForeignEquipment, ForeignInventory, OutletAlias } from '@skolo/rack/edit';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { plain } from '../../output/text.ts';
import { editInventory, rejectRows } from './edit-file.ts';
import { type ImportedRackOptions, importedRack } from './new-rack.ts';

export interface EquipmentSources {
  oxidized?: string;
  oxidizedConfig?: string;
  rancid?: string;
  rancidUser?: string;
  pdudaemon?: string;
}

export function addEquipmentSources(command: SkoloCommand): SkoloCommand {
  const option = (flags: string, what: string, ...others: string[]) =>
    new Option(flags, what).conflicts(others);
  const config =
    "with --oxidized: Oxidized's config, which specifies the columns (default: name:ip:model:username:password)";
  const user =
    "with --rancid: user name for all equipment (RANCID's router.db does not contain user names)";
  return command
    .addOption(option('--oxidized <file>', "Oxidized's router.db", 'rancid', 'pdudaemon'))
    .addOption(option('--oxidized-config <file>', config, 'rancid', 'pdudaemon'))
    .addOption(option('--rancid <file>', "RANCID's router.db", 'pdudaemon'))
    .addOption(option('--rancid-user <name>', user, 'oxidized', 'pdudaemon'))
    .addOption(option('--pdudaemon <file>', 'pdudaemon.conf'));
}

export async function importEquipment(
  command: SkoloCommand,
  options: EquipmentSources & ImportedRackOptions,
): Promise<void> {
  const { io } = command;
  const { equipment: found, left, bad: rows, aliases } = await readInventory(command, options);
  const resolved = await Promise.all(found.map(withAddress));
  const { addEquipment } = await import('@skolo/rack/edit');
  let added: ReturnType<typeof addEquipment> | undefined;
  await editInventory(command, async (text, file) => {
    const equipment = resolved.filter((each) => typeof each !== 'string');
    added = addEquipment(text ?? (await importedRack(command, options)), equipment, file);
    return added.text;
  });
  const { equipment: items = [], secrets = new Map<string, string[]>(), bad = [] } = added ?? {};
  for (const [name, users] of secrets) {
    io.err(plain(`secrets/${name}: set this secret, which is required by ${users.join(', ')}`));
  }
  for (const { name, writtenName } of items) {
    if (name !== writtenName) io.err(plain(`${writtenName}: imported as ${name}`));
  }
  const others = await aliasLines(aliases, items, added?.text ?? '', command.globals().rack);
  for (const line of [...left, ...others.left]) io.err(plain(`not imported: ${line}`));
  const unresolved = resolved.filter((each) => typeof each === 'string');
  rejectRows(io, [...rows, ...unresolved, ...bad, ...others.bad], items.length > 0);
}

/** The command that adds the machine of each alias; those of missing outlets are errors. */
async function aliasLines(
  aliases: readonly OutletAlias[],
  items: readonly ForeignEquipment[],
  text: string,
  file: string,
): Promise<Pick<ForeignInventory, 'left' | 'bad'>> {
  const { outletOf, parseRack } = await import('@skolo/rack');
  const lines: Awaited<ReturnType<typeof aliasLines>> = { left: [], bad: [] };
  if (aliases.length === 0) return lines;
  const { equipment } = parseRack(text, { file });
  for (const { alias, where, equipment: writtenName, outlet } of aliases) {
    const name = items.find((each) => each.writtenName === writtenName)?.name ?? '';
    const item = equipment.get(name);
    const found = item && outletOf(item, outlet, 'power');
    if (found === undefined) {
      lines.left.push(`${alias} is an alias of ${writtenName}, which was not imported`);
    } else if ('problem' in found) lines.bad.push(`${where}: ${found.problem}; fix the alias`);
    else {
      const command = `skolo inventory add ${alias} --kind host --set power=${name}/${found.outlet}`;
      lines.left.push(
        `${alias} is an alias; if it is a machine, run ${command}, and add it to endpoints.pdudaemon.aliases`,
      );
    }
  }
  return lines;
}

async function readInventory(
  command: SkoloCommand,
  { oxidized, oxidizedConfig, rancid, rancidUser, pdudaemon }: EquipmentSources,
): Promise<ForeignInventory> {
  const { readOxidized, readPdudaemon, readRancid } = await import('@skolo/rack/edit');
  const read = (file: string) => readFile(resolve(command.io.folder, file), 'utf8');
  if (oxidized !== undefined) {
    const config = oxidizedConfig && { text: await read(oxidizedConfig), file: oxidizedConfig };
    return readOxidized(await read(oxidized), oxidized, config || undefined);
  }
  if (rancid !== undefined) return readRancid(await read(rancid), rancid, rancidUser);
  if (pdudaemon !== undefined) return readPdudaemon(await read(pdudaemon), pdudaemon);
  return command.error('specify an Ansible inventory, --oxidized, --rancid or --pdudaemon');
}

/** Or why it has none. */
async function withAddress(
  equipment: ForeignEquipment,
): Promise<(ForeignEquipment & { address: string }) | string> {
  const { host, where } = equipment;
  try {
    const { address } = await lookup(host, { order: 'ipv4first' });
    return { ...equipment, address };
  } catch {
    // It may be a password in an unexpected column.
    return `${where}: the host name cannot be resolved; write its address into the row, or add the name to DNS or /etc/hosts`;
  }
}

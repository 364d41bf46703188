/** The text of a new rack.yaml. */
import { Option } from 'commander';
import { ipv4 } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';

export interface NewRackOptions extends NetworkOptions {
  create?: string;
}

export interface NetworkOptions {
  subnet?: string;
  timezone?: string;
  router?: true;
  gateway?: string;
}

/** A new rack of an import. */
export interface ImportedRackOptions extends NewRackOptions {
  jumphost?: string;
  address?: string;
}

export function addImportedRackOptions(command: SkoloCommand): SkoloCommand {
  return addNewRackOptions(command)
    .option('--jumphost <name>', 'with --create: host name of the jumphost')
    .addOption(new Option('--address <address>', 'with --jumphost: its address').argParser(ipv4));
}

/** @param first the jumphost, unless the options specify it */
export async function importedRack(
  command: SkoloCommand,
  options: ImportedRackOptions,
  first?: { name: string; address?: string },
): Promise<string> {
  const { jumphost: name, address } = options;
  const jumphost = name === undefined ? first : { name, address };
  if (jumphost === undefined) {
    return command.error('--create: specify the jumphost with --jumphost and --address');
  }
  return await newRack(command, jumphost, options);
}

export function addNewRackOptions(command: SkoloCommand): SkoloCommand {
  const create =
    'create a rack.yaml for a rack with this name; it contains `acts: false`, so that services only observe';
  return addNetworkOptions(command.option('--create <name>', create), 'with --create: ');
}

export function addNetworkOptions(command: SkoloCommand, when = ''): SkoloCommand {
  return command
    .option('--subnet <network>', `${when}subnet (default: the /24 that contains the jumphost)`)
    .option('--timezone <zone>', `${when}time zone (default: your workstation's)`)
    .option('--router', `${when}make the jumphost the router for the other machines`)
    .addOption(
      new Option(
        '--gateway <address>',
        `${when}your network's router, which is also used as the name server`,
      )
        .argParser(ipv4)
        .conflicts('router'),
    );
}

/** The text of a rack.yaml that only observes. @throws RackError A value is not valid. */
export async function newRack(
  command: SkoloCommand,
  { name, address }: { name: string; address?: string | undefined },
  { create, subnet, timezone, router, gateway }: NewRackOptions,
): Promise<string> {
  if (address === undefined) {
    return command.error(`--create: ${name} becomes the jumphost, so it requires an address`);
  }
  const [{ parseRack }, { stringify }] = await Promise.all([import('@skolo/rack'), import('yaml')]);
  const network = subnet ?? `${address.split('.').slice(0, 3).join('.')}.0/24`;
  const zone = timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const line = (value: object) =>
    stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
  const text = `# Created by skolo. All keys are described in docs/reference/rack-yaml.md.
${stringify({ rack: create, timezone: zone, acts: false })}network: ${line({ subnet: network, ...(gateway && { gateway }) })}
jumphost: ${line({ name, address, ...(router && { uplink: 'internet' }) })}
`;
  parseRack(text, { file: command.globals().rack });
  return text;
}

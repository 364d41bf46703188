/** A new rack.yaml: a few computers on a desk. */
import { Option } from 'commander';
import { ipv4 } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';

export interface NewRackOptions {
  create?: string;
  subnet?: string;
  timezone?: string;
  router?: true;
  gateway?: string;
}

export function addNewRackOptions(command: SkoloCommand): SkoloCommand {
  return command
    .option(
      '--create <name>',
      'create the file for a rack with this name; the first machine is the jumphost',
    )
    .option('--subnet <network>', 'with --create: subnet (default: the /24 of the jumphost)')
    .option('--timezone <zone>', "with --create: time zone (default: your workstation's)")
    .option('--router', 'with --create: make the jumphost the router for the other machines')
    .addOption(
      new Option(
        '--gateway <address>',
        "with --create: your network's router, which is also used as the name server",
      )
        .argParser(ipv4)
        .conflicts('router'),
    );
}

/** @throws RackError A value is not valid. */
export async function newRack(
  command: SkoloCommand,
  { name, address }: { name: string; address: string | undefined },
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
  const text = `# Created by skolo inventory. All keys are described in docs/rack-yaml.md.
${stringify({ rack: create, timezone: zone })}network: ${line({ subnet: network, ...(gateway && { gateway }) })}
jumphost: ${line({ name, address, ...(router && { uplink: 'internet' }) })}
`;
  parseRack(text, { file: command.globals().rack });
  return text;
}

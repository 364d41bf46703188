import { stat, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { count } from '@skolo/base';
import { writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { identityFile, identityOf, identityText } from '@skolo/setup/jumphost';
import { InvalidArgumentError } from 'commander';
import { dnsOption, ipv4 } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { rackNamed, readRackOf, withJumphost } from '../../reach/racks.ts';
import { publicKeys } from '../../workstation/public-keys.ts';

interface Options {
  for?: string;
  key?: string[];
  gateway?: string;
  dns?: string[];
  interface?: string;
}

/** `skolo jumphost stick`: writes the identity of a jumphost, for the first boot of a computer with the image. */
export function define(command: SkoloCommand): void {
  command
    .description(
      `Writes ${identityFile} to a FAT-formatted USB stick. A computer with an image from skolo jumphost image reads this file on first boot, takes the name and address from it, and accepts your SSH keys for root. The file does not contain secrets. After the first boot, the computer ignores all sticks; to change its name, rewrite its disk.`,
    )
    .summary('write an identity to a USB stick')
    .argument('<rack>', 'rack name, as listed by skolo racks')
    .argument('<folder>', 'directory where the stick is mounted')
    .option('--for <machine>', 'machine in rack.yaml that becomes a spare (default: the jumphost)')
    .option('--key <files...>', 'public key files that grant access (default: ~/.ssh/id_*.pub)')
    .option(
      '--gateway <address>',
      'gateway (default: the equipment in rack.yaml with `uplink: internet`)',
      ipv4,
    )
    .addOption(dnsOption('(default: the gateway)'))
    .option(
      '--interface <name>',
      'network interface to use if several interfaces are connected',
      interfaceName,
    )
    .uses('clusters')
    .example('skolo jumphost stick rack4 /media/ann/STICK');

  command.action(async (name: string, folder: string, options: Options) => {
    const { io } = command;
    const entry = withJumphost(await rackNamed(command, name));
    const user = entry.ways.find((way) => way.user !== undefined && way.user !== 'root')?.user;
    if (user !== undefined) {
      throw new CliError(
        `${name}: skolo signs in as ${user}, but the image has no user except root; in kube/clusters/config.json, set \`user\` of this rack to root`,
      );
    }
    const identity = identityOf({
      rack: await readRackOf(entry),
      machine: options.for,
      gateway: options.gateway,
      nameServers: options.dns,
      interface: options.interface,
      keys: await publicKeys(command, options.key),
    });
    const to = resolve(io.folder, folder);
    const problem = await whyNoStick(to);
    if (problem !== undefined) throw new CliError(`${to}: ${problem}`);
    await writeFileAtomic(join(to, identityFile), identityText(identity));
    const { address, prefix, gateway = 'none', nameServers, keys } = identity;
    io.out(
      plain(
        `${join(folder, identityFile)}: ${identity.name}, ${address}/${prefix}, gateway ${gateway}, DNS ${nameServers.join(' ') || 'none'}, ${count(keys.length, 'key')}`,
      ),
    );
  });
}

/** Interface names that Linux allows. */
function interfaceName(text: string): string {
  if (/^[\w.-]{1,15}$/.test(text)) return text;
  throw new InvalidArgumentError('expected an interface name such as eno1');
}

/**
 * Linux's numbers for vfat and exFAT, the file systems that the image searches. Source: MSDOS_SUPER_MAGIC and EXFAT_SUPER_MAGIC of
 * linux/magic.h.
 */
const stickSystems = [0x4d44, 0x2011bab0];

/** Why the image would not find a file there; undefined if it would. */
async function whyNoStick(path: string): Promise<string | undefined> {
  const [found, above] = await Promise.all(
    [path, join(path, '..')].map((each) => stat(each).catch(() => undefined)),
  );
  if (!found?.isDirectory()) return 'no such directory; connect the stick and mount it';
  if (found.dev === above?.dev) {
    return 'this directory is not on a stick; mount the stick and specify its mount point';
  }
  const { type } = await statfs(path);
  if (process.platform !== 'linux' || stickSystems.includes(type)) return undefined;
  return "the stick's file system is neither FAT nor exFAT, so the jumphost could not read it; format the stick with mkfs.vfat";
}

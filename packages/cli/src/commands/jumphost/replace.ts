import { reasonOption, returnAfterOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import type { ReplaceOptions } from './replacement/replacement.ts';
import { addStepOptions } from './steps/open-steps.ts';

/** `skolo jumphost replace`: a spare takes the place of a jumphost that is dead. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'Replaces the jumphost by a spare, which takes over its name, address, SSH host keys, the cluster with its token, and the state of all services. The state comes from the newest off-site archive or from the disk of the old jumphost, and is verified on the spare first. Then the command fences the old jumphost: a daemon on the spare turns off its outlets and reads them back. If it cannot confirm that, it stops, unless you confirm that the network cables are unplugged. Run it again after an interruption. The power-cycle daemon turns on outlets that were waiting to be turned on, but does not continue old cycles.',
      )
      .summary('replace a dead jumphost by a spare')
      .argument('<rack>', 'name in the list of racks')
      .requiredOption('--with <machine>', 'spare: a machine in rack.yaml, with its wiring')
      .option(
        '--rehearse',
        'do everything except fencing and swapping: verify the copy on the spare, and show the time it took',
      )
      .option(
        '--from <place>',
        'place of the archives (default: `upload` in rack.yaml): gs://BUCKET/FOLDER, or a directory',
      )
      .option('--identity <file>', 'age identity for archives (default: SKOLO_AGE_IDENTITY_FILE)')
      .option(
        '--version <version>',
        'use another archive than the newest: an ID or a time',
        'latest',
      )
      .option(
        '--disk [where]',
        'instead of an archive, use the disk of the old jumphost, in the spare or at its USB port. Without a value the disk is found automatically; otherwise specify a device, LABEL=NAME, or the folder where it is mounted',
      )
      .option(
        '--new-cluster',
        'create a new cluster if the k3s database cannot be decrypted; machines then join again with skolo machine join',
      )
      .option(
        '--cable-is-out',
        'if no outlet can confirm the fence: unplug the cables and type the name of the jumphost',
      )
      .addOption(reasonOption('the log of the spare')),
  )
    .addOption(returnAfterOption())
    .uses('clusters')
    .example('skolo jumphost replace rack4 --with jumphost-spare-rack4 --rehearse');

  command.action(async (name: string, options: ReplaceOptions) => {
    const { replaceJumphost } = await import('./replacement/replacement.ts');
    await replaceJumphost(command, name, options);
  });
}

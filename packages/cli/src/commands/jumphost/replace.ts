import { reasonOption, returnAfterOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import type { ReplaceOptions } from './replacement/replacement.ts';
import { addStepOptions } from './steps/open-steps.ts';

/** `skolo jumphost replace`: replaces a dead jumphost with a spare. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        "Replaces the jumphost with a spare, which takes over its name, address, SSH host keys, cluster and cluster token, and the state of all services. The state comes from the newest off-site archive or from the old jumphost's disk, and is verified on the spare first. Then the command fences the old jumphost: a daemon on the spare turns off the old jumphost's outlets and reads them back. If they cannot be confirmed to be off, the command stops; --cable-is-out fences with unplugged network cables instead. After the replacement, the power-cycle daemon turns on outlets that were waiting to be turned on, but does not resume old cycles. If the command is interrupted, run it again.",
      )
      .summary('replace a dead jumphost with a spare')
      .argument('<rack>', 'rack name, as listed by skolo racks')
      .requiredOption(
        '--with <machine>',
        'machine that becomes the jumphost; rack.yaml must list it with its wiring',
      )
      .option(
        '--rehearse',
        'do everything except fencing and the replacement itself: verify the copy on the spare, and show how long that took',
      )
      .option(
        '--from <place>',
        'location of the archives (default: `upload` in rack.yaml): gs://BUCKET/FOLDER, or a directory',
      )
      .option(
        '--identity <file>',
        'age identity that decrypts the archives (default: SKOLO_AGE_IDENTITY_FILE)',
      )
      .option('--version <version>', 'archive to use: latest, an ID or a time', 'latest')
      .option(
        '--disk [where]',
        "instead of an archive, use the old jumphost's disk, installed in the spare or connected to its USB port. Without a value the disk is detected automatically; otherwise specify a device, LABEL=NAME, or its mount point",
      )
      .option(
        '--new-cluster',
        'create a new cluster if the k3s database cannot be decrypted; afterwards, rejoin the machines with skolo machine join',
      )
      .option(
        '--cable-is-out',
        "instead of turning off outlets, ask you to unplug the old jumphost's network cables and to type its name",
      )
      .addOption(reasonOption("the spare's log")),
  )
    .addOption(returnAfterOption())
    .uses('clusters')
    .example('skolo jumphost replace rack4 --with jumphost-spare-rack4 --rehearse');

  command.action(async (name: string, options: ReplaceOptions) => {
    const { replaceJumphost } = await import('./replacement/replacement.ts');
    await replaceJumphost(command, name, options);
  });
}

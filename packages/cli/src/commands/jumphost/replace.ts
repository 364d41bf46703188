import { reasonOption, returnAfterOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import type { ReplaceOptions } from './replacement/replacement.ts';
import { addStepOptions } from './steps/open-steps.ts';

/** `skolo jumphost replace`: replaces a dead jumphost with a spare. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        "Replaces the jumphost with a spare, which takes over its name, address, SSH host keys, cluster, and the state of all services. The state comes from the newest off-site archive or from the old jumphost's disk, and is first verified on the spare. Then a daemon on the spare turns off the old jumphost's outlets. If the outlets cannot be confirmed to be off, the command stops; with --cable-is-out, you unplug the network cables instead. Power cycles that the old jumphost started are not resumed, but their outlets are turned on again. If the command is interrupted, run it again.",
      )
      .summary('replace a dead jumphost with a spare')
      .argument('<rack>', 'rack name, as listed by skolo racks')
      .requiredOption(
        '--with <machine>',
        'machine that becomes the jumphost; it must be in rack.yaml, with its wiring',
      )
      .option(
        '--rehearse',
        'rehearse the replacement: verify the copy on the spare and show how long this took, but do not fence or replace the jumphost',
      )
      .option(
        '--from <place>',
        'location of the archives (default: `upload` in rack.yaml): gs://BUCKET/FOLDER, or a directory',
      )
      .option(
        '--identity <file>',
        'age identity that decrypts the archives (default: SKOLO_AGE_IDENTITY_FILE)',
      )
      .option(
        '--version <version>',
        'archive to use: latest (the newest authenticated one), an ID or a time',
        'latest',
      )
      .option(
        '--unauthenticated',
        'use the archive of --version, specified by its complete ID, even if it is not authenticated; the k3s token then comes from the secret store. For the machine history, add IDs of older archives after commas',
      )
      .option(
        '--disk [where]',
        "use the old jumphost's disk instead of an archive: a block device, LABEL=NAME or a mount point on the spare. Without a value, the disk is detected automatically",
      )
      .option(
        '--new-cluster',
        'create a new cluster if the k3s database cannot be decrypted; afterwards, join the machines to it with skolo machine join',
      )
      .option(
        '--cable-is-out',
        "instead of turning off outlets, prompt you to unplug the old jumphost's network cables and to type its name",
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

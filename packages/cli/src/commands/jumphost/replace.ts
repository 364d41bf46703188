import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import type { ReplaceOptions } from './replacement/replacement.ts';
import { addStepOptions } from './steps/open-steps.ts';

/** `skolo jumphost replace`: a spare takes the place of a jumphost that is dead. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'A spare takes the place of the jumphost: name, address, ssh host keys, the cluster with its token, and the state of all services, from the newest archive off site, or from the disk of the old jumphost. It brings the state to the spare and opens it there first. Then it fences the old jumphost: the daemon on the spare turns its outlets off, and reads them back. Without that proof it stops, unless a person confirms that the cable is out. After an interruption, run it again. The power-cycle daemon turns on what was to come on, and carries out no cycle and no off of the copy.',
      )
      .summary('a spare takes the place of a jumphost that is dead')
      .argument('<rack>', 'name in the list of racks')
      .requiredOption('--with <machine>', 'the spare: a machine in rack.yaml, with its wiring')
      .option(
        '--rehearse',
        'all but fence and swap: opens the copy on the spare, and says how long it took',
      )
      .option(
        '--from <place>',
        'where archives are (default: `upload` of rack.yaml): gs://BUCKET/FOLDER, a directory',
      )
      .option('--identity <file>', 'age identity for archives (default: SKOLO_AGE_IDENTITY_FILE)')
      .option('--version <version>', 'another archive than the newest: an id, or a time', 'latest')
      .option(
        '--disk [where]',
        'instead of an archive: the disk of the old jumphost, in the spare or at its USB port. It is found, or it is a device, LABEL=NAME, or the folder where it is mounted',
      )
      .option(
        '--new-cluster',
        'for a database of k3s that cannot be opened: machines join again with skolo machine join',
      )
      .option(
        '--cable-is-out',
        'no outlet can prove the fence; you type the name of the jumphost instead',
      )
      .option('--reason <text>', 'for the log of the spare', 'requested at the command line'),
  )
    .addOption(
      timeOption('--return-after <time>', 'when a change that locks out returns by itself', '90s'),
    )
    .uses('clusters')
    .example('skolo jumphost replace rack4 --with jumphost-spare-rack4 --rehearse');

  command.action(async (name: string, options: ReplaceOptions) => {
    const { replaceJumphost } = await import('./replacement/replacement.ts');
    await replaceJumphost(command, name, options);
  });
}

import { testbedDown } from '@skolo/fleet/testbed';
import type { SkoloCommand } from '../../../command.ts';
import { plain } from '../../../output/text.ts';
import { type ClusterOptions, clusterOption, openTestbed, pollMs } from './open-testbed.ts';

interface Options extends ClusterOptions {
  volumes?: true;
}

/** The pipeline may take a while to end. */
const withinMs = 300_000;

/** `skolo pi testbed down`: removes the testbed from a cluster. */
export function defineDown(command: SkoloCommand): void {
  command
    .description(
      'Deletes everything that skolo pi testbed up created or the pipeline deployed, except the volumes with images and reports, their namespaces and the NFS provisioner. --volumes deletes these as well; on an NFS server, the directories of volumes are not deleted but renamed to archived-….',
    )
    .summary('delete the testbed')
    .addOption(clusterOption())
    .option('--volumes', 'also delete volumes, which contain images and reports')
    .uses('clusters')
    .example('skolo pi testbed down --cluster pis');

  command.interruptible(async (signal, options: Options) => {
    const { io } = command;
    const open = await openTestbed(command, options, signal);
    const report = (text: string) => io.out(plain(text));
    const volumes = options.volumes ?? false;
    const left = await testbedDown(open, { volumes, withinMs, pollMs, signal, report });
    for (const { kind, metadata } of left) {
      const where = metadata.namespace === undefined ? '' : ` in ${metadata.namespace}`;
      report(`${kind} ${metadata.name}${where}: kept; use --volumes to delete it`);
    }
  });
}

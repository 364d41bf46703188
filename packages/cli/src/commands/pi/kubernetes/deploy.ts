import { deploy } from '@skolo/setup/cluster';
import type { SkoloCommand } from '../../../command.ts';
import { addWayOptions, type PiWayOptions } from '../../../reach/pis.ts';
import { onPis } from '../pi-steps.ts';
import { addProgramOptions, type ProgramOptions, programNeeds } from './program-options.ts';

interface Options extends ProgramOptions, PiWayOptions {
  check?: true;
}

/** `skolo pi kubernetes deploy`: installs a cluster's programs on computers that do not belong to one yet. */
export function defineDeploy(command: SkoloCommand): void {
  addWayOptions(
    addProgramOptions(
      command
        .description(
          'Prepares computers to join a cluster, all in parallel: checks their operating system, disk, memory and clock, disables swap, and installs the same k3s version on each. arm64 and 32-bit arm can be mixed. With --kubeadm, the command installs containerd, kubelet, kubeadm and kubectl instead, and holds these packages at one version. If one computer fails, the others continue. skolo pi kubernetes setup includes these steps; use deploy on slow connections, or to prepare Pis in advance.',
        )
        .summary('install the cluster software on Raspberry Pis')
        .argument('<names...>', 'machines; ranges allowed')
        .option('--check', 'only show the differences'),
    ),
  )
    .uses('rack', 'on')
    .example("skolo pi kubernetes deploy 'host[01-10]'");

  command.action(async (words: string[], options: Options) => {
    const what = `pi kubernetes deploy ${words.join(' ')}`;
    await onPis(command, words, { ...options, what }, async (pis, given) => {
      const { plan, download } = programNeeds(command, options, given.signal);
      const members = pis.names.map((name) => ({ name }));
      return await deploy(members, plan, { ...given, download });
    });
  });
}

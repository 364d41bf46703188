import { deploy } from '@skolo/cluster';
import type { SkoloCommand } from '../../../command.ts';
import { addWayOptions, type PiWayOptions } from '../../../reach/pis.ts';
import { onPis } from '../pi-steps.ts';
import { addProgramOptions, type ProgramOptions, programNeeds } from './program-options.ts';

interface Options extends ProgramOptions, PiWayOptions {
  check?: true;
}

/** `skolo pi kubernetes deploy`: the programs of a cluster, on computers that are in none yet. */
export function defineDeploy(command: SkoloCommand): void {
  addWayOptions(
    addProgramOptions(
      command
        .description(
          'Brings computers to what they need before they join a cluster, all at once: checks system, disk, memory, memory cgroups and clock, turns swap off, and installs the program of k3s in one version, checked against the checksums of its publisher. The program is chosen by the programs of each computer (dpkg), so arm64 and 32-bit arm may be mixed. With --kubeadm it installs containerd, kubelet, kubeadm and kubectl by apt, in one version that no update changes. One that fails does not stop the others. setup does this too; deploy is for a slow line, or to prepare Pis for another day.',
        )
        .summary('the programs of a cluster, on all Pis at once')
        .argument('<names...>', 'machines, with ranges')
        .option('--check', 'show what differs; changes nothing'),
    ),
  )
    .uses('rack', 'on')
    .example("skolo pi kubernetes deploy 'host[01-10]'");

  command.action(async (words: string[], options: Options) => {
    const what = `pi kubernetes deploy ${words.join(' ')}`;
    await onPis(command, words, { ...options, what }, async (pis, given) => {
      const { plan, download } = programNeeds(command, options, given.signal);
      const members = pis.names.map((name) => ({ name }));
      return await deploy(members, plan, {
        ...given,
        download,
        now: command.io.now,
        open: (name) => pis.open(name, given.signal),
      });
    });
  });
}

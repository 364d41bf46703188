/** Options for the programs that are installed on a cluster's computers. */
import { resolve } from 'node:path';
import {
  k3s as k3sDistribution,
  kubeadm as kubeadmDistribution,
  kubeadmVersion,
  minorOf,
} from '@skolo/setup/cluster';
import { k3sVersion } from '@skolo/setup/k3s';
import { Option } from 'commander';
import type { SkoloCommand } from '../../../command.ts';
import { downloadOf, filesOption } from '../../jumphost/steps/open-steps.ts';

export interface ProgramOptions {
  k3s: string;
  kubeadm?: string | true;
  files?: string;
  airGap?: true;
  images?: string;
}

export function addProgramOptions(command: SkoloCommand): SkoloCommand {
  return command
    .option('--k3s <version>', 'k3s version for new installations', k3sVersion)
    .addOption(
      new Option(
        '--kubeadm [version]',
        `use kubeadm instead of k3s, on amd64 and arm64 only (default version: ${kubeadmVersion})`,
      ).conflicts(['k3s', 'airGap', 'images']),
    )
    .addOption(filesOption())
    .option('--air-gap', 'also install the k3s images, for Pis that cannot reach a registry')
    .option(
      '--images <file>',
      'also install images from this `docker save` archive; implies --air-gap',
    );
}

export function programNeeds(command: SkoloCommand, options: ProgramOptions, signal: AbortSignal) {
  const { k3s, kubeadm, airGap, images } = options;
  const own = images === undefined ? {} : { own: resolve(command.io.folder, images) };
  const download = downloadOf(command, options, signal);
  if (kubeadm !== undefined) {
    const version = kubeadm === true ? kubeadmVersion : kubeadm;
    minorOf(version);
    return { download, plan: { distribution: kubeadmDistribution, version } };
  }
  return {
    download,
    plan: {
      distribution: k3sDistribution,
      version: k3s,
      ...((airGap || images !== undefined) && { airGap: own }),
    },
  };
}

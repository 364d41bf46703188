/** Options of the programs that the computers of a cluster get. */
import { resolve } from 'node:path';
import { downloader, k3sVersion } from '@skolo/jumphost';
import type { SkoloCommand } from '../../../command.ts';
import { filesFolder, filesOption } from '../../jumphost/open-steps.ts';

export interface ProgramOptions {
  k3s: string;
  files?: string;
  airGap?: true;
  images?: string;
}

export function addProgramOptions(command: SkoloCommand): SkoloCommand {
  return command
    .option('--k3s <version>', 'version that is installed where there is none', k3sVersion)
    .addOption(filesOption())
    .option('--air-gap', 'also the images of k3s, for Pis that reach no registry')
    .option('--images <file>', 'also images of yours, from `docker save`; implies --air-gap');
}

export function programNeeds(command: SkoloCommand, options: ProgramOptions, signal: AbortSignal) {
  const { k3s, airGap, images } = options;
  const own = images === undefined ? {} : { own: resolve(command.io.folder, images) };
  return {
    download: downloader({ folder: filesFolder(command, options), fetch, signal }),
    plan: { version: k3s, ...((airGap || images !== undefined) && { airGap: own }) },
  };
}

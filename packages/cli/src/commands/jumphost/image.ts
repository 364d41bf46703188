import { mkdtemp, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { run } from '@skolo/base/run';
import { isPrepared, openRootFolder } from '@skolo/setup/engine';
import {
  type ImageArchitecture,
  imageSteps,
  makeDisk,
  makeRoot,
  rejectIncapable,
} from '@skolo/setup/jumphost';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes, usageError } from '../../errors.ts';
import { addStepOptions, fileNeeds, type StepOptions } from './steps/open-steps.ts';
import { stepRunner } from './steps/run-steps.ts';
import { printSteps } from './steps/steps-text.ts';

/** Programs that were ended by a signal keep writing for a moment. Files below a remaining mount are not ours. */
const removal =
  'for each in 1 2 3 4 5; do rm -rf --one-file-system "$0" && exit; sleep 1; done; exit 1';

interface Options extends StepOptions {
  architecture: ImageArchitecture;
  root?: string;
}

/** `skolo jumphost image`: builds a disk image for any jumphost, without an identity. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'Builds a UEFI disk image of Debian 12 with all the software that a jumphost requires. You can write the image to any number of disks, because it does not contain a name, an address or keys. On first boot, these come from a USB stick (skolo jumphost stick); then run skolo jumphost prepare. Building an image requires Debian, root and mmdebstrap.',
      )
      .summary('build a disk image for all jumphosts')
      .argument('<file>', 'output file')
      .addOption(
        new Option('--architecture <name>', "the jumphosts' architecture")
          .choices(['amd64', 'arm64'])
          .default(process.arch === 'arm64' ? 'arm64' : 'amd64'),
      )
      .option(
        '--root <archive>',
        'root file system archive, including a kernel, to use instead of Debian mirrors',
      ),
  )
    .uses('clusters')
    .example('sudo skolo jumphost image jumphost.img');

  command.interruptible(async (signal, name: string, options: Options) => {
    const { io } = command;
    const { architecture, root: archive } = options;
    const file = resolve(io.folder, name);
    await rejectDevice(file);
    // What is missing here first: installing programs does not help where there is no clone.
    const needs = await fileNeeds(command, options, signal);
    await rejectIncapable(signal);
    const folder = await mkdtemp(join(dirname(file), '.skolo-image-'));
    const draft = `${file}.partial`;
    try {
      const given = archive && resolve(io.folder, archive);
      io.err(`building the root file system from ${given ?? 'Debian mirrors'}`);
      await makeRoot({ folder, architecture, archive: given, signal });
      const host = await openRootFolder({ name: 'the image', root: folder }, signal);
      const options = { signal, isCheck: false };
      const steps = await stepRunner(io).run(host, imageSteps(needs), options);
      printSteps(io, steps);
      if (!isPrepared(steps)) {
        io.exitCode = exitCodes.failed;
        return;
      }
      io.err('building the disk image');
      await makeDisk(draft, { folder, architecture, signal });
      await rename(draft, file);
    } finally {
      await run('sh', ['-c', removal, folder]);
      await rm(draft, { force: true });
    }
    const gb = ((await stat(file)).size / 1e9).toFixed(1);
    io.out(`${name}: ${gb} GB for ${architecture}; write it to disks of at least 16 GB`);
  });
}

/** A draft is written next to the image and then replaces it, so the path must not be a device. */
async function rejectDevice(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  const folder = await realpath(dirname(file)).catch(() => undefined);
  if (folder === undefined)
    throw usageError(`${dirname(file)}: no such directory; create it, or specify another file`);
  if (/^\/(dev|proc|sys)(\/|$)/.test(folder) || (found !== undefined && !found.isFile())) {
    throw usageError(
      `${file}: not a regular file; specify a file such as jumphost.img, then write that file to a disk`,
    );
  }
}

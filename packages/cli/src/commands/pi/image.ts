import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { closing } from '@skolo/base';
import { bootFiles, customise, writeChanged } from '@skolo/pi';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { machineImages } from './machine-images.ts';
import type { SetupOptions } from './setup-options.ts';
import { addSetupOptions } from './setups.ts';

interface Options extends SetupOptions {
  base: string;
  out: string;
  bootFiles?: true;
}

/** `skolo pi image`: images of cards, one for each machine. */
export function define(command: SkoloCommand): void {
  addSetupOptions(
    command
      .description(
        'Makes the image of a card for each machine, from a published image of Raspberry Pi OS (Bookworm, Trixie), Ubuntu Server or Debian: with its name, its address, your ssh keys and no password. A machine with such a card starts without a keyboard, and joins its cluster if --join or --join-token-file is given. What rack.yaml has of a machine is taken from there. The published image says by its own files how it is customised; skolo does not guess. No root and no mount is needed, on Linux, macOS and Windows. An image with a token or a password of Wi-Fi is a secret until its card has started.',
      )
      .summary('images of cards for Raspberry Pis')
      .argument('[names...]', 'machines, with ranges; none with --common')
      .option(
        '--common',
        'one image for all machines of the rack: each asks the jumphost who it is',
      )
      .requiredOption('--base <image>', 'a published image: a name of skolo pi images, or a file')
      .option('--out <folder>', 'where the images are written', '.')
      .option(
        '--boot-files',
        'only the files of the boot partition, in a folder for each machine: copy them to a card that has the published image',
      ),
  )
    .uses('rack', 'url', 'tokenFile')
    .example("skolo pi image 'rpi-[001-010]' --base raspios.img --out cards");

  command.interruptible(async (signal, words: string[], options: Options) => {
    const { io } = command;
    const out = resolve(io.folder, options.out);
    await using images = closing(await machineImages(command, words, options, signal));
    const own = images.names.map((name) => join(out, `${name}.img`));
    if (own.includes(images.base)) {
      throw new CliError(`${images.base}: is the base itself; name another folder with --out`);
    }
    await mkdir(out, { recursive: true });
    for (const name of images.names) {
      signal.throwIfAborted();
      const { image, needs } = await images.of(name);
      const { wired } = needs.setup.identity;
      const where = wired === 'dhcp' ? 'DHCP' : wired.address;
      const who = needs.setup.enrolment === undefined ? where : 'for all machines of the rack';
      const what = `${who} (${image.method}, ${image.system})`;
      if (options.bootFiles) {
        const folder = join(out, name);
        for (const [path, content] of await bootFiles(image, needs)) {
          const file = join(folder, path);
          await mkdir(dirname(file), { recursive: true });
          await writeFile(file, content, { mode: 0o600 });
        }
        io.out(plain(`${join(options.out, name)}: files of the boot partition, ${what}`));
      } else {
        await customise(image, needs);
        const file = join(out, `${name}.img`);
        await writeChanged(image.disk, file, signal);
        const gb = (image.disk.size / 1e9).toFixed(1);
        io.out(plain(`${join(options.out, `${name}.img`)}: ${gb} GB, ${what}`));
      }
    }
  });
}

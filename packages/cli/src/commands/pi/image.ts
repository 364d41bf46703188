import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { closing } from '@skolo/base';
import { bootFiles, customise, writeChanged } from '@skolo/setup/pi';
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

/** `skolo pi image`: builds card images, one for each machine. */
export function define(command: SkoloCommand): void {
  addSetupOptions(
    command
      .description(
        "Builds an SD card image for each machine from a published image of Raspberry Pi OS (Bookworm, Trixie), Ubuntu Server or Debian. Each image contains the machine's name, its address and your SSH keys, but no login password. If rack.yaml lists the machine, its settings come from that file. With --join or --join-token-file, the machine joins its cluster on first boot. The command does not require root, and runs on Linux, macOS and Windows. Treat an image that contains a token or Wi-Fi password as a secret.",
      )
      .summary('build SD card images for Raspberry Pis')
      .argument('[names...]', 'machines; ranges allowed; none with --shared')
      .option(
        '--shared',
        'build a shared image for all machines in the rack; each Pi then enrols with the jumphost',
      )
      .requiredOption(
        '--base <image>',
        'published image: a name listed by skolo pi images, or a file',
      )
      .option('--out <folder>', 'output directory', '.')
      .option(
        '--boot-files',
        "write only the boot partition's files, to one directory per machine; you can copy them to an SD card with the published image",
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
      throw new CliError(
        `${images.base}: this would overwrite the base image; specify another directory with --out`,
      );
    }
    await mkdir(out, { recursive: true });
    for (const name of images.names) {
      signal.throwIfAborted();
      const { image, needs } = await images.of(name);
      const { wired } = needs.setup.identity;
      const where = wired === 'dhcp' ? 'DHCP' : wired.address;
      const who = needs.setup.enrolment === undefined ? where : 'for all machines in the rack';
      const what = `${who} (${image.method}, ${image.system})`;
      if (options.bootFiles) {
        const folder = join(out, name);
        for (const [path, content] of await bootFiles(image, needs)) {
          const file = join(folder, path);
          await mkdir(dirname(file), { recursive: true });
          await writeFile(file, content, { mode: 0o600 });
        }
        io.out(plain(`${join(options.out, name)}: boot partition files, ${what}`));
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

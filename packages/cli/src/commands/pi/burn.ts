import { closing } from '@skolo/base';
import {
  burnCards,
  type CardResult,
  customise,
  type DiskFacts,
  findTarget,
  type Reader,
  reject,
} from '@skolo/setup/pi';
import { several, upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import { mustType } from '../../must-type.ts';
import { printTable } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { byteDisplay } from './byte-progress.ts';
import { machineImages } from './machine-images.ts';
import type { SetupOptions } from './setup-options.ts';
import { addSetupOptions } from './setups.ts';

interface Options extends SetupOptions {
  base: string;
  device: string[];
  serial: string[];
  yes?: true;
}

/** `skolo pi burn`: writes cards, one for each machine. */
export function define(command: SkoloCommand): void {
  addSetupOptions(
    command
      .description(
        "Writes an SD card for each machine, and verifies it. Several card readers are used in parallel. The command never writes to this computer's own disks, to mounted or read-only disks, or to partitions. If a disk is very large or not removable, you must confirm it with its serial number. The command requires Linux and root privileges.",
      )
      .summary('write SD cards for Raspberry Pis')
      .argument('[names...]', 'machines; ranges allowed; none with --shared')
      .option(
        '--shared <cards>',
        'write this number of SD cards with a shared image; each Pi then enrols with the jumphost',
        upTo(1000),
      )
      .requiredOption(
        '--base <image>',
        'published image: a name listed by skolo pi images, or a file',
      )
      .requiredOption(
        '--device <path>',
        'card reader such as /dev/sdb, or a file; repeatable',
        several,
      )
      .option(
        '--serial <number>',
        'serial number of a disk to write to, even if it does not look like an SD card; repeatable',
        several,
        [],
      )
      .option('--yes', 'do not ask for confirmation'),
  )
    .uses('rack', 'url', 'tokenFile')
    .example(
      "sudo skolo pi burn 'rpi-[001-010]' --base raspios.img --device /dev/sdb --device /dev/sdc",
    );

  command.interruptible(async (signal, words: string[], options: Options) => {
    await using images = closing(await machineImages(command, words, options, signal));
    const { bytes } = images;
    const confirmed = options.serial;
    const readers: Reader[] = [];
    for (const path of new Set(options.device)) {
      const disk = await findTarget(path, signal);
      if (disk !== undefined) reject(disk, { bytes, confirmed });
      readers.push({ path, disk });
    }
    await agree(command, readers, options, signal);
    const display = byteDisplay(command.io);
    const results = await burnCards(images.names, readers, {
      bytes,
      confirmed,
      signal,
      async imageOf(name) {
        const { image, needs } = await images.of(name);
        await customise(image, needs);
        return image.disk;
      },
      progress: (path, name, { phase, done, total }) =>
        display.progress(
          ...([path, `${path}: ${name} ${phase}`, done, total] as const),
          // The written data is read back, at least as fast.
          phase === 'writes' ? total : 0,
        ),
      ask: display.ask,
      done: ({ path = '' }) => display.forget(path),
    }).finally(display.end);
    print(command, results);
  });
}

/** A person has seen what would be lost. */
async function agree(
  command: SkoloCommand,
  readers: readonly Reader[],
  { yes }: Options,
  signal: AbortSignal,
): Promise<void> {
  const { io } = command;
  const disks = readers.flatMap(({ disk }) => disk ?? []);
  const numbers = new Set(disks.map(({ number }) => number));
  if (numbers.size < disks.length)
    command.error('--device: the same disk is listed twice; specify it once');
  if (disks.length === 0 || yes) return;
  printTable(
    io,
    [
      { title: 'DEVICE', cell: ({ path }: DiskFacts) => path },
      { title: 'GB', cell: ({ size }) => (size / 1e9).toFixed(1), align: 'right' },
      { title: 'MODEL', cell: ({ model }) => plain(model) },
      { title: 'SERIAL', cell: ({ serial }) => serial && plain(serial) },
      { title: 'CURRENT CONTENT', cell: ({ contents }) => contents.map(plain) },
    ],
    disks,
  );
  const what = 'yes to overwrite them';
  await mustType(io, { what, wanted: 'yes', option: '--yes' }, signal);
}

function print({ io }: SkoloCommand, results: readonly CardResult[]): void {
  const failed = results.filter(({ why }) => why !== undefined);
  for (const { name, path, why } of results) {
    if (why === undefined) io.out(plain(`${name}: written to the SD card in ${path} and verified`));
    else complain(io, plain(`${name}: ${why}`));
  }
  if (failed.length > 0) failPartly(io, failed.length < results.length);
}

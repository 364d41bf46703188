import { join, resolve } from 'node:path';
import { internetFetch } from '@skolo/base/internet';
import {
  type DamagedImage,
  deleteImage,
  fetchImage,
  PiError,
  type StoredImage,
  storedImages,
} from '@skolo/setup/pi';
import { InvalidArgumentError } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { findNamed } from '../../names.ts';
import { printTable } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { interruptible } from '../../reach/racks.ts';
import { userFolder } from '../../workstation/workstation-files.ts';
import { byteDisplay } from './byte-progress.ts';

/** The directory of base images. */
export function imagesFolder({ env }: Pick<Io, 'env'>): string {
  return join(userFolder(env, 'XDG_CACHE_HOME'), 'skolo', 'pi-images');
}

/** `skolo pi images`: manages base images on this workstation. */
export function define(command: SkoloCommand): void {
  const { io } = command;
  command
    .description(
      'Lists the published images in ~/.cache/skolo/pi-images on your workstation. They are unpacked, and were verified against SHA-256 checksums.',
    )
    .summary('manage published images on your workstation')
    .uses()
    .example('skolo pi images fetch https://downloads.raspberrypi.com/…-arm64-lite.img.xz');
  command.action(async () => list(io, await storedImages(imagesFolder(io))));

  command
    .command('fetch')
    .summary('download, verify and unpack an image')
    .description(
      "Downloads a published image (.img, .img.xz, .img.gz, .img.zst) from a URL, or reads it from a file, and verifies it against the publisher's SHA-256 checksum (NAME.sha256 or SHA256SUMS). The checksum detects damage, but comes from the same source as the image. To verify the origin, specify --keyring: gpgv then checks the publisher's signature (NAME.sig, SHA256SUMS.gpg). Interrupted downloads are resumed.",
    )
    .argument('<from>', 'URL or file')
    .option(
      '--sha256 <sum>',
      'checksum, if the publisher does not provide one alongside the image',
      sum,
    )
    .option('--keyring <file>', 'OpenPGP public keys; one of them must have signed the image')
    .action(async (from: string, { sha256, keyring }: { sha256?: string; keyring?: string }) => {
      const stored = await interruptible(command, (signal) =>
        fetchTo(io, { from, sha256, keyring, signal }),
      );
      const signed = keyring === undefined ? '' : `, signed by ${stored.signedBy}`;
      io.out(plain(`${stored.name}: ${(stored.size / 1e9).toFixed(1)} GB, verified${signed}`));
    });

  command
    .command('delete')
    .summary('delete downloaded images')
    .description('Deletes downloaded images.')
    .argument('<names...>', 'images')
    .action(async (names: string[]) => {
      for (const image of await wanted(io, names)) {
        await deleteImage(image);
        io.out(plain(`${image.name}: deleted`));
      }
    });
}

function list(io: Io, all: readonly (StoredImage | DamagedImage)[]): void {
  if (all.length === 0) {
    io.err('no images; download one with skolo pi images fetch URL');
    return;
  }
  printTable(
    io,
    [
      { title: 'IMAGE', cell: ({ name }) => name },
      { title: 'GB', cell: ({ size }) => (size / 1e9).toFixed(1), align: 'right' },
      { title: 'FETCHED', cell: ({ fetched }) => fetched.slice(0, 10) },
      { title: 'FROM', cell: ({ from }) => plain(from), shrinkTo: 20 },
    ],
    intact(io, all),
  );
}

interface FetchNeeds {
  from: string;
  sha256?: string | undefined;
  keyring?: string | undefined;
  signal: AbortSignal;
}

/** Downloads an image, or only finds it. @throws PiError */
async function fetchTo(
  io: Io,
  { from, sha256, keyring, signal }: FetchNeeds,
): Promise<StoredImage> {
  const isRemote = /^https?:/.test(from);
  const what = isRemote ? from.replace(/^.*\//, '') : from;
  const display = byteDisplay(io);
  try {
    return await fetchImage(imagesFolder(io), isRemote ? from : resolve(io.folder, from), {
      fetch: internetFetch,
      signal,
      now: io.now,
      report: (text) => io.err(plain(text)),
      ...(sha256 !== undefined && { sha256 }),
      ...(keyring !== undefined && { keyring: resolve(io.folder, keyring) }),
      progress: (done, total) => display.progress(from, what, done, total),
    });
  } finally {
    display.end();
  }
}

/** The file of an image, by its name on this workstation or by its path. */
export async function basePath(io: Io, base: string, signal: AbortSignal): Promise<string> {
  const stored = (await storedImages(imagesFolder(io))).find(({ name }) => name === base);
  if (stored !== undefined && 'damage' in stored) throw new PiError(stored.damage);
  if (stored !== undefined) return stored.path;
  if (/\.(xz|gz|zst)$/.test(base)) return (await fetchTo(io, { from: base, signal })).path;
  if (/^https?:/.test(base)) {
    throw new PiError(
      `${base} cannot be used directly; download it first with skolo pi images fetch ${base}`,
    );
  }
  return resolve(io.folder, base);
}

/** Prints the others, and sets the exit code. */
function intact(io: Io, images: readonly (StoredImage | DamagedImage)[]): StoredImage[] {
  const found = images.flatMap((image) => {
    if (!('damage' in image)) return image;
    complain(io, image.damage);
    return [];
  });
  if (found.length < images.length) failPartly(io, found.length > 0);
  return found;
}

async function wanted(io: Io, names: readonly string[]) {
  const all = await storedImages(imagesFolder(io));
  return findNamed(io, names, all, 'no such image', 'run skolo pi images to list images');
}

function sum(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('expected a SHA-256, 64 hexadecimal digits');
}

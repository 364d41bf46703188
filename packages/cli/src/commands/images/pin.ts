import { writeFile } from 'node:fs/promises';
import { count } from '@skolo/base';
import { RegistryError, resolveImage } from '@skolo/fleet/registry';
import type { SkoloCommand } from '../../command.ts';
import { CliError, complain, exitCodes, failPartly } from '../../errors.ts';
import type { Io } from '../../io.ts';
import {
  type ImageReference,
  type ManifestFile,
  nameOf,
  readManifestFiles,
  withDigests,
} from './manifests.ts';

interface Options {
  check?: true;
  update?: true;
}

/** `skolo images pin`: adds digests to third-party images in manifests. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Adds the registry's current digest to each image tag: `docker.io/prom/prometheus:v3.13.3@sha256:…`. Images that are already pinned keep their digest, and the command reports tags that have moved. skolo's own images, which have no registry in their name, are left unchanged.",
    )
    .summary('pin third-party images to digests')
    .argument('<paths...>', 'manifests or directories')
    .option(
      '--check',
      'only list images that are not pinned, and exit with code 1 if there are any; this does not contact registries',
    )
    .option('--update', 'accept new digests for existing tags')
    .uses()
    .example('skolo images pin kube/base kube/components');

  command.action(async (paths: string[], { check, update }: Options) => {
    if (check && update) command.error("specify '--check' or '--update', not both");
    const files = await readManifestFiles(paths);
    if (files.length === 0) {
      throw new CliError(
        `${paths.join(', ')}: the manifests do not contain any images from a registry`,
      );
    }
    if (check) listUnpinned(command.io, files);
    else await pin(command.io, files, update ?? false);
  });
}

function listUnpinned(io: Io, files: readonly ManifestFile[]): void {
  const all = files.flatMap(({ path, images }) => images.map((image) => ({ path, image })));
  const unpinned = all.filter(({ image }) => image.digest === undefined);
  for (const { path, image } of unpinned) {
    io.out(`${path}:${image.line} ${nameOf(image)}: not pinned`);
  }
  io.out(`${unpinned.length} of ${count(all.length, 'image')} not pinned`);
  if (unpinned.length > 0) io.exitCode = exitCodes.failed;
}

async function pin(io: Io, files: readonly ManifestFile[], update: boolean): Promise<void> {
  const images = new Map<string, ImageReference>();
  for (const image of files.flatMap((file) => file.images)) {
    // A digest pinned in one manifest applies to all.
    if (images.get(nameOf(image))?.digest === undefined) images.set(nameOf(image), image);
  }
  const digests = new Map<string, string>();
  for (const [name, image] of images) {
    try {
      const { digest, isIndex } = await resolveImage({ ...image, digest: undefined });
      if (image.digest !== undefined && image.digest !== digest && !update) {
        throw new CliError(
          `${name}: the tag moved from ${image.digest} to ${digest}; if this was intended, run the command again with --update`,
        );
      }
      digests.set(name, digest);
      const word = image.digest === digest ? 'already pinned' : 'pinned';
      io.out(`${name}: ${digest}, ${word}${isIndex ? '' : ', for one platform only'}`);
    } catch (error) {
      if (!(error instanceof CliError || error instanceof RegistryError)) throw error;
      complain(io, error.message);
    }
  }
  for (const { path, text } of files) {
    const pinned = withDigests(text, digests);
    if (pinned !== text) await writeFile(path, pinned);
  }
  if (digests.size < images.size) failPartly(io, digests.size > 0);
}

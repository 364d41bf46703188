/** Records the digests of a release's images, and of the images that it is built from and deployed with, because tags can move. */
import { parseImage, RegistryError, resolveImage } from '@skolo/fleet/registry';

/**
 * The base images that docker-bake.hcl chooses.
 *
 * @param {string} dockerfile its text
 * @param {Readonly<NodeJS.ProcessEnv>} env
 */
export function baseImages(dockerfile, env) {
  /** @param {string} name */
  const defaultOf = (name) => new RegExp(`^ARG ${name}=(\\S+)`, 'm').exec(dockerfile)?.[1] ?? '';
  const { BASE = defaultOf('BASE'), BASE_ARMV7 = defaultOf('BASE_ARMV7'), BUILD_BASE = BASE } = env;
  return { BASE, BASE_ARMV7, BUILD_BASE };
}

/**
 * `NAME:TAG@sha256:…` for each image, as currently in its registry. Images that have a digest keep it.
 *
 * @param {Iterable<string>} images from Docker Hub if they name no registry
 * @returns {Promise<Map<string, string>>}
 * @throws {RegistryError} one line: an image has no tag, or the registry does not respond or does not have the image
 */
export async function withDigests(images) {
  const pinned = new Map();
  for (const image of images) {
    const parsed = parseImage(image) ?? parseImage(onDockerHub(image));
    if (parsed === undefined)
      throw new RegistryError(`${image}: not in the form NAME:TAG; add a tag`);
    const { digest } = await resolveImage(parsed);
    pinned.set(image, parsed.digest === undefined ? `${image}@${digest}` : image);
  }
  return pinned;
}

/** @param {string} image */
function onDockerHub(image) {
  return `docker.io/${image.includes('/') ? '' : 'library/'}${image}`;
}

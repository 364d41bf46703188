/** Digests of the images of a release, and of those that it is built from and deployed with: a tag can move. */
import { parseImage, RegistryError, resolveImage } from '@skolo/fleet/registry';

/**
 * The bases of the images, as docker-bake.hcl chooses them.
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
 * `NAME:TAG@sha256:…` for each image, as its registry has it now; one that has a digest keeps it.
 *
 * @param {Iterable<string>} images without a registry: of Docker Hub
 * @returns {Promise<Map<string, string>>}
 * @throws {RegistryError} one line: no tag, or the registry does not respond or does not have it
 */
export async function withDigests(images) {
  const pinned = new Map();
  for (const image of images) {
    const parsed = parseImage(image) ?? parseImage(onDockerHub(image));
    if (parsed === undefined) throw new RegistryError(`${image}: not NAME:TAG; give it a tag`);
    const { digest } = await resolveImage(parsed);
    pinned.set(image, parsed.digest === undefined ? `${image}@${digest}` : image);
  }
  return pinned;
}

/** @param {string} image */
function onDockerHub(image) {
  return `docker.io/${image.includes('/') ? '' : 'library/'}${image}`;
}

/** Pushes the container images of a release, with SBOM and provenance, and records their digests. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifestFiles } from '../../packages/cli/src/commands/images/manifests.ts';
import { baseImages, withDigests } from '../image-digests.mjs';
import { git } from '../release/git.mjs';
import { targets } from '../release/images.mjs';

/**
 * Builds and pushes all images on the current base images.
 *
 * @param {import('./release.mjs').Release} release
 * @returns {Promise<string[]>} names with digests of the images, and of all images that they and the manifests use
 * @throws {import('@skolo/fleet/registry').RegistryError} a registry does not have an image
 */
export async function pushImages({ root, version, commit, owner }) {
  const bases = baseImages(readFileSync(join(root, 'Dockerfile'), 'utf8'), process.env);
  const manifests = await readManifestFiles(
    ['base', 'components'].map((name) => join(root, 'kube', name)),
  );
  const ofOthers = manifests.flatMap(({ text, images }) =>
    images.map(({ start, end }) => text.slice(start, end)),
  );
  const pinned = await withDigests([...Object.values(bases), ...ofOthers]);
  const ofBases = Object.entries(bases).map(([name, image]) => [name, pinned.get(image)]);
  /** @param {string} format */
  const ofCommit = (format) => git(root, 'log', '-1', `--format=${format}`);
  execFileSync(
    'docker',
    ['buildx', 'bake', '--push', '--sbom=true', '--provenance=mode=max,version=v1'],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        ...Object.fromEntries(ofBases),
        PREFIX: owner.images,
        SOURCE: owner.repository,
        TAG: version,
        VERSION: version,
        REVISION: commit,
        CREATED: ofCommit('%cI'),
        SOURCE_DATE_EPOCH: ofCommit('%ct'),
      },
    },
  );
  const pushed = await withDigests(imagesOf({ version, owner }));
  return [...new Set([...pushed.values(), ...pinned.values()])];
}

/**
 * Their names.
 *
 * @param {Pick<import('./release.mjs').Release, 'version' | 'owner'>} release
 */
export function imagesOf({ version, owner }) {
  return targets().map((target) => `${owner.images}${target}:${version}`);
}

/** Container images of a release, as one file for each architecture. */
import { root } from '../node.mjs';
import { settleImages } from './settle-images.mjs';

/**
 * Arguments of `docker` that build an image of the bundles in out/bundle.
 *
 * @param {object} image
 * @param {string} image.target stage of the Dockerfile
 * @param {string} image.name
 * @param {string} image.arch
 * @param {Record<string, string>} image.args build arguments
 */
export function buildArguments({ target, name, arch, args }) {
  return [
    ...['build', '--quiet', '--platform', `linux/${arch}`, '--target', target, '--tag', name],
    ...Object.entries({ ...args, BUNDLE: 'given' }).flatMap(([key, value]) => [
      '--build-arg',
      `${key}=${value}`,
    ]),
    root,
  ];
}

/**
 * Builds images and writes them to one file. The same bundles, base image and Debian packages produce the same bytes.
 *
 * @param {object} wanted
 * @param {(args: string[]) => unknown} wanted.docker runs `docker`
 * @param {ReadonlyMap<string, string>} wanted.images names, by stages of the Dockerfile
 * @param {string} wanted.arch
 * @param {Record<string, string>} wanted.args build arguments
 * @param {number} wanted.time nothing in the images is newer, in seconds since 1970
 * @param {string} wanted.file
 */
export async function writeImages({ docker, images, arch, args, time, file }) {
  for (const [target, name] of images) {
    await docker(buildArguments({ target, name, arch, args }));
  }
  await docker(['save', '--output', file, ...images.values()]);
  await settleImages(file, time);
}

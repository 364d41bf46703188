/** Container images of a release, as one file for each architecture. */
import { writeFileSync } from 'node:fs';
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
 * Builds an image that runs a program of the base image: before its images, a release makes everything else, which takes minutes.
 *
 * @param {object} wanted
 * @param {(args: string[], input: string) => unknown} wanted.docker runs `docker`, which prints its own errors
 * @param {string} wanted.arch
 * @param {string} wanted.base name of the base image
 * @returns {string | undefined} why images cannot be built
 */
export function whyNoImages({ docker, arch, base }) {
  const build = ['build', '--quiet', '--platform', `linux/${arch}`, '-'];
  try {
    docker(build, `FROM ${base}\nRUN node --version\n`);
    return undefined;
  } catch {
    return `images for ${arch}: docker cannot build from ${base}; see its error above, and the requirements in docs/release.md`;
  }
}

/**
 * Builds images and writes them to one file, and the versions of their Debian packages next to it, as `.packages.txt`. The same bundles, base
 * image and packages produce the same bytes.
 *
 * @param {object} wanted
 * @param {(args: string[]) => string | Promise<string>} wanted.docker runs `docker` and returns what it prints
 * @param {ReadonlyMap<string, string>} wanted.images names, by stages of the Dockerfile
 * @param {string} wanted.arch
 * @param {Record<string, string>} wanted.args build arguments
 * @param {number} wanted.time nothing in the images is newer, in seconds since 1970
 * @param {string} wanted.file ends with `.tar`
 */
export async function writeImages({ docker, images, arch, args, time, file }) {
  const platform = ['--platform', `linux/${arch}`];
  const lines = [];
  for (const [target, name] of images) {
    await docker(buildArguments({ target, name, arch, args }));
    const run = ['run', '--rm', ...platform, '--network', 'none', '--entrypoint', 'dpkg-query'];
    const packages = await docker([...run, name, '--show']);
    lines.push(
      ...packages
        .trim()
        .split('\n')
        .map((each) => `${target}\t${each}\n`),
    );
  }
  await docker(['save', '--output', file, ...images.values()]);
  await settleImages(file, time);
  writeFileSync(file.replace(/tar$/, 'packages.txt'), lines.join(''));
}

/** Builds the container images of a release, as one file for each architecture. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../node.mjs';
import { billOfImages, contentOf, contentScript } from './image-bill.mjs';
import { settleImages } from './settle-images.mjs';

/** Stages of the Dockerfile that are images. */
export function targets() {
  const bake = readFileSync(join(root, 'docker-bake.hcl'), 'utf8');
  return [...bake.matchAll(/^ {2}\{ name = "([^"]+)"/gm)].map(([, name = '']) => name);
}

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
    return `images for ${arch}: docker cannot build from ${base}; see its error above, and the requirements in docs/reference/release.md`;
  }
}

/**
 * Builds images and writes them to one file, with the versions of their Debian packages next to it, as `.packages.txt`, and a bill of
 * materials, as `.cdx.json`. The same bundles, base image and packages produce the same bytes.
 *
 * @param {object} wanted
 * @param {(args: string[]) => string | Promise<string>} wanted.docker runs `docker` and returns what it prints
 * @param {ReadonlyMap<string, string>} wanted.images names, by stages of the Dockerfile
 * @param {string} wanted.version
 * @param {string} wanted.arch
 * @param {Record<string, string> & { BASE: string }} wanted.args build arguments
 * @param {number} wanted.time nothing in the images is newer, in seconds since 1970
 * @param {string} wanted.file ends with `.tar`
 */
export async function writeImages({ docker, images, version, arch, args, time, file }) {
  const platform = ['--platform', `linux/${arch}`];
  const base = await baseImage(docker, args.BASE, arch);
  const contents = new Map();
  const lines = [];
  for (const [target, name] of images) {
    await docker(buildArguments({ target, name, arch, args }));
    const run = ['run', '--rm', ...platform, '--network', 'none', '--entrypoint', 'sh'];
    const content = contentOf(await docker([...run, name, '-c', contentScript]));
    contents.set(name, content);
    for (const each of content.packages) lines.push(`${[target, ...each].join('\t')}\n`);
  }
  await docker(['save', '--output', file, ...images.values()]);
  await settleImages(file, time);
  writeFileSync(file.replace(/tar$/, 'packages.txt'), lines.join(''));
  const bill = billOfImages({ version, arch, base, images: contents });
  writeFileSync(file.replace(/tar$/, 'cdx.json'), bill);
}

/**
 * Pulls the base image unless the engine has it, so that all images have the same one, and identifies it. An image that was loaded from a file
 * has no digest in a registry.
 *
 * @param {(args: string[]) => string | Promise<string>} docker
 * @param {string} name
 * @param {string} arch
 * @returns {Promise<import('./image-bill.mjs').Base>}
 */
export async function baseImage(docker, name, arch) {
  const inspect = async () => JSON.parse(await docker(['image', 'inspect', name]))[0];
  const isHere = (await docker(['image', 'ls', '--quiet', name])).trim() !== '';
  let found = isHere ? await inspect() : undefined;
  if (found?.Architecture !== arch) {
    await docker(['pull', '--quiet', '--platform', `linux/${arch}`, name]);
    found = await inspect();
  }
  const [, digest] = found.RepoDigests[0]?.split('@') ?? [];
  return digest === undefined
    ? { name, digest: found.Id, digestOf: 'image ID' }
    : { name, digest, digestOf: 'manifest' };
}

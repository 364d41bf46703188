import { expect, it } from 'vitest';
import { baseImage, whyNoImages } from './images.mjs';

it.each([
  ['amd64', undefined],
  ['arm64', 'images for arm64: docker cannot build from node:24; see its error above'],
])('for %s: %s', (arch, why) => {
  /** @param {string[]} args */
  function docker(args) {
    if (args.includes('linux/arm64')) throw new Error('exec format error');
  }

  const found = whyNoImages({ docker, arch, base: 'node:24' });

  expect(found?.split(', ')[0]).toBe(why);
});

it.each([
  { has: 'amd64', digests: ['node@sha256:a'], found: ['sha256:a', 'manifest'], pulls: 0 },
  { has: 'amd64', digests: [], found: ['sha256:b', 'image ID'], pulls: 0 },
  { has: 'arm64', digests: ['node@sha256:a'], found: ['sha256:a', 'manifest'], pulls: 1 },
  { has: undefined, digests: ['node@sha256:a'], found: ['sha256:a', 'manifest'], pulls: 1 },
])('identifies a base image by $found, if the engine has $has', async (on) => {
  let { has } = on;
  let pulls = 0;
  /** @param {string[]} args */
  function docker([noun, verb]) {
    if (noun === 'pull') [has, pulls] = ['amd64', pulls + 1];
    if (verb === 'ls') return has === undefined ? '' : 'b\n';
    return JSON.stringify([{ Id: 'sha256:b', Architecture: has, RepoDigests: on.digests }]);
  }

  const { digest, digestOf } = await baseImage(docker, 'node:24', 'amd64');

  expect({ found: [digest, digestOf], pulls }).toEqual({ found: on.found, pulls: on.pulls });
});

import { expect, it } from 'vitest';
import { whyNoImages } from './images.mjs';

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

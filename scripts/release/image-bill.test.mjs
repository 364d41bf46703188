import { expect, it } from 'vitest';
import { billOfImages, contentOf } from './image-bill.mjs';

const zod = { type: 'library', 'bom-ref': 'pkg:npm/zod@4.0.0', name: 'zod', version: '4.0.0' };

/** @param {string} bill */
function printed(bill) {
  return `v24.21.0
git 1:2.39.5-0+deb12u2 amd64
libc6:amd64 2.36-9 amd64
tzdata 2025b-0 all

git/copyright:License: GPL-2
git/copyright:License: LGPL-2.1+ or GPL-2 with Linux-syscall-note exception
git/copyright:License: GPL-2
git/copyright:/usr/share/common-licenses/GPL-2.
libc6/copyright:License: Permission to use, copy, modify, and distribute this software
libc6/copyright:/usr/share/common-licenses/LGPL-2.1
gone/copyright:License: MIT

${bill}`;
}

/** @type {import('./image-bill.mjs').Base} */
const base = { name: 'node:24', digest: 'sha256:12', digestOf: 'image ID' };

it('lists what images contain, once, with the licences that copyright files name', () => {
  const images = new Map([
    ['skolo/router-backup:1', contentOf(printed(JSON.stringify({ components: [zod] })))],
    ['skolo/chrony:1', contentOf(printed(''))],
  ]);

  const bill = JSON.parse(billOfImages({ version: '1', arch: 'amd64', base, images }));

  const git = 'pkg:deb/debian/git@1%3A2.39.5-0%2Bdeb12u2?arch=amd64';
  const libc = 'pkg:deb/debian/libc6@2.36-9?arch=amd64';
  const tzdata = 'pkg:deb/debian/tzdata@2025b-0?arch=all';
  const node = 'pkg:generic/node@24.21.0';
  const inside = [git, libc, tzdata, node, zod['bom-ref']];
  /** @type {Record<string, unknown>[]} */
  const components = bill.components;
  expect(components.map((each) => each['bom-ref'])).toEqual([
    base.name,
    ...images.keys(),
    ...inside,
  ]);
  const licences = Object.fromEntries(components.map((each) => [each['bom-ref'], each.licenses]));
  expect(licences).toMatchObject({
    [git]: ['GPL-2', 'LGPL-2.1+ or GPL-2 with Linux-syscall-note exception'].map(named),
    [libc]: [named('LGPL-2.1')],
    [tzdata]: [named('see /usr/share/doc/tzdata/copyright')],
    [node]: [{ license: { id: 'MIT' } }],
  });
  expect(bill.dependencies).toEqual([
    {
      ref: 'skolo/router-backup:1',
      dependsOn: [base.name, node, git, libc, tzdata, zod['bom-ref']],
    },
    { ref: 'skolo/chrony:1', dependsOn: [base.name, node, git, libc, tzdata] },
  ]);
  expect(components[0]).toMatchObject({
    version: base.digest,
    properties: [{ name: 'skolo:digest-of', value: 'image ID' }],
  });
});

/** @param {string} name */
function named(name) {
  return { license: { name } };
}

import { expect, it } from 'vitest';
import { packagesOf } from '../steps/packages.ts';
import { imageSteps } from './steps.ts';

it('installs all packages that `prepare` installs on any jumphost, which may have no internet connection', () => {
  const steps = imageSteps({
    k3sVersion: 'v1.36.3+k3s1',
    sources: { bundles: '', deploy: '' },
    download: () => Promise.reject(new Error('nothing is fetched here')),
  });

  const installed = steps.find(({ name }) => name === 'packages')?.about.split(', ');

  expect(installed).toEqual(expect.arrayContaining(packagesOf({ hasNfs: false })));
  expect(installed).toContain('nfs-kernel-server');
});

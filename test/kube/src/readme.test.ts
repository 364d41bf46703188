import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { componentNames, kubeFolder } from './kustomize.ts';
import { declaredSecrets } from './policies/references.ts';

const readme = readFileSync(join(kubeFolder, 'README.md'), 'utf8');

describe('kube/README.md', () => {
  it('describes each component', () => {
    const untold = componentNames().filter((name) => !readme.includes(`\`${name}\``));

    expect(untold).toEqual([]);
  });

  it('describes each Secret', () => {
    const untold = [...declaredSecrets.keys()].filter((id) => {
      const [namespace, name] = id.split('/');
      return !readme
        .split('\n')
        .some((line) => line.includes(`\`${name}\``) && line.includes(`\`${namespace}\``));
    });

    expect(untold).toEqual([]);
  });
});

/** Names of models in the newest release, which labs have in rack.yaml: a renamed model lists its previous name in `was`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readReleasedModels } from '../../generate/released-models.ts';
import { modelNamed } from './index.ts';

const { version, names } = readReleasedModels();

it('released-models.txt has the version of the newest release in CHANGELOG.md', () => {
  const changelog = readFileSync(new URL('../../../../CHANGELOG.md', import.meta.url), 'utf8');
  const [, newest] = /^## (\S+) \(\d{4}-\d\d-\d\d\)$/m.exec(changelog) ?? [];

  expect(version, 'run step 4 of "Make a release" in docs/reference/release.md').toBe(newest);
  expect(names.length).toBeGreaterThan(20);
});

describe('modelNamed', () => {
  it.each(names)('accepts %s, a name of the newest release', (name) => {
    expect(modelNamed(name)).toBeDefined();
  });
});

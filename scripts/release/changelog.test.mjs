import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../node.mjs';
import { changesIn } from './changelog.mjs';

const changelog = '# Changelog\n\n## 1.1.0 (2026-12-01)\n\n## 1.0.0 (2026-11-01)\n\nThe first.\n';

it.each([
  { version: '1.0.0', changes: 'The first.' },
  { version: '1.1.0', changes: undefined },
  { version: '1.0', changes: undefined },
])('the changes of $version are $changes', ({ version, changes }) => {
  expect(changesIn(changelog, version)).toBe(changes);
});

it('CHANGELOG.md has the version in package.json', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

  expect(changesIn(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version)).toMatch(/\S/);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../node.mjs';
import { versionsIn } from './changelog.mjs';

it('versions have a day once they are released, and changes if any are written', () => {
  const changelog =
    '# Changelog\n\n## Unreleased\n\n### All\n\nMore.\n\n## 1.1.0 (2026-12-01)\n\n## 1.0.0 (2026-11-01)\n\nThe first.\n';

  expect(versionsIn(changelog)).toEqual([
    { version: 'Unreleased', day: undefined, changes: '### All\n\nMore.' },
    { version: '1.1.0', day: '2026-12-01', changes: undefined },
    { version: '1.0.0', day: '2026-11-01', changes: 'The first.' },
  ]);
});

it('CHANGELOG.md has the version in package.json', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const versions = versionsIn(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'));

  expect(versions).toContainEqual({
    version,
    day: expect.any(String),
    changes: expect.stringMatching(/\S/),
  });
});

/** Each source file says what it does. `npm run files` writes a page of these comments. */
import { expect, it } from 'vitest';
import { commentOf, readSources, sourceFilesPage } from '../../../../scripts/source-files.mjs';
import { pageAt } from './page.ts';

it('each file says what it does, at its beginning or before its first export', () => {
  const sources = readSources(pageAt(''));

  const silent = sources.filter(({ text }) => commentOf(text) === '').map(({ file }) => file);

  expect(sources.length).toBeGreaterThan(1000);
  expect(silent).toEqual([]);
});

it('sourceFilesPage lists the comments and numbers of files', () => {
  const text = `/** Limits a session. More\n * follows. */

/** Enough for people. */
const maxChars = 500;
const minute = 60_000;
`;
  const sources = [
    { file: 'packages/alerts/src/session.ts', text },
    { file: 'packages/alerts/src/sinks/sink.ts', text: '/** Sends. */\nexport {};\n' },
    { file: 'scripts/boot.sh', text: '# Boots a machine.\nset -e\n' },
  ];

  expect(sourceFilesPage(sources).split('\n').slice(4)).toEqual([
    '## packages/alerts',
    '',
    '- `packages/alerts/src/session.ts`: Limits a session. More follows.',
    '  - `maxChars = 500` in packages/alerts/src/session.ts: Enough for people.',
    '- `packages/alerts/src/sinks/sink.ts`: Sends.',
    '',
    '## scripts',
    '',
    '- `scripts/boot.sh`: Boots a machine.',
    '',
  ]);
});

/** Adding a file adds a test. Sessions that cost more are in sessions.slow.test.ts. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, it } from 'vitest';
import { SessionPlayer, sessionNames } from './testing/session-player.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Names in pages that differ in the directory `testdata/files`, where their examples run, signed in. */
const ofPages = new Map([
  ['http://jumphost-rack4:8004', '$STATE'],
  [' kube/base kube/components', ' $KUBE/base $KUBE/components'],
  ['\nkube/', '\n$KUBE/'],
]);
const pages = await pagesWithExamples();
const names = await sessionNames('first');
const player = new SessionPlayer();
afterAll(() => player.close());

describe('skolo prints', () => {
  it.for(names)('%s', (name, context) => player.play(name, context));

  it.for(pages)('the examples in $name', ({ blocks }) => player.playExamples(blocks));
});

/** Returns the pages with blocks in the language `console`. */
async function pagesWithExamples() {
  const documents = [
    'README.md',
    'kube/README.md',
    'docs/*/*.md',
    '{services,packages}/*/README.md',
  ];
  const found = [];
  for await (const name of glob(documents, { cwd: root })) {
    const text = await readFile(join(root, name), 'utf8');
    const blocks = [...text.matchAll(/```console\n(.*?)```/gs)].map(([, block = '']) =>
      [...ofPages].reduce((known, [word, there]) => known.replaceAll(word, there), block),
    );
    if (blocks.length > 0) found.push({ name, blocks });
  }
  return found;
}

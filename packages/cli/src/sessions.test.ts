import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startMetadataServer } from './testing/metadata-server.ts';
import { canTty, createPlace, type Place, replay, steadied } from './testing/session.ts';

const own = fileURLToPath(new URL('../', import.meta.url));
const sessions = join(own, 'testdata/sessions');
/** Each starts some twenty processes, on a computer that has other things to do. */
const timeout = 180_000;
const names = (await readdir(sessions)).filter((name) => name.endsWith('.console'));

/** Adding a file adds a test. */
describe('skolo prints', () => {
  it.for(names)('%s', { timeout }, async (name, { skip }) => {
    const session = await readFile(join(sessions, name), 'utf8');
    if (session.includes('$ tty ') && !(await canTty())) skip('script of util-linux is not there');
    const place = await placeWithServer();

    const printed = await replay(session, place);

    // The secret of all fixtures: it may stand in commands, and in nothing that they print.
    expect(printed.replaceAll(/^\$ .*$/gm, '')).not.toContain('hunter2');
    await expect(printed).toMatchFileSnapshot(join(sessions, name));
  });

  it('what the README says', { timeout }, async () => {
    const readme = await readFile(join(own, 'README.md'), 'utf8');
    const place = await placeWithServer();
    const blocks = [...readme.matchAll(/```console\n(.*?)```/gs)].map(([, text = '']) => text);

    expect(blocks.length).toBeGreaterThan(5);
    for (const block of blocks) {
      const said = steadied(block.replaceAll('/srv/racks', place.dir), place);
      expect(await replay(block, place)).toBe(said);
    }
  });
});

async function placeWithServer(): Promise<Place> {
  const server = await startMetadataServer();
  onTestFinished(server.close);
  const place = await createPlace(join(own, 'testdata/files'), server.url);
  onTestFinished(place.remove);
  return place;
}

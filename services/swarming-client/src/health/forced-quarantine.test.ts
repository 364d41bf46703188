import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anyCharacter } from '@skolo/base/durable/any-character';
import { runs, tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quietLog } from '../testing/quiet-log.ts';
import { ForcedQuarantine } from './forced-quarantine.ts';

async function start() {
  const root = await tempDir();
  const home = join(root, 'home');
  const stateDir = join(root, 'state');
  await mkdir(home);
  await mkdir(stateDir);
  const clock = fakeClock('2026-11-20T12:00:00Z');
  const log = quietLog();
  const open = (file = '~/{machine}.force_quarantine') =>
    new ForcedQuarantine({ machine: 'rpi-1', file: () => file, stateDir, home, clock, log });
  const write = (text: string) => writeFile(join(home, 'rpi-1.force_quarantine'), text);
  /** An agent that has read it. */
  const quarantined = async (text = 'wrong phone') => {
    await write(text);
    const forced = open();
    await forced.update();
    return forced;
  };
  return { home, stateDir, clock, log, open, write, quarantined };
}

const order = {
  kind: 'quarantine',
  by: 'a file',
  reason: 'wrong phone',
  since: new Date('2026-11-20T12:00:00Z'),
};

describe('the file that quarantines the machine', () => {
  it('is absent as long as no operator writes the file', async () => {
    const { open } = await start();
    const forced = open();

    await forced.update();

    expect(forced.current()).toEqual([]);
  });

  it('is read, removed, and in effect until it is cleared', async () => {
    const { quarantined, home, stateDir } = await start();

    const forced = await quarantined('wrong\nphone\n');
    await forced.update();
    const current = forced.current();
    const left = await readdir(home);
    await forced.clear();
    await forced.update();

    expect(current).toEqual([order]);
    expect(left).toEqual([]);
    expect([forced.current(), await readdir(stateDir)]).toEqual([[], []]);
  });

  it('is the same after a restart of the agent, whatever its text', async () => {
    const { open, quarantined, clock } = await start();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: anyCharacter, maxLength: 400 }), async (text) => {
        const before = (await quarantined(text)).current();
        clock.pass(60_000);
        const next = open();

        await next.update();

        expect(before).toHaveLength(1);
        expect(next.current()).toEqual(before);
      }),
      runs(50),
    );
  });

  it('is over when what is kept is deleted', async () => {
    const { quarantined, stateDir } = await start();
    const forced = await quarantined();

    await rm(join(stateDir, 'forced-quarantine.json'));
    await forced.update();

    expect(forced.current()).toEqual([]);
  });

  it.each([
    ['without a text quarantines all the same', '', 'no reason given'],
    [
      'contains nothing that a terminal would obey',
      '\u001b[31mred\u001b[0m\nphone\u0007',
      '[31mred [0m phone',
    ],
    ['is shortened when it is long', 'x'.repeat(1_000_000), 'x'.repeat(1000)],
  ])('%s', async (_, text, reason) => {
    const { quarantined } = await start();

    expect((await quarantined(text)).current()).toEqual([{ ...order, reason }]);
  });

  it('quarantines also where nothing can be kept or read', async () => {
    const { quarantined, stateDir } = await start();
    await rm(stateDir, { recursive: true });
    await writeFile(stateDir, 'no folder');

    const forced = await quarantined();

    expect(forced.current()[0]?.reason).toBe('wrong phone');
  });

  it('has the reason that is written a moment after the file was created, and is then removed', async () => {
    const { open, home } = await start();
    const file = join(home, 'q');
    await writeFile(file, '');
    const forced = open(file);
    await forced.update();
    expect(forced.current()[0]?.reason).toBe('no reason given');

    await writeFile(file, 'smells burnt\n');
    await forced.update();

    expect(forced.current()[0]?.reason).toBe('smells burnt');
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  it('may be anywhere', async () => {
    const { open, home } = await start();
    await writeFile(join(home, 'q'), 'wrong phone');
    const forced = open(join(home, 'q'));

    await forced.update();

    expect(forced.current()[0]?.reason).toBe('wrong phone');
  });

  it('that is a folder is no reason, is logged once, and disturbs nothing', async () => {
    const { open, home, log } = await start();
    await mkdir(join(home, 'rpi-1.force_quarantine'));
    const forced = open();

    await forced.update();
    await forced.update();

    expect(forced.current()).toEqual([]);
    expect(log.lines).toHaveLength(1);
  });

  it('is not removed before it is kept, and in effect meanwhile', async () => {
    const { quarantined, home, stateDir } = await start();
    await rm(stateDir, { recursive: true });

    const forced = await quarantined();
    const before = { text: forced.current()[0]?.reason, left: await readdir(home) };
    await mkdir(stateDir);
    await forced.update();

    expect(before).toEqual({ text: 'wrong phone', left: ['rpi-1.force_quarantine'] });
    expect([await readdir(home), await readdir(stateDir)]).toEqual([
      [],
      ['forced-quarantine.json'],
    ]);
  });

  it('of which a damaged note is kept still quarantines', async () => {
    const { open, stateDir } = await start();
    await writeFile(join(stateDir, 'forced-quarantine.json'), '{"text"');
    const forced = open();

    await forced.update();

    expect(forced.current()[0]?.reason).toContain('is damaged');
  });
});

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
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
  return { home, stateDir, clock, log, open, write };
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

    await forced.look();

    expect(forced.current()).toEqual([]);
  });

  it('is read, removed, and in effect until it is cleared', async () => {
    const { open, write, home, stateDir } = await start();
    const forced = open();
    await write('wrong\nphone\n');

    await forced.look();
    await forced.look();
    const current = forced.current();
    const left = await readdir(home);
    await forced.clear();
    await forced.look();

    expect(current).toEqual([order]);
    expect(left).toEqual([]);
    expect([forced.current(), await readdir(stateDir)]).toEqual([[], []]);
  });

  it('stays in effect over a restart of the agent', async () => {
    const { open, write, clock } = await start();
    await write('wrong phone');
    await open().look();
    clock.pass(60_000);
    const next = open();

    await next.look();

    expect(next.current()).toEqual([order]);
  });

  it('is over when what is kept is deleted', async () => {
    const { open, write, stateDir } = await start();
    const forced = open();
    await write('wrong phone');
    await forced.look();

    await rm(join(stateDir, 'forced-quarantine.json'));
    await forced.look();

    expect(forced.current()).toEqual([]);
  });

  it('without a text quarantines all the same', async () => {
    const { open, write } = await start();
    const forced = open();
    await write('');

    await forced.look();

    expect(forced.current()[0]?.reason).toBe('no reason given');
  });

  it('contains nothing that a terminal would obey', async () => {
    const { open, write } = await start();
    const forced = open();
    await write('\u001b[31mred\u001b[0m\nphone\u0007');

    await forced.look();

    expect(forced.current()[0]?.reason).toBe('[31mred [0m phone');
  });

  it('quarantines also where nothing can be kept or read', async () => {
    const { open, write, stateDir } = await start();
    await rm(stateDir, { recursive: true });
    await writeFile(stateDir, 'no folder');
    const forced = open();
    await write('wrong phone');

    await forced.look();

    expect(forced.current()[0]?.reason).toBe('wrong phone');
  });

  it('may be anywhere', async () => {
    const { open, home } = await start();
    await writeFile(join(home, 'q'), 'wrong phone');
    const forced = open(join(home, 'q'));

    await forced.look();

    expect(forced.current()[0]?.reason).toBe('wrong phone');
  });

  it('is shortened when it is long', async () => {
    const { open, write } = await start();
    const forced = open();
    await write('x'.repeat(1_000_000));

    await forced.look();

    expect(forced.current()[0]?.reason).toHaveLength(1000);
  });

  it('that is a folder is no reason, is logged once, and disturbs nothing', async () => {
    const { open, home, log } = await start();
    await mkdir(join(home, 'rpi-1.force_quarantine'));
    const forced = open();

    await forced.look();
    await forced.look();

    expect(forced.current()).toEqual([]);
    expect(log.lines).toHaveLength(1);
  });

  it('is not removed before it is kept, and in effect meanwhile', async () => {
    const { open, write, home, stateDir } = await start();
    const forced = open();
    await write('wrong phone');
    await rm(stateDir, { recursive: true });

    await forced.look();
    const before = { text: forced.current()[0]?.reason, left: await readdir(home) };
    await mkdir(stateDir);
    await forced.look();

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

    await forced.look();

    expect(forced.current()[0]?.reason).toContain('is damaged');
  });
});

import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { memoryDegraded } from '../testing/memory-degraded.ts';
import { memoryLog } from '../testing/memory-log.ts';
import { CrashNotes } from './crash-notes.ts';

const never = new AbortController().signal;

/** A process that starts. Without `close`, the next one finds it killed. */
async function started(folder: string, firstPauseMs = 60_000) {
  const degraded = memoryDegraded();
  const notes = new CrashNotes({ folder, degraded, log: memoryLog().log, firstPauseMs });
  await notes.open();
  return { notes, raised: degraded.raised };
}

/** Killed in the middle of contacts with these devices. */
async function killed(folder: string, ...devices: string[]) {
  const { notes } = await started(folder);
  for (const device of devices) {
    await new Promise<void>((resolve) => {
      void notes.noted(device, () => {
        resolve();
        return new Promise(() => undefined);
      });
    });
  }
}

const folderOfTest = async () => join(await tempDir(), 'run');

it('suspects exactly what was being contacted, by name, and nothing after a clean stop', async () => {
  const folder = await folderOfTest();
  const first = await started(folder);
  await first.notes.noted('switch-1', async () => undefined);
  await first.notes.noted('switch-2', () => Promise.reject(new Error('no'))).catch(() => undefined);
  await killed(folder, 'rack4/pdu', 'switch-3');

  const { notes, raised } = await started(folder);

  expect([...raised.keys()].sort()).toEqual(['suspect rack4/pdu', 'suspect switch-3']);
  expect(raised.get('suspect switch-3')).toContain('killed once while it contacted switch-3');
  expect(['switch-1', 'switch-2', 'switch-3'].map((name) => notes.isSuspect(name))).toEqual([
    false,
    false,
    true,
  ]);
  await notes.close();
  expect(await readdir(folder)).toEqual([]);
});

it('doubles the pause with each crash, also if the device behaves in between', async () => {
  const folder = await folderOfTest();
  for (const seconds of [60, 120, 240]) {
    await killed(folder, 'switch-1');
    const { notes, raised } = await started(folder);
    expect(raised.get('suspect switch-1')).toContain(`in ${seconds} s`);
    await notes.noted('switch-1', async () => undefined);
    expect(raised.size).toBe(0);
    expect((await started(folder)).raised.size).toBe(0);
  }
  for (let crash = 3; crash < 30; crash += 1) await killed(folder, 'switch-1');
  expect((await started(folder)).raised.get('suspect switch-1')).toContain('in 3600 s');
});

it('does not count a crash before the suspect was contacted again', async () => {
  const folder = await folderOfTest();
  await killed(folder, 'switch-1');
  await killed(folder, 'switch-2');

  const { raised } = await started(folder);

  expect(raised.get('suspect switch-1')).toContain('killed once');
});

it('refuses other work from the second crash, until a person wants the device', async () => {
  const folder = await folderOfTest();
  await killed(folder, 'switch-1');
  expect((await started(folder)).notes.whyNot('switch-1')).toBeUndefined();
  await killed(folder, 'switch-1');
  const { notes } = await started(folder);
  expect(notes.whyNot('switch-1')).toContain('killed 2 times');
  const due = notes.whenDue('switch-1', never);

  notes.lift('switch-1');

  await due;
  expect(notes.whyNot('switch-1')).toBeUndefined();
});

it('reads suspects one by one, after what began before and before what begins later', async () => {
  const folder = await folderOfTest();
  await killed(folder, 'bad-1', 'bad-2');
  const { notes } = await started(folder, 1);
  const order: string[] = [];
  const turn = (name: string) =>
    notes.inTurn(name, async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    });

  await Promise.all([turn('a'), turn('b'), turn('bad-1'), turn('bad-2'), turn('c')]);

  const alone = ['bad-1', 'bad-2', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]);
  expect(order).toEqual(['a begins', 'b begins', 'a ends', 'b ends', ...alone]);
});

it.each(['', '{"state":"contacted"', '{"state":"contacted","crashes":-1}', 'null'])(
  'suspects a device whose note is %j',
  async (text) => {
    const folder = await tempDir();
    await writeFile(join(folder, 'switch-1'), text);

    expect((await started(folder)).notes.isSuspect('switch-1')).toBe(true);
  },
);

it('contacts devices even if it cannot note them', async () => {
  const nowhere = await started(join(await tempDir(), 'no', 'run'));
  expect(await nowhere.notes.noted('switch-1', async () => 1)).toBe(1);
  expect(nowhere.raised.size).toBe(0);

  const folder = await folderOfTest();
  const { notes, raised } = await started(folder);
  await rm(folder, { recursive: true });
  await writeFile(folder, '');
  expect(await notes.noted('switch-1', async () => 1)).toBe(1);
  expect(raised.get('crash notes')).toContain('may be contacted first again');
});

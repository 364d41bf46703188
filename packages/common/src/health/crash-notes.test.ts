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
  expect(raised.get('suspect switch-3')).toContain(
    'hung or was killed once while it contacted switch-3',
  );
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
  for (const seconds of [60, 120]) {
    await killed(folder, 'switch-1');
    const { notes, raised } = await started(folder);
    expect(raised.get('suspect switch-1')).toContain(`for another ${seconds} s, unless a person`);
    await notes.noted('switch-1', async () => undefined);
    expect(raised.size).toBe(0);
    expect((await started(folder)).raised.size).toBe(0);
  }
});

it('is killed by a device at most three times, unless a person orders a fourth contact', async () => {
  const folder = await folderOfTest();
  // As outlet-watch.ts and runs.ts do: a process that may contact it does, and is killed.
  let kills = 0;
  for (let start = 0; start < 10; start += 1) {
    const { notes } = await started(folder, 0);
    await notes.whenDue('hostile', never);
    if (notes.whyNot('hostile') !== undefined) continue;
    await killed(folder, 'hostile');
    kills += 1;
  }

  expect(kills).toBe(3);
  const { notes, raised } = await started(folder);
  const until = 'until a person orders a backup or a power cycle of it';
  expect(raised.get('suspect hostile')).toContain(`killed 3 times while it contacted hostile`);
  expect(raised.get('suspect hostile')).toContain(until);
  expect(notes.whyNot('hostile')).toContain(until);
  notes.lift('hostile');
  expect(notes.whyNot('hostile')).toBeUndefined();
});

/** A stop ends what runs, and the next process starts. `blocked`: since then, by performance.now(). */
async function stopped(folder: string, blocked: number, ends: boolean) {
  const stop = new AbortController();
  const loopLag = { wasBlockedSince: (time: number) => time <= blocked };
  const more = { signal: stop.signal, loopLag };
  const notes = new CrashNotes({
    folder,
    degraded: memoryDegraded(),
    log: memoryLog().log,
    ...more,
  });
  await notes.open();
  await notes.noted('earlier', async () => undefined);
  const contact = Promise.withResolvers<void>();
  const ending = Promise.withResolvers<void>();
  const work = notes.noted('switch-1', async () => {
    contact.resolve();
    await ending.promise;
  });
  await contact.promise;
  stop.abort();
  if (ends) ending.resolve();
  if (ends) await work;
  await notes.close();
  const next = await started(folder);
  return [...next.raised.keys()];
}

it.each([
  ['ends', true],
  ['does not end', false],
])(
  'leaves a note of a device that blocked the process when it stopped, if the contact %s',
  async (_how, ends) => {
    const folder = await folderOfTest();

    expect(await stopped(folder, Number.POSITIVE_INFINITY, ends)).toEqual(['suspect switch-1']);
  },
);

it.each([
  ['before the contact', performance.now()],
  ['at no time', Number.NEGATIVE_INFINITY],
])('leaves no note at a clean stop if the process was blocked %s', async (_when, blocked) => {
  const folder = await folderOfTest();

  expect(await stopped(folder, blocked, true)).toEqual([]);
  expect(await stopped(folder, blocked, false)).toEqual([]);
});

it('leaves no note of a device that a blocked process survived', async () => {
  const folder = await folderOfTest();
  const loopLag = { wasBlockedSince: () => true };
  const { signal } = new AbortController();
  const deps = { degraded: memoryDegraded(), log: memoryLog().log, signal, loopLag };
  const notes = new CrashNotes({ folder, ...deps });
  await notes.open();

  await notes.noted('switch-1', async () => undefined);

  expect(await readdir(folder)).toEqual([]);
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

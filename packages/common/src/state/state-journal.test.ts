import { readdir } from 'node:fs/promises';
import { Journal } from '@skolo/base/durable';
import { tempDir } from '@skolo/base/testing';
import { expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../process/log.ts';
import { StateJournal, type StateJournalDeps } from './state-journal.ts';

async function newJournal(own: Partial<StateJournalDeps> = {}) {
  const stateDir = await tempDir();
  const raised: string[] = [];
  const journal = new StateJournal({
    stateDir,
    log: createLogger({ service: 'test', level: 'silent' }),
    degraded: { raise: (_, why) => void raised.push(why), clear: () => undefined },
    afterDamage: 'compare',
    retryMs: 1,
    signal: new AbortController().signal,
    ...own,
  });
  onTestFinished(() => journal.close(async () => undefined));
  return { journal, stateDir, raised };
}

it('that cannot be read is not open: it is closed, and tried again', async () => {
  const { journal, stateDir, raised } = await newJournal();
  let loads = 0;
  const isWorking = Promise.withResolvers<void>();

  await journal.open(() => {
    loads += 1;
    if (loads < 3) throw new Error('input/output error');
    return 0;
  });
  const wasOpen = journal.isOpen;
  await journal.whenOpen(async () => isWorking.resolve());
  await isWorking.promise;

  expect(wasOpen).toBe(false);
  expect(journal.journal()).toBeInstanceOf(Journal);
  expect(raised).toEqual(['input/output error', 'input/output error']);
  expect(await readdir(stateDir)).toEqual(['journal']);
});

it('is not waited for when the service stops', async () => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const own = { stateDir: '/dev/null', retryMs: 3_600_000, signal };
  const { journal } = await newJournal(own);

  await journal.open(() => 0);
  await journal.whenOpen(() => expect.fail('it is not open'));
  stopping.abort(new Error('the service stops'));
  await journal.close(async () => undefined);

  expect(journal.isOpen).toBe(false);
});

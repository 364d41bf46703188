import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBootId } from '@skolo/base';
import { Spool } from '@skolo/base/durable';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { expect, it, onTestFinished } from 'vitest';
import { Intake } from '../intake/intake.ts';
import { ArrivedFile } from '../state/arrived.ts';
import { Capacity } from '../state/capacity.ts';
import { DeadLetters } from '../state/dead-letters.ts';
import { ReadingNote } from '../state/reading-note.ts';
import { Store } from '../state/store.ts';
import { SuccessTimes } from '../state/success-times.ts';
import { startLab } from '../testing/lab.ts';
import { smallRack } from '../testing/small-rack.ts';
import { Maintenance } from './maintenance.ts';
import { Sinks } from './sinks.ts';

const noteOf = (stateDir: string) => join(stateDir, 'reading.json');

async function writeNote(stateDir: string, deaths: number): Promise<void> {
  const note = { boot: readBootId(), phase: 'reading the spool', deaths };
  await writeFile(noteOf(stateDir), JSON.stringify(note));
}

it('remembers deaths if the spool cannot be opened meanwhile', async () => {
  const dir = await tempDir();
  const stateDir = join(dir, 'state');
  await mkdir(stateDir);
  const inUse = await Spool.open(join(stateDir, 'spool'));
  await writeNote(stateDir, 1);
  const lab = await startLab({ dir });
  expect((await lab.readyz()).status).toBe(503);
  await lab.stop();
  await inUse.close();

  const again = await startLab({ previous: lab });

  expect((await again.readyz()).status).toBe(200);
  expect(JSON.stringify(again.logged())).toContain('"deaths":2');
  expect(existsSync(noteOf(stateDir))).toBe(false);
});

it.each([
  ['none before', undefined, undefined],
  ['one before', 0, 0],
])('does not count a stop while the spool is read as a death: %s', async (_, before, after) => {
  const stateDir = await tempDir();
  if (before !== undefined) await writeNote(stateDir, before);
  const stopping = new AbortController();
  const deathsNow = async () => {
    const text = await readFile(noteOf(stateDir), 'utf8').catch(() => '{}');
    return JSON.parse(text).deaths;
  };
  class StoppedStore extends Store {
    override async open(...args: Parameters<Store['open']>) {
      expect(await deathsNow()).toBe(before === undefined ? 0 : before + 1);
      stopping.abort();
      await expect.poll(deathsNow).toBe(after);
      return super.open(...args);
    }
  }
  const clock = fakeClock('2026-11-20T07:00:00Z');
  const emit = () => undefined;
  const settings = () => smallRack().services['alert-to-pubsub'];
  const deadLetters = new DeadLetters(join(stateDir, 'dead-letters'), () => 1000);
  const capacity = new Capacity({ settings, emit });
  const intake = new Intake({ settings, capacity, deadLetters, clock, emit });
  const arrived = new ArrivedFile(stateDir);
  const lastSuccess = { get: () => undefined, mark() {}, retain() {}, close: async () => {} };
  const times = new SuccessTimes(lastSuccess, clock);
  const sinks = new Sinks({ deadLetters, intake, times, arrived, clock, emit });
  const store = new StoppedStore({ stateDir, settings, deadLetters, arrived, clock });
  const note = new ReadingNote(stateDir);
  const { signal } = stopping;
  const maintenance = new Maintenance({
    ...{ intake, store, note, sinks, capacity, clock, emit, signal },
  });
  onTestFinished(async () => {
    await maintenance.stop();
    await store.close();
  });

  await maintenance.start();
});

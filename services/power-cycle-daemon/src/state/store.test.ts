import { join } from 'node:path';
import { Journal, StorageUnavailable } from '@skolo/base/durable';
import { tempDir } from '@skolo/base/testing';
import { itReadsBack } from '@skolo/common/testing/read-back';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { cycleRecord } from '../testing/records.ts';
import type { PendingOn } from './records.ts';
import { Store } from './store.ts';

/** A disk that can be taken away: a journal that is closed rejects all writes. */
async function onDisk() {
  const folder = join(await tempDir(), 'journal');
  let journal: Journal | undefined = await Journal.open(folder);
  onTestFinished(() => journal?.close());
  const said: string[] = [];
  const newStore = () =>
    new Store({
      journal: () => journal,
      onTrouble: () => said.push('trouble'),
      onWell: () => said.push('well'),
    });
  return {
    said,
    store: newStore(),
    /** What the next process would find. */
    async reread() {
      const next = newStore();
      const opened = journal ?? (await Journal.open(folder));
      const unreadable = next.load(opened);
      return { next, unreadable };
    },
    fail: async () => journal?.close(),
    vanish: async () => {
      await journal?.close();
      journal = undefined;
    },
    repair: async () => {
      journal = await Journal.open(folder);
      return journal;
    },
    journal: () => journal,
  };
}

const pendingOn: PendingOn = {
  controller: 'pdu-1',
  outlet: '1',
  mode: '48v',
  since: '2026-11-20T12:00:00.000Z',
  cycle: 'cycle-1',
};

describe('the store', () => {
  it('changes nothing where the journal cannot be written, and throws', async () => {
    const { store, fail, said } = await onDisk();
    await fail();

    await expect(store.write([store.pendingOns.put(pendingOn)])).rejects.toThrow(
      StorageUnavailable,
    );

    expect(store.pendingOns.all.size).toBe(0);
    expect(said).toEqual(['trouble']);
  });

  it('changes nothing where there is no journal', async () => {
    const { store, vanish } = await onDisk();
    await vanish();

    await expect(store.write([store.pendingOns.put(pendingOn)])).rejects.toThrow(
      StorageUnavailable,
    );
    expect(store.pendingOns.all.size).toBe(0);
  });

  it('keeps what may not wait, and writes it once the disk is well', async () => {
    const { store, fail, repair, reread, said } = await onDisk();
    await store.write([
      store.pendingOns.put(pendingOn),
      store.pendingOns.put({ ...pendingOn, outlet: '2' }),
    ]);
    await fail();

    await store.writeLater([store.pendingOns.remove('pdu-1/1'), store.cycles.put(cycleRecord())]);
    const inMemory = [...store.pendingOns.all.keys()];
    await repair();
    await store.flush();
    const { next } = await reread();

    expect(inMemory).toEqual(['pdu-1/2']);
    expect([...next.pendingOns.all.keys()]).toEqual(['pdu-1/2']);
    expect([...next.cycles.all.keys()]).toEqual(['cycle-1']);
    expect(said).toEqual(['well', 'trouble', 'well']);
  });

  it('does not wait for ever for a disk that neither writes nor fails', async () => {
    const { store, journal, said, reread } = await onDisk();
    const opened = journal();
    if (opened === undefined) throw new TypeError('no journal');
    const stalled = vi.spyOn(opened, 'write').mockReturnValue(new Promise(() => {}));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });

    const kept = store.writeLater([store.pendingOns.put(pendingOn)]);
    await vi.advanceTimersByTimeAsync(2000);
    await kept;
    stalled.mockRestore();
    const { next } = await reread();

    expect(store.pendingOns.all.size).toBe(1);
    expect(next.pendingOns.all.size).toBe(0);
    expect(said).toEqual(['trouble']);
  });

  it('keeps without a journal, too, and what is newer in memory outlives the reading of the journal', async () => {
    const { store, vanish, repair, reread } = await onDisk();
    await store.write([
      store.cycles.put(cycleRecord({ phase: 'off' })),
      store.pendingOns.put(pendingOn),
    ]);
    await vanish();

    await store.writeLater([store.cycles.put(cycleRecord({ phase: 'see-back' }))]);
    store.load(await repair());
    await store.flush();
    const { next } = await reread();

    expect(store.cycles.get('cycle-1')?.phase).toBe('see-back');
    expect(next.cycles.get('cycle-1')?.phase).toBe('see-back');
    expect(store.pendingOns.all.size).toBe(1);
  });

  it('does not write an old state after a new one', async () => {
    const { store, fail, repair, reread } = await onDisk();
    await fail();
    await store.writeLater([store.cycles.put(cycleRecord({ phase: 'see-back' }))]);
    await repair();

    // The write is under way when what could not be written before is written again.
    const written = store.write([store.cycles.put(cycleRecord({ phase: 'turn-off' }))]);
    await Promise.all([written, store.flush()]);
    await store.flush();
    const { next } = await reread();

    expect(store.cycles.get('cycle-1')?.phase).toBe('turn-off');
    expect(next.cycles.get('cycle-1')?.phase).toBe('turn-off');
  });

  it('counts records that it does not understand, and reads the others', async () => {
    const { store, journal, reread } = await onDisk();
    await store.write([store.pendingOns.put(pendingOn)]);
    await journal()?.write({ put: { 'pending-on!pdu-1/9': { outlet: 9 }, 'cycle!x': null } });

    const { next, unreadable } = await reread();

    expect(unreadable).toBe(2);
    expect([...next.pendingOns.all.keys()]).toEqual(['pdu-1/1']);
  });
});

itReadsBack((deps) => new Store(deps));

import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Order, Order as OrderSchema } from '@skolo/api/swarming-client';
import { run, runs, tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { quietLog } from '../testing/quiet-log.ts';
import { Orders } from './orders.ts';

const quarantine: Order = {
  id: 'q1',
  kind: 'quarantine',
  by: 'ann',
  reason: 'smells burnt',
  since: '2026-11-20T11:00:00Z',
};
const maintenance: Order = {
  ...quarantine,
  id: 'm1',
  kind: 'maintenance',
  until: '2026-11-20T12:30:00Z',
};

async function start(mayMount = false) {
  const stateDir = await tempDir();
  if (mayMount) {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', stateDir]);
    onTestFinished(async () => {
      await run('umount', [stateDir]);
    });
  }
  const clock = fakeClock('2026-11-20T12:00:00Z');
  let offset: number | undefined;
  const events: string[] = [];
  const open = async () => {
    const orders = new Orders({
      stateDir,
      clock,
      log: quietLog(),
      clockOffset: { get: () => offset },
      emit: ({ type }) => events.push(type),
    });
    await orders.open();
    return orders;
  };
  const kept = join(stateDir, 'orders.json');
  const compareClock = (seconds: number) => {
    offset = seconds;
  };
  return { stateDir, clock, events, open, kept, compareClock };
}

describe('orders of people', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 99 });
  const anyOrder = fc
    .record({ id: text, by: text, reason: text, of: fc.constantFrom(quarantine, maintenance) })
    .map(({ of, ...own }): Order => OrderSchema.parse({ ...of, ...own, reason: `x${own.reason}` }));

  it('are in effect at once, replace each other as a whole, and are the same after a restart', async () => {
    const { open, clock } = await start();
    clock.setWall(Date.parse(quarantine.since));
    await fc.assert(
      fc.asyncProperty(fc.array(anyOrder, { maxLength: 3 }), async (all) => {
        const orders = await open();

        await orders.set(all);

        expect(orders.active()).toEqual(all);
        expect((await open()).active()).toEqual(all);
      }),
      runs(50),
    );
  });

  it('that are sent again cost no write', async () => {
    const { open, kept, events } = await start();
    const orders = await open();
    await orders.set([quarantine]);
    const { ino } = await stat(kept);

    await orders.set([{ ...quarantine }]);

    expect((await stat(kept)).ino).toBe(ino);
    expect(events).toHaveLength(1);
  });

  it('expire, and are in effect again when a clock that ran ahead is set', async () => {
    const { open, clock } = await start();
    const orders = await open();
    await orders.set([quarantine, maintenance]);

    clock.setWall('2026-11-20T13:00:00Z');
    const ahead = orders.active();
    clock.setWall('2026-11-20T12:00:00Z');

    expect(ahead).toEqual([quarantine]);
    expect(orders.active()).toEqual([quarantine, maintenance]);
  });

  it('expire by the clock of the jumphost where it is known', async () => {
    const { open, compareClock } = await start();
    const orders = await open();
    await orders.set([maintenance]);

    // The own clock is an hour behind.
    compareClock(-3600);

    expect(orders.active()).toEqual([]);
  });

  it('contain nothing that a terminal would obey', async () => {
    const { open } = await start();
    const orders = await open();

    await orders.set([{ ...quarantine, by: 'a\u202enn', reason: '\u001b[31mred\n phone' }]);

    expect(orders.current()).toMatchObject([{ by: 'a nn', reason: '[31mred phone' }]);
  });

  it('that cannot be read quarantine the machine, until they are replaced', async () => {
    const { open, kept } = await start();
    await writeFile(kept, '[{"id"');

    const orders = await open();
    const damaged = orders.current();
    await orders.set([]);

    expect(damaged).toMatchObject([
      { kind: 'quarantine', by: 'the agent', reason: expect.stringContaining(kept) },
    ]);
    expect(orders.current()).toEqual([]);
    expect(await readFile(kept, 'utf8')).toBe('[]');
  });

  it('that cannot be kept are rejected, and the previous stay in effect', async () => {
    const { open, stateDir } = await start();
    const orders = await open();
    await orders.set([quarantine]);
    await rm(stateDir, { recursive: true });

    await expect(orders.set([])).rejects.toMatchObject({ code: 'ENOENT' });
    const still = orders.active();
    await mkdir(stateDir);
    await orders.set([]);

    expect(still).toEqual([quarantine]);
    expect(orders.active()).toEqual([]);
  });

  it('that do not fit on a full disk leave the previous in effect, also after a restart', async ({
    skip,
  }) => {
    if (process.getuid?.() !== 0) skip('needs root to mount a tmpfs');
    const { open, stateDir } = await start(true);
    const orders = await open();
    await orders.set([quarantine]);
    await writeFile(join(stateDir, 'filling'), Buffer.alloc(64 * 1024)).catch(() => undefined);

    await expect(orders.set([maintenance])).rejects.toMatchObject({ code: 'ENOSPC' });

    expect(orders.active()).toEqual([quarantine]);
    expect((await open()).active()).toEqual([quarantine]);
  });
});

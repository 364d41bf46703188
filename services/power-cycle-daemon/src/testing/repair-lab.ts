/** A daemon with automatic repair, driven by the test's clock, that checks continuously. */

import type { PowerCycle } from '@skolo/api';
import { type FakeClock, fakeClock } from '@skolo/common/testing';
import { expect } from 'vitest';
import { type DaemonOptions, startDaemon, type TestDaemon } from './daemon.ts';

export interface RepairLab extends TestDaemon {
  clock: FakeClock;
  /** Whether the internet connection's router responds. */
  router: { isThere: boolean };
  /** Advances the clock; fulfilled once everything has been checked since. */
  after: (minutes: number) => Promise<void>;
  cycles: () => Promise<PowerCycle[]>;
  /** Alertmanager reports a machine as missing for this long. Returns how many machines the alerts concerned. */
  missing: (machine: string, minutes: number) => Promise<number>;
  resolved: (machine: string) => Promise<number>;
  /** It is reported as missing for this long, and a minute passes. */
  hear: (machine: string, minutes: number) => Promise<void>;
  /** The router does not respond for this long. */
  silentFor: (minutes: number) => Promise<void>;
  /** There have been so many cycles, and the newest is finished. */
  untilCycled: (count: number) => Promise<void>;
  needsAttention: (machine: string) => Promise<string | undefined>;
  /** Messages logged as a warning or worse, and why. */
  said: (msg: string) => unknown[];
}

export async function startRepairLab(
  options: DaemonOptions & { clock?: FakeClock },
): Promise<RepairLab> {
  const { clock = fakeClock() } = options;
  const router = { isThere: true };
  const waiting: { looks: number; resolve: () => void }[] = [];
  const daemon = await startDaemon({
    ...options,
    clock,
    repair: {
      // Often, but not so often that checks use all of the processor.
      everyMs: 40,
      // The first step of each check: its second call proves that a complete check was made.
      reach: async () => {
        for (const each of waiting) each.looks += 1;
        for (const each of waiting.filter(({ looks }) => looks > 2)) each.resolve();
        return router.isThere;
      },
    },
  });

  async function tell(status: 'firing' | 'resolved', machine: string, minutes: number) {
    const startsAt = new Date(clock.now() - minutes * 60_000).toISOString();
    const labels = { alertname: 'MachineMissing', machine };
    const body = { version: '4', alerts: [{ status, labels, startsAt }] };
    return (await daemon.client.alerts({ body })).heard;
  }

  async function after(minutes: number) {
    clock.pass(minutes * 60_000);
    await new Promise<void>((resolve) => waiting.push({ looks: 0, resolve }));
  }

  const cycles = async () => (await daemon.client.cycles({ query: {} })).cycles;
  return {
    ...daemon,
    clock,
    missing: (machine, minutes) => tell('firing', machine, minutes),
    resolved: (machine) => tell('resolved', machine, 0),
    async hear(machine, minutes) {
      await tell('firing', machine, minutes);
      await after(1);
    },
    router,
    async silentFor(minutes) {
      router.isThere = false;
      await after(0);
      await after(minutes);
    },
    after,
    cycles,
    async untilCycled(count) {
      await expect.poll(async () => (await cycles()).length).toBe(count);
      const [newest] = await cycles();
      await daemon.finished(newest?.id ?? '');
    },
    async needsAttention(name) {
      const { machines } = await daemon.client.machines({ query: { name } });
      return machines[0]?.needsAttention;
    },
    said: (msg) =>
      daemon
        .logged()
        .filter(({ msg: logged, level }) => logged === msg && level !== 'debug')
        .map(({ why }) => why),
  };
}

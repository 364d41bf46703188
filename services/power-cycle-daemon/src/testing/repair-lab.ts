/** A daemon that repairs by itself, by a clock of the test, and looks all the time. */
import type { PowerCycle } from '@skolo/api';
import { type DaemonOptions, startDaemon, type TestDaemon } from './daemon.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';

export interface RepairLab extends TestDaemon {
  clock: FakeClock;
  /** Whether the router of the internet connection answers. */
  router: { isThere: boolean };
  /** Lets time pass, and fulfils once everything has been looked at since. */
  after: (minutes: number) => Promise<void>;
  cycles: () => Promise<PowerCycle[]>;
  /** Alertmanager says that a machine has been missing for so long. Gives how many machines were heard of. */
  missing: (machine: string, minutes: number) => Promise<number>;
  resolved: (machine: string) => Promise<number>;
  /** What was logged as a warning or worse, and why. */
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
      // Often, and not so often that looking is all that the processor does.
      everyMs: 40,
      // The first thing in each look: when it comes for the second time, a whole one has been made.
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

  return {
    ...daemon,
    clock,
    missing: (machine, minutes) => tell('firing', machine, minutes),
    resolved: (machine) => tell('resolved', machine, 0),
    router,
    async after(minutes) {
      clock.pass(minutes * 60);
      await new Promise<void>((resolve) => waiting.push({ looks: 0, resolve }));
    },
    cycles: async () => (await daemon.client.cycles({ query: {} })).cycles,
    said: (msg) =>
      daemon
        .logged()
        .filter(({ msg: logged, level }) => logged === msg && level !== 'debug')
        .map(({ why }) => why),
  };
}

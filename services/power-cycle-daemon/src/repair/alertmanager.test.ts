/** Automatic repair, asked for by Alertmanager itself. */
import { fakeClock } from '@skolo/common/testing';
import { peer } from '@skolo/simulators';
import { describe, expect, it, type TestContext } from 'vitest';
import { type Alertmanager, startAlertmanager } from '../testing/alertmanager.ts';
import { type RepairLab, startRepairLab } from '../testing/repair-lab.ts';

const yaml = `
equipment:
  router: { model: edgeos, address: 127.0.2.9, ports: { ssh: 1 }, uplink: internet }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  a: { kind: host, power: pdu-1/1, offSeconds: 0.5 }
  b: { kind: host, power: pdu-1/2, offSeconds: 0.5 }
`;
const settings = '    repair: { enabled: true, tries: 2, internet: { enabled: true } }';
const alertmanager = peer('alertmanager');
const amtool = peer('amtool');

interface Lab extends RepairLab {
  alerts: Alertmanager;
  /** Fulfilled once everything that is firing now has been heard, and looked at a minute later. */
  aMinuteLater: () => Promise<void>;
  /** The reasons of the finished cycles of a machine, the newest first. */
  tries: (machine: string) => Promise<string[]>;
}

async function startLab(context: TestContext): Promise<Lab> {
  if (!alertmanager || !amtool) {
    return context.skip('Alertmanager is not installed (Debian: prometheus-alertmanager)');
  }
  // Alertmanager goes by the real clock: where the two begin they agree.
  const lab = await startRepairLab({ yaml, settings, clock: fakeClock(Date.now()) });
  const alerts = await startAlertmanager({ alertmanager, amtool }, lab);
  async function webhooks(): Promise<number> {
    const text = await (await fetch(`${lab.metricsUrl}/metrics`)).text();
    const count = /^http_request_duration_seconds_count\{.*"\/v1\/alerts",code="200"\} (\d+)$/m;
    return Number(count.exec(text)?.[1] ?? 0);
  }
  async function heardAgain(): Promise<void> {
    const before = await webhooks();
    // One may have been under way; the one after it was begun later.
    await expect.poll(webhooks).toBeGreaterThan(before + 1);
  }
  return {
    ...lab,
    alerts,
    async aMinuteLater() {
      await heardAgain();
      await lab.after(1);
    },
    async tries(machine) {
      const { cycles } = await lab.client.cycles({ query: { target: machine } });
      return cycles.map(({ reason }) => reason);
    },
  };
}

describe('Alertmanager', () => {
  it('has a missing machine cycled, and not one that is silenced until it no longer is', async (context) => {
    const { alerts, aMinuteLater, tries } = await startLab(context);
    const silence = await alerts.silence('b');

    await alerts.fire('b', 60);
    await alerts.fire('a', 60);
    await aMinuteLater();
    await expect.poll(() => tries('a')).toEqual(['missing; try 1']);
    await aMinuteLater();
    const ofSilenced = await tries('b');
    await alerts.expire(silence);
    await aMinuteLater();

    expect(ofSilenced).toEqual([]);
    await expect.poll(() => tries('b')).toEqual(['missing; try 1']);
  });

  it('silences what had been firing before it was dead for long enough', async (context) => {
    const { alerts, aMinuteLater, tries, after } = await startLab(context);

    await alerts.fire('a', 60);
    await alerts.fire('b', 10);
    await aMinuteLater();
    await alerts.silence('b');
    await aMinuteLater();
    await after(10);
    await aMinuteLater();

    expect(await tries('b')).toEqual([]);
    expect(await tries('a')).toEqual(['missing; try 1']);
  });

  it('receives that a machine is back, and counts the next time from the start', async (context) => {
    const { alerts, aMinuteLater, tries, untilCycled } = await startLab(context);

    await alerts.fire('a', 60);
    await aMinuteLater();
    await untilCycled(1);
    await alerts.resolve('a');
    await alerts.fire('b', 1);
    await aMinuteLater();
    await alerts.fire('a', 60);
    await aMinuteLater();

    await expect.poll(() => tries('a')).toEqual(['missing; try 1', 'missing; try 1']);
  });

  it('goes on until the machine needs attention', async (context) => {
    const { alerts, aMinuteLater, tries, after, untilCycled, needsAttention } =
      await startLab(context);

    await alerts.fire('a', 60);
    await aMinuteLater();
    for (const count of [1, 2]) {
      await untilCycled(count);
      await after(60);
      await aMinuteLater();
    }

    await expect.poll(() => needsAttention('a')).toBe('still missing after 2 cycles');
    expect(await tries('a')).toEqual(['missing; try 2', 'missing; try 1']);
  });
});

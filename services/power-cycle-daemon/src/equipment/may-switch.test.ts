/** A daemon on a jumphost, as the guard of the jumphost (services/fallback/src/active.ts) tells it. */

import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fakeClock } from '@skolo/common/testing';
import { type JumphostState, jumphostStateFile } from '@skolo/rack/jumphost';
import { describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  switch-1: { model: edgeswitch, address: 127.0.2.3 }
machines:
  by-pdu: { kind: host, power: pdu-1/1 }
  by-switch: { kind: host, power: switch-1/1 }
`;
const alone: JumphostState = { retiredBy: null, conflict: null };
const retired: JumphostState = { ...alone, retiredBy: { epoch: 7, machine: 'of-the-spare' } };

function write(state: JumphostState) {
  return async (stateDir: string) => {
    const file = join(stateDir, jumphostStateFile);
    await writeFile(`${file}.new`, JSON.stringify(state));
    await rename(`${file}.new`, file);
  };
}

const reasons = async (daemon: TestDaemon) =>
  (await daemon.degraded()).map(({ what, why }) => `${what}: ${why}`);

describe('the daemon of a jumphost', () => {
  it('switches nothing before the computer has been up for two minutes, and reads meanwhile', async () => {
    const clock = fakeClock(undefined, 30);
    const daemon = await startDaemon({ yaml, clock, prepare: write(alone) });
    const ids = [
      await daemon.request('by-pdu', { offSeconds: 0.5 }),
      await daemon.request('by-switch', { offSeconds: 0.5 }),
    ];
    for (const id of ids) await daemon.until(id, ({ step }) => step === 'turn-off');
    expect((await daemon.client.outlets()).outlets.map(({ state }) => state)).toEqual(['on', 'on']);
    const told = ['pdu-1', 'switch-1'].map((name) => daemon.boards.get(name).told);
    expect(told).toEqual([[], []]);
    clock.pass(90_000);
    for (const id of ids) expect(await daemon.finished(id)).toMatchObject({ outcome: 'on' });
  });

  it('begins at once where it was started later, and where there is no jumphost', async () => {
    for (const [uptime, prepare] of [
      [120, write(alone)],
      [30, undefined],
    ] as const) {
      const clock = fakeClock(undefined, uptime);
      const daemon = await startDaemon({ yaml, clock, ...(prepare && { prepare }) });

      expect(
        await daemon.finished(await daemon.request('by-pdu', { offSeconds: 0.5 })),
      ).toMatchObject({ outcome: 'on' });
    }
  });

  it('switches nothing any more after another one has replaced it, and says so', async () => {
    const daemon = await startDaemon({ yaml, prepare: write(alone) });
    const id = await daemon.request('by-pdu', { offSeconds: 15 });
    await daemon.until(id, ({ step }) => step === 'off');
    const board = daemon.boards.get('pdu-1');
    board.told.length = 0;

    await write(retired)(daemon.stateDir);
    const failed = await daemon.finished(await daemon.request('by-switch', { offSeconds: 0.5 }));

    expect(failed).toMatchObject({
      outcome: 'failed',
      failedStep: 'turn-off',
      detail: expect.stringContaining(
        'outlets are not switched, because another jumphost (epoch 7) has replaced this one',
      ),
    });
    // What it had off is the other one's now, which has its journal.
    await waitUntil(async () =>
      (await reasons(daemon)).find((each) => each.startsWith('outlet pdu-1/1: stuck off')),
    );
    expect(board.told).toEqual([]);
    expect(await reasons(daemon)).toContain(
      'retired: outlets are not switched, because another jumphost (epoch 7) has replaced this one',
    );
  });

  it.for<[string, string, { mac: string; evidence?: string }, string, string]>([
    [
      'a machine in rack.yaml',
      ', mac: "02:00:00:00:00:02", uplink: switch-1/7',
      { mac: '02:00:00:00:00:02' },
      ' (by-switch at switch-1/7) is using the address of the jumphost; disconnect it',
      'machine="by-switch",port="switch-1/7",evidence=""',
    ],
    [
      'an unknown jumphost',
      '',
      { mac: '02:00:00:00:00:02', evidence: 'SSH host key' },
      ' is using the address of the jumphost, and its SSH host key proves that it is another jumphost of this rack, or relays to one',
      'machine="",port="",evidence="SSH host key"',
    ],
  ])('says for 15 minutes that %s had its address', async ([, entry, holder, text, labels]) => {
    const clock = fakeClock(undefined, 1000);
    const daemon = await startDaemon({
      yaml: yaml.replace('switch-1/1 }', `switch-1/1${entry} }`),
      clock,
      prepare: write({ ...alone, conflict: { ...holder, uptime: 990 } }),
    });
    const start = 'jumphost address: the computer with MAC address 02:00:00:00:00:02';
    await waitUntil(async () =>
      (await reasons(daemon)).find((each) => each.startsWith(`${start}${text}`)),
    );
    const metrics = async () => await (await fetch(`${daemon.metricsUrl}/metrics`)).text();
    expect(await metrics()).toContain(
      `skolo_power_jumphost_address_holder{mac="02:00:00:00:00:02",${labels}} 1`,
    );

    clock.pass(890_000);
    await waitUntil(async () => ((await reasons(daemon)).length === 0 ? true : undefined));
    expect(await metrics()).not.toContain('skolo_power_jumphost_address_holder{');
  });
});

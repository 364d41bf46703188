/** `acts: false`: everything is decided as usual, and nothing is switched. */

import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { checkRequest, whyNoLonger } from './rules/preconditions.ts';
import { findTarget } from './rules/targets.ts';
import { problem, rackYaml, startDaemon } from './testing/daemon.ts';
import { cycleRecord } from './testing/records.ts';
import { type RepairLab, startRepairLab } from './testing/repair-lab.ts';

function rackWith(acts = 'acts: false', own = ''): string {
  return `
${acts}
equipment:
  router: { model: edgeos, address: 127.0.2.9, ports: { ssh: 1 }, uplink: internet, power: switch-1/1 }
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: apc-rpdu, address: 127.0.2.3 }
  switch-2: { model: edgeswitch, address: 127.0.2.4, power: pdu-1/8 }
machines:
  a: { kind: host, offSeconds: 0.5, power: pdu-1/1${own} }
  b: { kind: host, offSeconds: 0.5, power: pdu-1/2 }
  poe: { kind: host, power: switch-2/1${own} }
  two: { kind: host, power: [pdu-1/6, pdu-2/6]${own} }
`;
}

const settings = '    repair: { enabled: true, tries: 2, internet: { enabled: true } }';
const why =
  '`acts: false` in rack.yaml prohibits this, so nothing was done; to let skolo act, set `acts: true`';

const told = ({ boards }: Pick<RepairLab, 'boards'>) =>
  ['switch-1', 'switch-2', 'pdu-1', 'pdu-2'].flatMap((name) => boards.get(name).told);

describe('automatic repair of what is only observed', () => {
  it('notes each cycle that it would have begun, with the usual pauses, and gives up as usual', async () => {
    const lab = await startRepairLab({ yaml: rackWith(), settings, cooldownSeconds: 300 });

    await lab.hear('a', 20);
    for (let minutes = 22; minutes < 70; minutes += 10) {
      await lab.after(9);
      await lab.hear('a', minutes);
    }
    const within = await lab.cycles();
    await lab.after(60);
    await lab.hear('a', 140);
    await lab.after(60);
    await lab.hear('a', 200);

    expect(within).toHaveLength(1);
    expect(await lab.cycles()).toMatchObject([
      { target: 'a', reason: 'missing; try 2', outcome: 'would-have', steps: [] },
      { target: 'a', by: 'repair', origin: 'repair', outcome: 'would-have', detail: why },
    ]);
    expect(await lab.needsAttention('a')).toContain('acts: false');
    const noted = lab.logged().filter(({ msg }) => msg === 'would have power-cycled');
    expect(noted).toMatchObject([{ target: 'a', by: 'repair' }, { target: 'a' }]);
    expect(told(lab)).toEqual([]);
    expect((await lab.client.cycles({ query: { outcome: 'back' } })).cycles).toEqual([]);
    expect((await lab.client.cycles({ query: { outcome: 'would-have' } })).cycles).toHaveLength(2);
  });

  it('begins anew once skolo acts, without pauses for what was only noted', async () => {
    const lab = await startRepairLab({ yaml: rackWith(), settings, cooldownSeconds: 300 });
    await lab.hear('a', 20);
    const before = await lab.cycles();

    await lab.edit(rackWith('acts: true'));
    await lab.hear('a', 22);
    await expect.poll(() => told(lab)).toEqual(['off 1', 'on 1 auto']);

    expect(before).toMatchObject([{ outcome: 'would-have' }]);
    expect((await lab.cycles())[0]).toMatchObject({ reason: 'missing; try 1' });
  });

  it('is of single machines, too', async () => {
    const lab = await startRepairLab({ yaml: rackWith('', ', acts: false'), settings });

    await lab.missing('a', 20);
    await lab.hear('b', 20);
    const outcomes = async () =>
      (await lab.cycles()).map(({ target, outcome }) => [target, outcome]).sort();
    await expect.poll(outcomes).toEqual([
      ['a', 'would-have'],
      ['b', 'on'],
    ]);

    expect(told(lab)).toEqual(['off 2', 'on 2 auto']);
  });

  it('notes the router of a dead internet connection once, with its usual pause', async () => {
    const lab = await startRepairLab({ yaml: rackWith(), settings });
    lab.router.isThere = false;

    await lab.after(1);
    for (let minutes = 0; minutes < 50; minutes += 5) await lab.after(5);

    expect(await lab.cycles()).toMatchObject([
      { target: 'router', origin: 'internet', outcome: 'would-have' },
    ]);
    expect(told(lab)).toEqual([]);
    // An alert reports each cycle of the router.
    expect(await lab.metrics()).toContain('skolo_power_repairs_total{outcome="internet"} 0');
  });
});

it.each([
  ['repair', 'would-have'],
  ['internet', 'would-have'],
  ['agent', 'would-have'],
  ['endpoint', 'rejected'],
  ['person', 'rejected'],
] as const)('what %s asks for ends as %s, and a queued one is not begun', (origin, is) => {
  const rack = parseRack(rackYaml(rackWith()), { file: '/rack.yaml' });
  const target = findTarget(rack, 'a');
  if (target === undefined) throw new RangeError('a');
  const none = new Map<string, never>();
  const snapshot = {
    ...{ rack, now: 0, uptime: 10_000, holds: [], active: [], past: [] },
    ...{
      switchedOff: none,
      pendingOns: none,
      descriptions: none,
      failing: none,
      cyclesNatively: () => false,
    },
  };
  const ask = { action: 'cycle', mode: 'hard', force: false } as const;

  expect(checkRequest(target, ask, snapshot, origin).is).toBe(is);
  expect(whyNoLonger(target, cycleRecord({ target: 'a', origin }), snapshot)).toBe(`a: ${why}`);
});

describe('orders for what is only observed', () => {
  it('are rejected with the reason', async () => {
    const daemon = await startDaemon({ yaml: rackWith() });
    const cycle = daemon.client.requestCycles({ body: { machines: ['a'], reason: 'dead' } });

    expect(await problem(cycle)).toMatchObject({
      status: 409,
      detail: `a: ${why}`,
      rejected: [{ target: 'a', code: 'observed' }],
    });
    for (const target of ['a', 'router', 'switch-2', 'pdu-1/9', 'pdu-1/1']) {
      for (const state of ['off', 'on'] as const) {
        expect((await problem(daemon.turn(state, target))).detail).toContain(why);
      }
    }
    expect(told(daemon)).toEqual([]);
    expect((await daemon.client.cycles({ query: {} })).cycles).toEqual([]);
  });

  it('are also rejected for outlets that power an observed machine, and for no others', async () => {
    const daemon = await startDaemon({ yaml: rackWith('', ', acts: false') });
    const off = (target: string) => problem(daemon.turn('off', target, { force: true }));

    expect((await off('switch-2')).detail).toContain(
      'the outlet also powers poe, for which `acts: false` in rack.yaml',
    );
    expect((await off('pdu-2/6')).detail).toContain(
      'the outlet also powers two, for which `acts: false` in rack.yaml',
    );
    expect(await daemon.turn('off', 'b')).toMatchObject({ outcome: 'off' });
    // Its machines lose the network, not their power.
    expect(await daemon.turn('off', 'router', { force: true })).toMatchObject({ outcome: 'off' });
  });

  it('leave what was accepted before undone, but turn on what is off', async () => {
    const settings = '    readSeconds: 5\n    probeSeconds: { first: 0.1, most: 1 }';
    const daemon = await startDaemon({ yaml: rackWith('acts: true'), settings });
    const pdu = daemon.boards.get('pdu-1');
    const off = await daemon.turn('off', 'b');
    pdu.ignores = 'on';
    const id = await daemon.request('a');
    await daemon.until(id, ({ step }) => step === 'turn-on');

    await daemon.edit(rackWith());
    pdu.ignores = undefined;
    pdu.outlets.set('2', true);

    await expect.poll(() => pdu.outlets.isOn('1')).toBe(true);
    await expect
      .poll(() => daemon.logged().find(({ why: text }) => text === why))
      .toMatchObject({ msg: 'outlet left on, although an operator turned it off' });
    expect(off.outcome).toBe('off');
    expect(pdu.outlets.isOn('2')).toBe(true);
  });
});

/** Relays that move others: linked by a setting of the device, or by somebody at its buttons. */
import { loadDrivers } from '@skolo/equipment/models/load';
import { OutletBoard, startTasmota } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { boardEquipment, startDaemon, boardRack as yaml } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';

/** When `outlet` is turned `on`, `other` turns `becomes`. */
function link(board: OutletBoard, outlet: string, on: boolean, other: string, becomes: boolean) {
  board.on('change', (change) => {
    if (change.outlet === outlet && change.on === on) board.set(other, becomes);
  });
}

const who = /^(\S+) turned (\w+) when (\S+) was switched, which nobody requested; check whether/;

describe('an outlet that moves another one', () => {
  it.each([
    { machine: 'b', outlet: 'pdu-1/1', when: 'on', other: '2', step: 'turn-on' },
    // It is found once the power is on again.
    { machine: 'b', outlet: 'pdu-1/1', when: 'off', other: '24', step: 'turn-on' },
    { machine: 'c', outlet: 'pdu-2/2', when: 'on', other: '3', step: 'turn-on' },
    // It cycles by itself.
    { machine: 'a', outlet: 'switch-1/1', when: 'on', other: '7', step: 'turn-off' },
    { machine: 'd', outlet: 'pdu-2/3', when: 'off', other: '8', step: 'turn-off' },
  ])('$outlet turned $when fails the cycle, with its own power on', async (its) => {
    const daemon = await startDaemon({ yaml });
    const [name = '', outlet = ''] = its.outlet.split('/');
    const { outlets } = daemon.boards.get(name);
    link(outlets, outlet, its.when === 'on', its.other, false);

    const cycle = await daemon.finished(await daemon.request(its.machine));

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: its.step });
    expect(who.exec(cycle.detail ?? '')?.slice(1)).toEqual([
      `${name}/${its.other}`,
      'off',
      its.outlet,
    ]);
    expect([outlets.isOn(outlet), outlets.isOn(its.other)]).toEqual([true, false]);
  });

  it('fails an order, which remains in effect', async () => {
    const daemon = await startDaemon({ yaml });
    const { outlets } = daemon.boards.get('pdu-1');
    link(outlets, '1', false, '2', false);

    const off = await daemon.turn('off', 'b');
    const listed = await daemon.outlet('pdu-1/1');
    link(outlets, '1', true, '2', true);
    const on = await daemon.turn('on', 'b');

    expect(off).toMatchObject({ outcome: 'failed', failedStep: 'turn-off' });
    expect(listed).toMatchObject({ state: 'off', switchedOff: { by: daemon.who } });
    expect(on.detail).toMatch(/^pdu-1\/2 turned on when pdu-1\/1 was switched/);
    expect(outlets.isOn('1')).toBe(true);
  });

  it('is noticed on a stack, whose outlets are not counted, by the phone on the other one', async () => {
    const daemon = await startDaemon({
      yaml: `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1, stack: true }
machines:
  a: { kind: rpi, power: switch-1/1/0/1, device: { kind: android, power: switch-1/2/0/1 } }
`,
    });
    const outlets = new OutletBoard([
      ['1/0/1', { on: false, watts: 5 }],
      ['2/0/1', { on: true, watts: 5 }],
    ]);
    daemon.boards.get('switch-1').outlets = outlets;
    link(outlets, '1/0/1', true, '2/0/1', false);

    const { detail } = await daemon.turn('on', 'a');

    expect(detail).toMatch(/^switch-1\/2\/0\/1 turned off when switch-1\/1\/0\/1 was switched/);
  });

  it('names all of them, a few by name', async () => {
    const daemon = await startDaemon({ yaml });
    const { outlets } = daemon.boards.get('pdu-1');
    for (const other of ['3', '4', '5', '6', '7']) link(outlets, '1', true, other, false);

    const cycle = await daemon.finished(await daemon.request('b'));

    expect(cycle.detail).toMatch(/^pdu-1\/3 turned off, .*pdu-1\/5 turned off and 2 more when/);
  });
});

it("relays that Tasmota's Interlock turns off are named, through its own driver", async () => {
  const plug = await startTasmota({ outlets: 2, interlock: ['1', '2'], secondMs: 20 });
  onTestFinished(() => plug.close());
  const daemon = await startDaemon({
    yaml: `
equipment:
  plug-1: { model: tasmota, address: 127.0.0.1, ports: { http: ${plug.port} }, outlets: 2 }
machines:
  a: { kind: host, power: plug-1/1, offSeconds: 1 }
`,
    drivers: await loadDrivers(),
  });
  plug.board.set('1', false);

  const { detail, failedStep } = await daemon.turn('on', 'a');

  expect(failedStep).toBe('turn-on');
  expect(detail).toMatch(/^plug-1\/2 turned off when plug-1\/1 was switched, which nobody/);
  expect(plug.board.isOn('1')).toBe(true);
});

describe('no false alarm', () => {
  it('by other cycles of the device at the same time', async () => {
    const daemon = await startDaemon({ yaml });
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, at) => daemon.request(`e-${at + 1}`)),
    );

    const cycles = await Promise.all(ids.map((id) => daemon.finished(id)));

    expect(cycles.map(({ outcome }) => outcome)).toEqual(Array(8).fill('on'));
  });

  it('by what changed before the cycle, or after it', async () => {
    const daemon = await startDaemon({ yaml });
    const { outlets } = daemon.boards.get('pdu-1');
    await waitUntil(async () => {
      const outlet = await daemon.outlet('pdu-1/2');
      return outlet?.state === 'on' ? true : undefined;
    });

    outlets.set('2', false);
    const first = await daemon.finished(await daemon.request('b'));
    outlets.set('3', false);
    const second = await daemon.finished(await daemon.request('e-1'));

    expect([first.outcome, second.outcome]).toEqual(['on', 'on']);
  });

  it('by what the last process had the device do', async () => {
    const native = `${boardEquipment}machines:
  m-[1-3]: { kind: host, power: 'switch-1/[1-3]', offSeconds: 20 }
  m-4: { kind: host, power: switch-1/4, offSeconds: 0.5 }
`;
    const settings = '    atOncePerController: 3';
    const first = await startDaemon({ yaml: native, settings });
    const { outlets } = first.boards.get('switch-1');
    // Without a verified on, one would follow the other.
    await first.finished(await first.request('m-4'));
    const ids = await Promise.all(['m-1', 'm-2', 'm-3'].map((name) => first.request(name)));
    await waitUntil(async () => (['1', '2', '3'].some((one) => outlets.isOn(one)) ? undefined : 1));
    await first.stop();
    // The first comparison sees the others off. The second one is turned on by the device while the third waits.
    link(outlets, '2', true, '3', true);

    const second = await startDaemon({ yaml: native, settings, previous: first });
    const cycles = await Promise.all(ids.map((id) => second.finished(id)));

    expect(cycles.map(({ detail }) => detail)).not.toContainEqual(
      expect.stringContaining('which nobody requested'),
    );
    expect(outlets.isOn('3')).toBe(true);
  });

  it('by a device that has fewer outlets than rack.yaml assumes', async () => {
    const daemon = await startDaemon({ yaml });
    const few = Array.from(
      { length: 8 },
      (_, at) => [`${at + 1}`, { on: true, watts: 5 }] as const,
    );
    daemon.boards.get('pdu-1').outlets = new OutletBoard(few);

    const cycle = await daemon.finished(await daemon.request('b'));

    expect(cycle.outcome).toBe('on');
    expect(cycle.steps.map(({ text }) => text)).not.toContainEqual(
      expect.stringContaining('could not be compared'),
    );
  });
});

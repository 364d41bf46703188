import { describe, expect, it, vi } from 'vitest';
import { patient } from '../testing/outlets.ts';
import { startDriver } from '../testing/snmp.ts';
import { setup } from './proof.ts';

const admin = '1.3.6.1.2.1.105.1.1.1.3';
const detection = '1.3.6.1.2.1.105.1.1.1.6';

describe('snmp-poe', () => {
  it.for([
    ['5', '1.5'],
    ['24', '1.24'],
    ['2.5', '2.5'],
    ['1.5', '1.5'],
  ] as const)('finds port %s at %s', async ([outlet, index]) => {
    const { device, driver } = await startDriver(setup);

    await driver.turnOff(outlet, patient());
    const readings = await driver.read([outlet], patient());

    expect([...readings]).toEqual([[outlet, { state: 'off', delivering: false }]]);
    expect(device.received.map(({ text }) => text)).toEqual([
      `set ${admin}.${index}=2`,
      `get ${admin}.${index}`,
      `get ${detection}.${index}`,
    ]);
  });

  it('tells what is set from what flows', async () => {
    const { device, driver } = await startDriver(setup);
    device.board.set('5', false);
    device.board.setWatts('6', 0);
    const read = async (port: string) => (await driver.read([port], patient())).get(port);

    await driver.turnOn('5', {}, patient());
    const searching = await read('5');
    const empty = await read('6');

    expect(searching).toEqual({ state: 'on', delivering: false });
    expect(empty).toEqual({ state: 'on', delivering: false });
    await vi.waitFor(async () =>
      expect(await read('5')).toEqual({ state: 'on', delivering: true }),
    );
  });

  it('waits for a switch that is busy with what it was told', async () => {
    const { device, driver } = await startDriver(setup, undefined, { setMs: 1500 });

    await driver.turnOff('5', patient());

    expect(device.board.isOn('5')).toBe(false);
    expect(device.received).toHaveLength(1);
  });

  it('reads all ports of a stack in few requests', async () => {
    const { device, driver } = await startDriver(setup);

    const readings = await driver.read(device.board.names(), patient());

    expect([...readings.keys()]).toEqual(device.board.names());
    expect(device.received).toHaveLength(6);
    expect(device.sessions.opened).toBe(1);
  });

  it('has no cycle of its own, and tells no watts', async () => {
    const { driver } = await startDriver(setup);

    expect(driver.nativeCycle).toBeUndefined();
    expect((await driver.read(['5'], patient())).get('5')).not.toHaveProperty('watts');
  });
});

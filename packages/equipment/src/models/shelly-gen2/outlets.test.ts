import { startShellyGen1, startShellyGen2 } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import {
  cyclesByItself,
  driverFor,
  isNoSuccess,
  patient,
  startDriver,
  switchesOutlets,
} from '../testing/http.ts';
import { withSwitches } from './proof.ts';

describe('shelly-gen2', () => {
  const between = { 0: { state: 'on', watts: 4 }, 1: { state: 'off', watts: 0 } } as const;
  switchesOutlets(withSwitches(2), '1', between);
  cyclesByItself(withSwitches(2), '1', '"params":{"id":1,"on":false,"toggle_after":10}');

  it('reports model, firmware, and switches that stay off after a power failure', async () => {
    const more = { initialStates: ['off', 'on'], switchNames: ['', 'rpi-002'] };
    const { driver } = await startDriver(withSwitches(2, more));

    expect(await driver.report?.(['0', '1'], patient())).toEqual({
      hardware: 'SPSW-004PE16EU',
      firmware: '1.4.4',
      outlets: new Map([
        ['0', { name: '', staysOff: 'initial_state is off' }],
        ['1', { name: 'rpi-002' }],
      ]),
    });
  });

  it('reports switches that move shutters, which it then does not have', async () => {
    const setup = withSwitches(2, { profile: 'cover' });
    const { driver } = await startDriver({ ...setup, options: { outlets: 1 } });

    expect((await driver.report?.(['0'], patient()))?.linked).toBe('profile is cover');
  });

  it('needs no login where the device wants none', async () => {
    const { device, driver } = await startDriver({
      ...withSwitches(1),
      start: () => startShellyGen2(),
      login: {},
    });

    await driver.turnOff('0', patient());

    expect(device.received).toHaveLength(1);
    expect(device.board.isOn('0')).toBe(false);
  });

  it('tells no watts where the device measures none', async () => {
    const { driver } = await startDriver(withSwitches(2, { meters: false }));

    expect([...(await driver.read(['0'], patient()))]).toEqual([['0', { state: 'on' }]]);
  });

  it('reports a device with more switches than rack.yaml says', async () => {
    const { driver } = await startDriver({ ...withSwitches(2), options: { outlets: 1 } });

    await expect(driver.report?.(['0'], patient())).rejects.toThrow(/has 2 switches/);
  });

  it('tells the error of a frame', async () => {
    const { driver } = await startDriver({ ...withSwitches(1), options: { outlets: 2 } });

    await expect(driver.turnOff('1', patient())).rejects.toThrow(/value 1 not found! \(-105\)/);
  });

  it('does not speak to a Shelly of another generation', async () => {
    const { driver } = await startDriver({ ...withSwitches(1), start: () => startShellyGen1() });

    await expect(driver.turnOff('0', patient())).rejects.toThrow(/status 404/);
  });

  isNoSuccess(withSwitches(1), '0', [
    { id: 7, result: { was_on: true } },
    { id: 1, result: null },
    { id: 1, result: { method: 'Switch.Set' } },
    { result: { was_on: true } },
  ]);

  it('reads no switch that tells of another one', async () => {
    const result = { 'switch:0': { id: 1, output: true } };
    const driver = await driverFor(withSwitches(1), { id: 1, result });

    expect((await driver.read(['0'], patient())).get('0')).toEqual({ state: 'unknown' });
  });
});

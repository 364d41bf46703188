import { DeviceRejected } from '@skolo/equipment/transports';
import { startShellyGen2 } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import {
  cyclesByItself,
  driverFor,
  isNoSuccess,
  patient,
  startDriver,
  switchesOutlets,
} from '../testing/http.ts';
import { withRelays } from './proof.ts';

describe('shelly-gen1', () => {
  const between = { 0: { state: 'on', watts: 4 }, 1: { state: 'off', watts: 0 } } as const;
  const read = ['GET /shelly', 'GET /status'];
  switchesOutlets(withRelays(2), '1', between, [
    'GET /relay/1?turn=off',
    ...read,
    'GET /relay/1?turn=on',
  ]);
  cyclesByItself(withRelays(2), '1', 'GET /relay/1?turn=off&timer=10');

  it('reports model, firmware, and relays that stay off after a power failure', async () => {
    const more = { defaultStates: ['last', 'off'], relayNames: ['rpi-001'] };
    const { driver } = await startDriver(withRelays(2, more));

    expect(await driver.report?.(['0', '1'], patient())).toEqual({
      hardware: 'SHSW-25',
      firmware: 'v1.14.0-gcb84623',
      outlets: new Map([
        ['0', { name: 'rpi-001' }],
        ['1', { staysOff: 'default_state is off' }],
      ]),
    });
  });

  it('reports relays that move shutters', async () => {
    const { driver } = await startDriver(withRelays(2, { mode: 'roller' }));

    expect((await driver.report?.(['0', '1'], patient()))?.linked).toBe('mode is roller');
  });

  it('tells no watts where one meter measures all relays', async () => {
    const { driver } = await startDriver(withRelays(2, { meters: 1 }));

    expect([...(await driver.read(['0'], patient()))]).toEqual([['0', { state: 'on' }]]);
  });

  it('reports a device with more relays than rack.yaml says', async () => {
    const { driver } = await startDriver({ ...withRelays(2), options: { outlets: 1 } });

    await expect(driver.report?.(['0'], patient())).rejects.toThrow(/has 2 relays/);
  });

  it('does not speak to a Shelly of another generation', async () => {
    const { driver } = await startDriver({ ...withRelays(1), start: () => startShellyGen2() });

    await expect(driver.read(['0'], patient())).rejects.toThrow(/use the model shelly-gen2/);
  });

  isNoSuccess(withRelays(1), '0', [
    { ison: true, has_timer: false },
    { ison: 'false', has_timer: false },
    { turn: 'off' },
  ]);

  it('does not believe in a timer that the device does not tell of', async () => {
    const driver = await driverFor(withRelays(1), { ison: false, has_timer: false });

    await driver.turnOff('0', patient());
    await expect(driver.nativeCycle?.run('0', 5, patient())).rejects.toThrow(DeviceRejected);
  });
});

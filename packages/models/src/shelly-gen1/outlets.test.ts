import { DeviceRejected } from '@skolo/equipment';
import { type ShellyGen1Options, startShellyGen1, startShellyGen2 } from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import {
  driverFor,
  meetsFaults,
  patient,
  rejectsWrongPassword,
  type Setup,
  startDriver,
} from '../testing/http.ts';
import { outlets as shellyGen1 } from './shelly-gen1.ts';

const account = { username: 'admin', password: 'joker' };

function withRelays(outlets: number, more: ShellyGen1Options = {}): Setup {
  const start = () => startShellyGen1({ outlets, account, secondMs: 5, ...more });
  return { kind: shellyGen1, start, options: { outlets }, login: account };
}

describe('shelly-gen1', () => {
  it('turns single relays off and on, and reads them back with what they draw', async () => {
    const { device, driver } = await startDriver(withRelays(2));

    await driver.turnOff('1', patient());
    const between = await driver.read(['0', '1'], patient());
    await driver.turnOn('1', undefined, patient());

    expect([...between]).toEqual([
      ['0', { state: 'on', watts: 4 }],
      ['1', { state: 'off', watts: 0 }],
    ]);
    expect(device.board.isOn('1')).toBe(true);
    expect(device.received.map(({ text }) => text)).toEqual([
      'GET /relay/1?turn=off',
      'GET /shelly',
      'GET /status',
      'GET /relay/1?turn=on',
    ]);
  });

  it('lets the device do off, wait and on', async () => {
    const { device, driver } = await startDriver(withRelays(2));

    await driver.nativeCycle?.run('1', 10, patient());

    expect(device.received.at(-1)?.text).toBe('GET /relay/1?turn=off&timer=10');
    await vi.waitFor(() => expect(device.board.isOn('1')).toBe(true), 20_000);
  });

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

  it('tells no watts where one meter measures all relays', async () => {
    const { driver } = await startDriver(withRelays(2, { meters: 1 }));

    expect([...(await driver.read(['0'], patient()))]).toEqual([['0', { state: 'on' }]]);
  });

  it('does not believe a device with more relays than rack.yaml says', async () => {
    const { driver } = await startDriver({ ...withRelays(2), options: { outlets: 1 } });

    await expect(driver.read(['0'], patient())).rejects.toThrow(/has 2 relays/);
  });

  it('does not speak to a Shelly of another generation', async () => {
    const { driver } = await startDriver({ ...withRelays(1), start: () => startShellyGen2() });

    await expect(driver.read(['0'], patient())).rejects.toThrow(/use the model shelly-gen2/);
  });

  it.each([{ ison: true, has_timer: false }, { ison: 'false', has_timer: false }, { turn: 'off' }])(
    'does not take %o for success',
    async (answer) => {
      const driver = await driverFor(withRelays(1), answer);

      await expect(driver.turnOff('0', patient())).rejects.toThrow(DeviceRejected);
    },
  );

  it('does not believe in a timer that the device does not tell of', async () => {
    const driver = await driverFor(withRelays(1), { ison: false, has_timer: false });

    await driver.turnOff('0', patient());
    await expect(driver.nativeCycle?.run('0', 5, patient())).rejects.toThrow(DeviceRejected);
  });

  meetsFaults(withRelays(2), '1', ['2', '01', '0?turn=off', '-1']);
  rejectsWrongPassword(withRelays(2), '1');
});

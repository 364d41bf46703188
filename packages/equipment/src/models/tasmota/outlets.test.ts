import { DeviceBusy, DeviceRejected, SignInRejected } from '@skolo/equipment/transports';
import { describe, expect, it, vi } from 'vitest';
import {
  driverFor,
  isNoSuccess,
  patient,
  rejectsWrongPassword,
  startDriver,
  switchesOutlets,
} from '../testing/http.ts';
import { withRelays } from './proof.ts';

describe('tasmota', () => {
  const between = { 1: { state: 'on', watts: 4 }, 2: { state: 'off', watts: 0 } } as const;
  switchesOutlets(withRelays(2), '2', between, [
    'GET /cm?cmnd=Power2 OFF',
    'GET /cm?cmnd=StateText1',
    'GET /cm?cmnd=StateText2',
    'GET /cm?cmnd=State',
    'GET /cm?cmnd=Status 10',
    'GET /cm?cmnd=Power2 ON',
  ]);

  it.each([{}, { setOption26: true }])('knows one relay alone by either name: %o', async (kind) => {
    const { driver } = await startDriver(withRelays(1, kind));

    await driver.turnOff('1', patient());

    expect([...(await driver.read(['1'], patient()))]).toEqual([['1', { state: 'off', watts: 0 }]]);
  });

  it.each(['together', 'none'] as const)('tells no watts where meters are %s', async (meters) => {
    const { driver } = await startDriver(withRelays(2, { meters }));

    expect([...(await driver.read(['1'], patient()))]).toEqual([['1', { state: 'on' }]]);
  });

  it.each([
    [0, 'PowerOnState is 0 (off)', false],
    [1, undefined, true],
    [2, 'PowerOnState is 2 (toggle)', false],
    [3, undefined, true],
  ])(
    'reports what stays off after a power failure: PowerOnState %d',
    async (powerOnState, why, isOn) => {
      const { device, driver } = await startDriver(withRelays(2, { powerOnState }));

      const report = await driver.report?.(['1', '2'], patient());
      await device.reboot();

      expect(report).toEqual({
        hardware: 'ESP8285N08',
        firmware: '13.1.0(release-tasmota)',
        outlets: new Map([
          ['1', { staysOff: why }],
          ['2', { staysOff: why }],
        ]),
      });
      expect(device.board.isOn('1')).toBe(isOn);
    },
  );

  it('reports relays that turn each other off', async () => {
    const { driver } = await startDriver(withRelays(2, { interlock: ['1', '2'] }));

    const report = await driver.report?.(['1', '2'], patient());

    expect(report?.linked).toBe('Interlock is ON for relays 1,2');
  });

  it.each([false, true])('lets the plug do off, wait and on (older answer: %s)', async (old) => {
    const { device, driver } = await startDriver(withRelays(2, { warnsOfNoAnswer: old }));
    const off = vi.fn();
    device.board.once('change', off);

    await driver.nativeCycle?.run('2', 5, patient());

    expect(device.received.at(-1)?.text).toBe(
      'GET /cm?cmnd=Backlog Power2 OFF; Delay 50; Power2 ON',
    );
    await vi.waitFor(() => expect(off).toHaveBeenCalledWith({ outlet: '2', on: false }));
    await vi.waitFor(() => expect(device.board.isOn('2')).toBe(true));
  });

  it('does not let a relay be cycled that would go off again', async () => {
    const { device, driver } = await startDriver(withRelays(2));
    const query = 'cmnd=PulseTime2%20110&user=admin&password=joker';
    await fetch(`http://${device.host}:${device.port}/cm?${query}`);

    const cycle = driver.nativeCycle?.run('2', 5, patient());

    await expect(cycle).rejects.toThrow(/PulseTime2 is 110/);
    expect(device.board.isOn('2')).toBe(true);
  });

  it('does not queue a cycle behind another one', async () => {
    const { device, driver } = await startDriver(withRelays(2, { secondMs: 1000 }));

    await driver.nativeCycle?.run('1', 360, patient());
    await vi.waitFor(() => expect(device.board.isOn('1')).toBe(false));

    await expect(driver.nativeCycle?.run('2', 5, patient())).rejects.toThrow(DeviceBusy);
  });

  it('does not take the state of another relay for its own', async () => {
    const { driver } = await startDriver({ ...withRelays(1), options: { outlets: 2 } });

    await expect(driver.turnOff('1', patient())).rejects.toThrow(
      /does not confirm that relay 1 is OFF/,
    );
    await expect(driver.turnOff('2', patient())).rejects.toThrow(/does not support Power2 OFF/);
    expect((await driver.read(['1'], patient())).get('1')).toMatchObject({ state: 'unknown' });
    await expect(driver.report?.(['1'], patient())).rejects.toThrow(
      /has 1 relay, but `outlets` is 2/,
    );
  });

  it('takes the warning of older firmware for what it is', async () => {
    const setup = { ...withRelays(2, { rejectionstatus: 200 }), login: {} };
    const { driver } = await startDriver(setup);

    await expect(driver.read(['1'], patient())).rejects.toThrow(SignInRejected);
    await expect(driver.turnOff('1', patient())).rejects.not.toThrow(DeviceRejected);
  });

  isNoSuccess(withRelays(2), '1', [
    {},
    { POWER2: 'OFF' },
    { POWER: 'OFF' },
    { POWER1: 'ON' },
    { cmnd: 'Power1 OFF', POWER10: 'OFF' },
    { WARNING: 'Enable weblog 2 if response expected' },
  ]);

  it.each([
    [['aus', 'an']],
    [['Off', 'On']],
    [['0', '1']],
    [['ON', 'OFF']],
    [['ein', 'ON']],
  ] as const)('understands other words for off and on: %j', async (stateText) => {
    const { device, driver } = await startDriver(
      withRelays(2, { stateText, interlock: ['1', '2'] }),
    );
    const states = async () =>
      [...(await driver.read(['1', '2'], patient())).values()].map(({ state }) => state);

    expect(await states()).toEqual(['on', 'on']);
    await driver.turnOff('1', patient());
    expect(await states()).toEqual(['off', 'on']);
    await driver.turnOn('1', {}, patient());
    expect(await states()).toEqual(['on', 'off']);
    expect((await driver.report?.(['1'], patient()))?.linked).toMatch(/Interlock/);
    expect(device.received.filter(({ text }) => text.includes('StateText'))).toHaveLength(2);
  });

  it('notices words that were changed meanwhile', async () => {
    const stateText: [string, string] = ['OFF', 'ON'];
    const { driver } = await startDriver(withRelays(1, { stateText }));
    const state = async () => (await driver.read(['1'], patient())).get('1')?.state;

    expect(await state()).toBe('on');
    stateText.splice(0, 2, 'zu', 'offen');
    expect(await state()).toBe('on');
  });

  it('takes the same word for both for neither', async () => {
    const { driver } = await startDriver(withRelays(1, { stateText: ['x', 'x'] }));

    expect((await driver.read(['1'], patient())).get('1')?.state).toBe('unknown');
  });

  it('reads no state that is neither on nor off', async () => {
    const driver = await driverFor(withRelays(2), { POWER1: 'BLINK', POWER2: 'ON' });

    const readings = await driver.read(['1', '2'], patient());
    expect([...readings.values()].map(({ state }) => state)).toEqual(['unknown', 'on']);
  });
  rejectsWrongPassword(withRelays(2, { rejectionstatus: 200 }), '2');
});

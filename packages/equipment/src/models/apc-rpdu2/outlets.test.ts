import { apcRpdu2Model, startApcRpdu2 } from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import { patient } from '../testing/outlets.ts';
import { bothAgents, logins, type SnmpSetup, startDriver } from '../testing/snmp.ts';
import { pdu, setup } from './proof.ts';

const metered: SnmpSetup = {
  ...setup,
  start: (options) => startApcRpdu2({ ...options, ...pdu, metered: true, watts: 46 }),
  model: () => apcRpdu2Model({ ...pdu, metered: true, watts: 46 }),
};

describe('apc-rpdu2', () => {
  it('writes 2 for off where it reads 1 for off', async () => {
    const { device, driver } = await startDriver(setup);

    await driver.turnOff('3', patient());
    await driver.turnOn('3', {}, patient());
    await driver.read(['3'], patient());

    expect(device.received.map(({ text }) => text)).toEqual([
      'set 1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.3=2',
      'set 1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.3=1',
      'get 1.3.6.1.4.1.318.1.1.26.9.2.3.1.5.3',
      'get 1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.3',
    ]);
  });

  it.for(['v1', 'v2c', 'sha'] as const)(
    'reads watts where outlets have meters, and none elsewhere (%s)',
    async (who) => {
      const [measured, plain] = [
        await startDriver(metered, logins[who]),
        await startDriver(setup, logins[who]),
      ];
      measured.device.board.set('2', false);
      const outlets = measured.device.board.names();

      const told = await measured.driver.read(outlets, patient());
      const untold = await plain.driver.read(outlets, patient());

      expect(told.get('1')).toEqual({ state: 'on', watts: 46 });
      expect(told.get('2')).toEqual({ state: 'off', watts: 0 });
      expect(untold.get('1')).toEqual({ state: 'on' });
      expect(measured.device.received.length).toBeLessThanOrEqual(4);
      expect(measured.device.sessions.opened).toBe(1);
    },
  );

  const configured = {
    ...pdu,
    rebootSeconds: 7,
    outletNames: { 2: 'rpi-002' },
    powerOnTimes: { 1: 60, 2: -1 },
  };
  const own: SnmpSetup = {
    ...setup,
    start: (options) => startApcRpdu2({ ...options, ...configured }),
    model: () => apcRpdu2Model(configured),
  };
  it.for(bothAgents(own, logins.sha))(
    'reads names, delays and the off time from %s',
    async ([, start], context) => {
      const { driver } = await start(context);

      const report = await driver.report?.(['1', '2'], patient());

      expect([...(report?.outlets ?? [])]).toEqual([
        ['1', { name: 'Outlet 1', staysOff: undefined, cycleSeconds: 7 }],
        ['2', { name: 'rpi-002', staysOff: 'the power-on delay is "never"', cycleSeconds: 7 }],
      ]);
    },
  );

  it('reports that no outlet gets power after a cold start', async () => {
    const never = { ...pdu, coldstartDelay: -1 };
    const start = (options: object) => startApcRpdu2({ ...options, ...never });
    const { device, driver } = await startDriver({ ...setup, start });

    const report = await driver.report?.(['1', '24'], patient());

    expect([...(report?.outlets ?? [])].map(([, { staysOff }]) => staysOff)).toEqual([
      'the cold start delay is "never"',
      'the cold start delay is "never"',
    ]);
    expect(device.received.filter(({ text }) => text.startsWith('set'))).toEqual([]);
  });

  it('does not take -1 W for a measurement', async () => {
    const { device, driver } = await startDriver(metered);
    device.board.setWatts('1', -1);

    expect((await driver.read(['1'], patient())).get('1')).toEqual({ state: 'on' });
  });

  it.for(bothAgents(setup, logins.v2c))(
    'has %s cycle an outlet, for as long as is set there',
    async ([, start], context) => {
      const { device, driver } = await start(context);
      const changes: unknown[] = [];
      device.board.on('change', (change) => changes.push(change));

      await driver.nativeCycle?.run('3', 5, patient());

      expect(driver.nativeCycle?.offSeconds).toBe('fixed');
      expect(device.board.isOn('3')).toBe(false);
      await vi.waitFor(() => expect(device.board.isOn('3')).toBe(true));
      expect(changes).toEqual([
        { outlet: '3', on: false },
        { outlet: '3', on: true },
      ]);
      expect(device.received).toHaveLength(1);
    },
  );
});

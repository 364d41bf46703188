import { apcRpduModel, readSnmprec, startApcRpdu, startSnmpRecording } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { patient } from '../testing/outlets.ts';
import { bothAgents, driverAt, logins, type SnmpSetup, startDriver } from '../testing/snmp.ts';
import { setup } from './proof.ts';

describe('apc-rpdu', () => {
  it('writes to the one object of the outlet, and reads the state beside it', async () => {
    const { device, driver } = await startDriver(setup);

    await driver.turnOff('3', patient());
    await driver.read(['3'], patient());

    expect(device.received.map(({ text }) => text)).toEqual([
      'set 1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.3=2',
      'get 1.3.6.1.4.1.318.1.1.12.3.5.1.1.4.3',
    ]);
  });

  it('reads what an AP7900 answered', async () => {
    // From networkupstools/nut, `drivers/apc-pdu-mib.c`, whose comments are a walk of this PDU.
    const rows = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((outlet) => [
      `1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.${outlet}|2|1`,
      `1.3.6.1.4.1.318.1.1.12.3.4.1.1.2.${outlet}|4|${outlet === 2 ? 'Testing 2' : `Outlet ${outlet}`}`,
      `1.3.6.1.4.1.318.1.1.12.3.4.1.1.4.${outlet}|2|0`,
      `1.3.6.1.4.1.318.1.1.12.3.5.1.1.4.${outlet}|2|1`,
    ]);
    const recorded = readSnmprec(['1.3.6.1.4.1.318.1.1.12.3.1.2.0|2|0', ...rows].join('\n'));
    const device = await startSnmpRecording(recorded);
    onTestFinished(() => device.close());
    const driver = driverAt({ ...setup, options: { outlets: 8 } }, device, logins.v2c);

    const readings = await driver.read(['1', '2', '8'], patient());
    const report = await driver.report?.(['2', '8'], patient());

    expect([...readings.values()].map(({ state }) => state)).toEqual(['on', 'on', 'on']);
    expect([...(report?.outlets ?? [])]).toEqual([
      ['2', { name: 'Testing 2' }],
      ['8', { name: 'Outlet 8' }],
    ]);
  });

  it.for(['v1', 'v2c', 'sha'] as const)(
    'reads all outlets in few requests of one session (%s)',
    async (who) => {
      const { device, driver } = await startDriver(setup, logins[who]);
      device.board.set('20', false);

      const readings = await driver.read(device.board.names(), patient());

      expect([...readings.keys()]).toEqual(device.board.names());
      expect([...readings].filter(([, { state }]) => state === 'off')).toEqual([
        ['20', { state: 'off' }],
      ]);
      expect(device.received).toHaveLength(2);
      expect(device.sessions.opened).toBe(1);
    },
  );

  it.for(['v1', 'v2c'] as const)(
    'asks for less at once when the device says that it is too much (%s)',
    async (who) => {
      const { device, driver } = await startDriver(setup, logins[who], { room: 150 });

      const readings = await driver.read(device.board.names(), patient());

      expect(readings.size).toBe(24);
    },
  );

  const configured = { outlets: 2, powerOnTimes: { 2: -1 }, outletNames: { 1: 'rpi-001' } };
  const own: SnmpSetup = {
    ...setup,
    start: (options) => startApcRpdu({ ...options, ...configured }),
    model: () => apcRpduModel(configured),
  };
  it.for(bothAgents(own, logins.sha))(
    'reads what stays off after a power failure from %s',
    async ([, start], context) => {
      const { driver } = await start(context);

      const report = await driver.report?.(['1', '2'], patient());

      expect([...(report?.outlets ?? [])]).toEqual([
        ['1', { name: 'rpi-001' }],
        ['2', { name: 'Outlet 2', staysOff: 'the power-on delay is "never"' }],
      ]);
    },
  );

  it('has no cycle of its own: it might leave an outlet off', async () => {
    const { driver } = await startDriver(setup);

    expect(driver.nativeCycle).toBeUndefined();
  });
});

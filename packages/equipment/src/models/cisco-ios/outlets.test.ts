import { Secret } from '@skolo/base/secrets';
import { DeviceRejected } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { patient, readOne, startCli } from '../testing/cli.ts';
import { withPorts } from './proof.ts';

describe('cisco-ios', () => {
  it('turns a port off and on, as the switch shows it', async () => {
    const { device, driver } = await startCli(withPorts(12));
    device.board.setWatts('Gi1/0/2', 0);

    await driver.turnOff('Gi1/0/1', patient());
    const readings = await driver.read(['Gi1/0/1', 'Gi1/0/2', 'Gi1/0/10'], patient());
    await driver.turnOn('Gi1/0/1', {}, patient());

    expect([...readings]).toEqual([
      ['Gi1/0/1', { state: 'off', delivering: false }],
      ['Gi1/0/2', { state: 'on', delivering: false, mode: 'auto' }],
      ['Gi1/0/10', { state: 'on', delivering: true, mode: 'auto' }],
    ]);
    expect(await readOne(driver, 'Gi1/0/1')).toEqual({
      state: 'on',
      delivering: true,
      mode: 'auto',
    });
  });

  it.each(['static max 15400', 'auto max 7000', 'static', 'auto'])(
    'restores a port that was %s',
    async (previous) => {
      const { device, driver } = await startCli(withPorts(8));
      await driver.turnOn('Gi1/0/3', { mode: previous }, patient());
      const { mode } = await readOne(driver, 'Gi1/0/3');

      await driver.turnOff('Gi1/0/3', patient());
      await driver.turnOn('Gi1/0/3', { mode }, patient());

      expect(mode).toBe(previous);
      expect(device.board.get('Gi1/0/3')).toMatchObject({ on: true, mode: previous });
    },
  );

  it.each(['never', 'auto\rreload', 'static max 15400 ; x', 'consumption 1'])(
    'turns on in no mode %j',
    async (mode) => {
      const { device, driver } = await startCli(withPorts(8));

      await expect(driver.turnOn('Gi1/0/3', { mode }, patient())).rejects.toThrow(DeviceRejected);

      expect(device.sessions.opened).toBe(0);
    },
  );

  it('reads modes the same for one port and for many', async () => {
    const { device, driver } = await startCli(withPorts(12));
    await driver.turnOn('Gi1/0/1', { mode: 'static max 15400' }, patient());

    const many = await driver.read(device.board.names(), patient());
    const one = await driver.read(['Gi1/0/1', 'Gi1/0/11'], patient());

    expect(many.get('Gi1/0/1')).toMatchObject({ mode: 'static max 15400' });
    expect(many.get('Gi1/0/11')).toMatchObject({ mode: 'auto' });
    expect(one.get('Gi1/0/1')).toEqual(many.get('Gi1/0/1'));
    expect(one.get('Gi1/0/11')).toEqual(many.get('Gi1/0/11'));
  });

  it('reads what it may where AAA hides the configuration', async () => {
    const { driver } = await startCli(withPorts(8, { denied: ['show running-config'] }));
    await driver.turnOn('Gi1/0/3', { mode: 'static max 15400' }, patient());

    expect(await readOne(driver, 'Gi1/0/3')).toMatchObject({ state: 'on', mode: 'static' });
  });

  it.each([
    ['configure terminal', 'switch-1: rejects "configure terminal": % Authorization failed.'],
    ['power inline', 'switch-1: rejects "power inline never": Command authorization failed.'],
  ])('says that AAA rejects %s, and leaves the session fit for use', async (denied, message) => {
    const { device, driver } = await startCli(withPorts(8, { denied: [denied] }));

    await expect(driver.turnOff('Gi1/0/3', patient())).rejects.toThrow(message);

    expect(await readOne(driver, 'Gi1/0/3')).toMatchObject({ state: 'on' });
    expect(device.sessions.opened).toBe(1);
  });

  it.each([
    ['says log messages before its prompt', { logging: 'before-prompt' }, {}],
    ['says them behind its prompt', { logging: 'after-prompt' }, {}],
    ['says them in the line of its prompt', { logging: 'behind-prompt' }, {}],
    [
      'logs each change of the mode',
      { privilege: 1, enablePassword: 'second', logging: 'after-prompt' },
      { enablePassword: new Secret('second') },
    ],
    ['shows load and time in front of each answer', { promptTimestamp: true }, {}],
    ['scrolls long lines', { width: 30, overflow: 'scroll' }, {}],
    ['wraps long lines', { width: 30, overflow: 'wrap' }, {}],
    ['has a long name', { hostName: 'the-third-switch-of-rack-four.lab' }, {}],
    [
      'asks for a second password',
      { privilege: 1, enablePassword: 'second' },
      { enablePassword: new Secret('second') },
    ],
  ] as const)('works with a switch that %s', async (_how, more, login) => {
    const { device, driver } = await startCli({ ...withPorts(8, more), login });

    await driver.turnOff('Gi1/0/3', patient());
    const off = await readOne(driver, 'Gi1/0/3');
    await driver.turnOn('Gi1/0/3', { mode: 'static max 15400' }, patient());

    expect(off).toMatchObject({ state: 'off' });
    expect(await readOne(driver, 'Gi1/0/3')).toMatchObject({ mode: 'static max 15400' });
    expect(device.sessions.opened).toBe(1);
  });

  it('rejects a port that the switch does not have', async () => {
    const { driver } = await startCli(withPorts(4));

    await expect(driver.turnOff('Gi1/0/7', patient())).rejects.toThrow(DeviceRejected);
    await expect(driver.read(['Gi1/0/7'], patient())).rejects.toThrow(DeviceRejected);
  });
});

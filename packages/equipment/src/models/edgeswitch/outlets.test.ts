import { Secret } from '@skolo/base/secrets';
import { DeviceRejected } from '@skolo/equipment/transports';
import { describe, expect, it, vi } from 'vitest';
import { type CliSetup, patient, readOne, startCli } from '../testing/cli.ts';
import { withPorts } from './proof.ts';

describe('edgeswitch', () => {
  it('turns a port off and on, as the switch shows it', async () => {
    const { device, driver } = await startCli(withPorts(8));
    device.board.setWatts('2', 0);

    await driver.turnOff('3', patient());
    const off = await readOne(driver, '3');
    const nothingPluggedIn = await readOne(driver, '2');
    await driver.turnOn('3', {}, patient());
    const on = await readOne(driver, '3');

    expect(off).toEqual({ state: 'off', delivering: false, watts: 0 });
    expect(nothingPluggedIn).toEqual({ state: 'on', delivering: false, watts: 0, mode: 'auto' });
    expect(on).toEqual({ state: 'on', delivering: true, watts: 4.5, mode: 'auto' });
    expect(
      device.received.map(({ text }) => text).filter((text) => /poe (opm|res)/.test(text)),
    ).toEqual(['poe opmode shutdown', 'poe opmode auto']);
  });

  it('restores the mode in which a port was on', async () => {
    const { device, driver } = await startCli(withPorts(8));
    await driver.turnOn('3', { mode: 'passive24v' }, patient());
    const { mode } = await readOne(driver, '3');

    await driver.turnOff('3', patient());
    await driver.turnOn('3', { mode }, patient());

    expect(device.board.get('3')).toMatchObject({ on: true, mode: 'passive24v' });
    await expect(driver.turnOn('3', { mode: '48v' }, patient())).rejects.toThrow(
      'cannot be turned on in mode 48v',
    );
    await expect(driver.turnOn('3', { mode: 'auto\rreload' }, patient())).rejects.toThrow(
      DeviceRejected,
    );
  });

  it('lets the switch do off, wait and on', async () => {
    const { device, driver } = await startCli(withPorts(8));

    await driver.nativeCycle?.run('5', 60, patient());
    const meanwhile = await readOne(driver, '5');
    await vi.waitFor(() => expect(device.board.isOn('5')).toBe(true));

    expect(meanwhile).toEqual({ state: 'off', delivering: false, watts: 0 });
    expect(await readOne(driver, '5')).toMatchObject({ state: 'on', delivering: true });
    expect(device.received.map(({ text }) => text)).toContain('poe reset 60');
  });

  it.each([0, 61, 1.5, Number.NaN])('does not reset a port for %s s', async (seconds) => {
    const { device, driver } = await startCli(withPorts(8));

    await expect(driver.nativeCycle?.run('5', seconds, patient())).rejects.toThrow(DeviceRejected);

    expect(device.sessions.opened).toBe(0);
  });

  it.each([
    ['one table for each port', ['1', '8']],
    ['one for all', ['1', '2', '3', '8']],
  ])('reads the same with %s', async (_how, outlets) => {
    const { device, driver } = await startCli(withPorts(8, { consumedMeter: true }));
    device.board.setWatts('8', 12.25);
    device.board.setWatts('1', 0);

    const readings = await driver.read(outlets, patient());

    expect([...readings.keys()]).toEqual(outlets);
    expect(readings.get('1')).toEqual({ state: 'on', delivering: false, watts: 0, mode: 'auto' });
    expect(readings.get('8')).toEqual({
      state: 'on',
      delivering: true,
      watts: 12.25,
      mode: 'auto',
    });
    expect(device.received.filter(({ text }) => text.startsWith('show poe status'))).toHaveLength(
      outlets.length > 2 ? 1 : 2,
    );
  });

  it('does not take port 1 for port 10, nor a port of another member of a stack', async () => {
    const { device, driver } = await startCli(withPorts(12, { stack: 2, name: 'rack (4) #2' }));

    await driver.turnOff('2/0/1', patient());
    const readings = await driver.read(device.board.names(), patient());

    const off = [...readings].filter(([, { state }]) => state === 'off').map(([name]) => name);
    expect(off).toEqual(['2/0/1']);
    expect(device.board.isOn('1/0/1')).toBe(true);
    expect(device.board.isOn('2/0/10')).toBe(true);
  });

  it('knows that a port that is still searching is on, and delivers nothing yet', async () => {
    const { driver } = await startCli(withPorts(8, { detectionSeconds: 1000 }));
    await driver.turnOff('3', patient());

    await driver.turnOn('3', {}, patient());

    expect(await readOne(driver, '3')).toMatchObject({ state: 'on', delivering: false, watts: 0 });
  });

  it('rejects a port that the switch does not have', async () => {
    const { device, driver } = await startCli({ ...withPorts(8), options: { portCount: 24 } });

    await expect(driver.turnOff('12', patient())).rejects.toThrow(
      'switch-1: rejects "interface 0/12": An invalid interface has been used for this function.',
    );
    await expect(driver.read(['12'], patient())).rejects.toThrow(DeviceRejected);
    await driver.turnOff('3', patient());

    expect(device.board.isOn('3')).toBe(false);
    expect(device.sessions.opened).toBe(1);
  });

  it('does not save: after a reboot of the switch the port is on', async () => {
    const { device, driver } = await startCli(withPorts(8));
    await driver.turnOff('3', patient());

    await driver.close();
    await device.reboot();

    expect(device.board.isOn('3')).toBe(true);
    expect(await readOne(driver, '3')).toMatchObject({ state: 'on' });
  });

  it.each([
    [
      'asks for a second password',
      { enablePassword: 'second' },
      { enablePassword: new Secret('second') },
    ],
    ['has only old ssh', { legacyOnly: true, hostKey: undefined }, { legacySsh: true }],
    ['signs in by dialogue', { signIn: ['keyboard-interactive' as const] }, {}],
    ['asks for the password in the session', { signIn: ['none' as const] }, {}],
  ])('works with a switch that %s', async (_how, more, login) => {
    const { hostKey: _, ...options } = { hostKey: undefined, ...more };
    const setup = withPorts(8, options);
    const start: CliSetup['start'] = ({ hostKey, ...given }) =>
      setup.start('legacyOnly' in more ? given : { ...given, ...(hostKey && { hostKey }) });
    const { driver } = await startCli({ ...setup, start, login });

    await driver.turnOff('3', patient());

    expect(await readOne(driver, '3')).toMatchObject({ state: 'off' });
  });
});

import { DeviceRejected } from '@skolo/equipment/transports';
import { describe, expect, it, vi } from 'vitest';
import { patient, readOne, startCli } from '../testing/cli.ts';
import { sshPorts } from './proof.ts';

describe('routeros over ssh', () => {
  it('turns a port off and on, as the monitor shows it', async () => {
    const { device, driver } = await startCli(sshPorts(12));
    device.board.setWatts('ether2', 0);

    await driver.turnOff('ether1', patient());
    const readings = await driver.read(['ether1', 'ether2', 'ether10'], patient());
    await driver.turnOn('ether1', {}, patient());

    expect([...readings]).toEqual([
      ['ether1', { state: 'off', delivering: false }],
      ['ether2', { state: 'on', delivering: false, mode: 'auto-on' }],
      ['ether10', { state: 'on', delivering: true, watts: 4.5, mode: 'auto-on' }],
    ]);
    expect(await readOne(driver, 'ether1')).toMatchObject({ state: 'on', delivering: true });
  });

  it('restores a port that was forced on', async () => {
    const { device, driver } = await startCli(sshPorts(8));
    await driver.turnOn('ether3', { mode: 'forced-on' }, patient());
    const { mode } = await readOne(driver, 'ether3');

    await driver.turnOff('ether3', patient());
    await driver.turnOn('ether3', { mode }, patient());

    expect(device.board.get('ether3')).toMatchObject({ on: true, mode: 'forced-on' });
    await expect(driver.turnOn('ether3', { mode: 'off' }, patient())).rejects.toThrow(
      'cannot be turned on in mode off',
    );
  });

  it('lets the device do off, wait and on', async () => {
    const { device, driver } = await startCli(sshPorts(8));
    await driver.turnOn('ether5', { mode: 'forced-on' }, patient());

    await driver.nativeCycle?.run('ether5', 60, patient());
    const meanwhile = await readOne(driver, 'ether5');
    await vi.waitFor(() => expect(device.board.isOn('ether5')).toBe(true));

    expect(meanwhile).toEqual({ state: 'off', delivering: false });
    expect(await readOne(driver, 'ether5')).toMatchObject({ state: 'on', mode: 'forced-on' });
    expect(device.received.map(({ text }) => text)).toContain(
      '/interface ethernet poe power-cycle ether5 duration=60s',
    );
  });

  it.each([0, 61, 1.5, Number.NaN])('does not cycle a port for %s s', async (seconds) => {
    const { device, driver } = await startCli(sshPorts(8));

    await expect(driver.nativeCycle?.run('ether5', seconds, patient())).rejects.toThrow(
      DeviceRejected,
    );

    expect(device.sessions.opened).toBe(0);
  });

  it('does not take exit status 0 for success', async () => {
    const { driver } = await startCli({ ...sshPorts(4), options: { portCount: 8 } });

    await expect(driver.turnOff('ether7', patient())).rejects.toThrow(
      'switch-1: rejects "/interface ethernet poe set ether7 poe-out=off": no such item',
    );
    await expect(driver.nativeCycle?.run('ether7', 5, patient())).rejects.toThrow('no such item');
    await expect(driver.read(['ether7'], patient())).rejects.toThrow('no such item');
  });
});

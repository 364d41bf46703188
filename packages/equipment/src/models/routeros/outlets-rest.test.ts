import { describe, expect, it, vi } from 'vitest';
import { patient, startDriver } from '../testing/http.ts';
import { restPorts } from './proof.ts';

describe('routeros, REST', () => {
  it('turns single ports off and on, and reads them back with what they draw', async () => {
    const { device, driver } = await startDriver(restPorts(3));

    await driver.turnOff('ether2', patient());
    const between = await driver.read(['ether1', 'ether2'], patient());
    await driver.turnOn('ether2', {}, patient());

    expect([...between]).toMatchObject([
      ['ether1', { state: 'on', delivering: true, watts: 4, mode: 'auto-on' }],
      ['ether2', { state: 'off', delivering: false }],
    ]);
    expect(device.board.isOn('ether2')).toBe(true);
    expect(device.received.map(({ text }) => text)).toContain(
      'PATCH /rest/interface/ethernet/poe/*2 {"poe-out":"off"}',
    );
  });

  it('tells and restores how a port is on', async () => {
    const { device, driver } = await startDriver(restPorts(3));
    device.board.setMode('ether2', 'forced-on');

    const mode = (await driver.read(['ether2'], patient())).get('ether2')?.mode;
    await driver.turnOff('ether2', patient());
    device.board.setMode('ether2', 'auto-on');
    await driver.turnOn('ether2', { mode }, patient());

    expect(mode).toBe('forced-on');
    expect(device.board.get('ether2')).toMatchObject({ on: true, mode: 'forced-on' });
  });

  it('knows no other modes', async () => {
    const { device, driver } = await startDriver(restPorts(3));

    await expect(driver.turnOn('ether2', { mode: '48v' }, patient())).rejects.toThrow(
      /cannot be turned on in mode 48v/,
    );

    expect(device.received).toEqual([]);
  });

  it('tells a port that delivers nothing', async () => {
    const { device, driver } = await startDriver(restPorts(3));
    device.board.setWatts('ether1', 0);

    const readings = await driver.read(['ether1'], patient());

    expect(readings.get('ether1')).toMatchObject({
      state: 'on',
      delivering: false,
      mode: 'auto-on',
    });
  });

  it('lets the device do off, wait and on, and shows that it is off meanwhile', async () => {
    const { device, driver } = await startDriver(restPorts(3, { secondMs: 1000 }));

    await driver.nativeCycle?.run('ether2', 60, patient());
    const meanwhile = await driver.read(['ether2'], patient());

    expect(meanwhile.get('ether2')).toMatchObject({ state: 'off', delivering: false });
    expect(device.received.map(({ text }) => text)).toContain(
      'POST /rest/interface/ethernet/poe/power-cycle {"numbers":"ether2","duration":"60s"}',
    );
  });

  it('sees a port on again after a cycle of its own', async () => {
    const { driver } = await startDriver(restPorts(3));

    await driver.nativeCycle?.run('ether2', 5, patient());

    await vi.waitFor(async () => {
      const reading = (await driver.read(['ether2'], patient())).get('ether2');
      expect(reading).toMatchObject({ state: 'on', delivering: true });
    });
  });

  it('speaks https', async () => {
    const { device, driver } = await startDriver(restPorts(3, { tls: true }));

    await driver.turnOff('ether2', patient());

    expect(device.board.isOn('ether2')).toBe(false);
  });

  it('does not command a port that the device does not have', async () => {
    const { device, driver } = await startDriver({ ...restPorts(3), options: { portCount: 9 } });

    for (const verb of [
      () => driver.read(['ether9'], patient()),
      () => driver.turnOff('ether9', patient()),
      () => driver.nativeCycle?.run('ether9', 5, patient()),
    ]) {
      await expect(verb()).rejects.toThrow(/ether9 does not support PoE/);
    }
    expect(device.received.filter(({ text }) => /PATCH|power-cycle/.test(text))).toEqual([]);
  });
});

import { DeviceRejected } from '@skolo/equipment/transports';
import { describe, expect, it, vi } from 'vitest';
import { type CliSetup, patient, readOne, startCli } from '../testing/cli.ts';
import { withoutSwctrl, withPorts } from './proof.ts';

const ways: [string, CliSetup][] = [
  ['swctrl', withPorts(12)],
  ['Fastpath behind its shell', withoutSwctrl],
  ['Fastpath, over telnet', { ...withPorts(12, { fastpath: true }), transport: 'telnet' }],
];

describe.each(ways)('unifi-switch with %s', (_which, setup) => {
  it('turns a port off and on, as the switch shows it', async () => {
    const { device, driver } = await startCli(setup);
    device.board.setWatts('2', 0);

    await driver.turnOff('1', patient());
    const readings = await driver.read(['1', '2', '10'], patient());
    await driver.turnOn('1', {}, patient());

    expect([...readings]).toEqual([
      ['1', { state: 'off', delivering: false, watts: 0 }],
      ['2', { state: 'on', delivering: false, watts: 0, mode: 'auto' }],
      ['10', { state: 'on', delivering: true, watts: 4.5, mode: 'auto' }],
    ]);
    expect(await readOne(driver, '1')).toMatchObject({ state: 'on', delivering: true });
    expect(device.board.isOn('11')).toBe(true);
    expect(device.sessions.most).toBe(1);
  });

  it('lets the switch do off, wait and on', async () => {
    const { device, driver } = await startCli(setup);
    const changed = vi.fn();
    device.board.on('change', changed);

    await driver.nativeCycle?.run('5', 0, patient());
    await vi.waitFor(() => expect(device.board.isOn('5')).toBe(true));

    expect(changed.mock.calls).toEqual([[{ outlet: '5', on: false }], [{ outlet: '5', on: true }]]);
    expect(await readOne(driver, '5')).toMatchObject({ state: 'on', mode: 'auto' });
  });
});

describe('unifi-switch', () => {
  it('tells a port as off while it restarts, and only then', async () => {
    const { device, driver } = await startCli(withPorts(8, { secondMs: 300 }));
    device.board.setWatts('6', 0);

    await driver.nativeCycle?.run('5', 0, patient());
    const meanwhile = await driver.read(['5', '6'], patient());
    await vi.waitFor(() => expect(device.board.isOn('5')).toBe(true));
    const after = await readOne(driver, '5');
    device.board.setWatts('5', 0);

    expect(meanwhile.get('5')).toEqual({ state: 'off', delivering: false, watts: 0 });
    expect(meanwhile.get('6')).toMatchObject({ state: 'on', delivering: false });
    expect(after).toMatchObject({ state: 'on', delivering: true });
    expect(await readOne(driver, '5')).toMatchObject({ state: 'on', delivering: false });
  });

  it('always says which port it means', async () => {
    const { device, driver } = await startCli(withPorts(8));

    await driver.turnOff('3', patient());
    await driver.turnOn('3', { mode: 'auto' }, patient());
    await driver.nativeCycle?.run('3', 0, patient());

    const commands = device.received.map(({ text }) => text).filter((text) => !/ show$/.test(text));
    expect(commands).toEqual([
      'swctrl poe set off id 3',
      'swctrl poe set auto id 3',
      'swctrl poe restart id 3',
    ]);
  });

  it('is turned on in no other mode', async () => {
    const { device, driver } = await startCli(withPorts(8));

    await expect(driver.turnOn('3', { mode: 'pasv24' }, patient())).rejects.toThrow(DeviceRejected);

    expect(device.sessions.opened).toBe(0);
  });

  it('rejects a port that the switch does not have', async () => {
    const { driver } = await startCli({ ...withPorts(8), options: { portCount: 24 } });

    await expect(driver.turnOff('12', patient())).rejects.toThrow('does not contain port 12');
    await expect(driver.read(['12'], patient())).rejects.toThrow('does not contain port 12');
  });
});

import { describe, expect, it } from 'vitest';
import { patient, readOne, startCli } from '../testing/cli.ts';
import { withPorts } from './proof.ts';

describe('openwrt', () => {
  it('turns a port off and on, as the daemon shows it', async () => {
    const { device, driver } = await startCli(withPorts(12));
    device.board.setWatts('lan2', 0);

    await driver.turnOff('lan1', patient());
    const readings = await driver.read(['lan1', 'lan2', 'lan10'], patient());
    await driver.turnOn('lan1', {}, patient());

    expect([...readings]).toEqual([
      ['lan1', { state: 'off', delivering: false }],
      ['lan2', { state: 'on', delivering: false }],
      ['lan10', { state: 'on', delivering: true, watts: 4.5 }],
    ]);
    expect(await readOne(driver, 'lan1')).toEqual({ state: 'on', delivering: true, watts: 4.5 });
    expect(device.received[0]?.text).toBe(`ubus call poe manage '{"port":"lan1","enable":false}'`);
  });

  it('takes no notice of the complaint of an old daemon', async () => {
    const { driver } = await startCli(withPorts(8, { oldDaemon: true }));

    await driver.turnOff('lan3', patient());

    expect(await readOne(driver, 'lan3')).toMatchObject({ state: 'off' });
  });

  it('does not guess where the daemon knows nothing', async () => {
    const { driver } = await startCli(withPorts(8, { statusUnknown: true }));

    await driver.turnOff('lan3', patient());

    expect(await readOne(driver, 'lan3')).toEqual({ state: 'unknown' });
  });

  it('rejects a port that has no PoE', async () => {
    const { driver } = await startCli({ ...withPorts(4), options: { portCount: 8 } });

    await expect(driver.turnOff('lan7', patient())).rejects.toThrow(
      /failed with exit status 2: Command failed: Invalid argument/,
    );
    await expect(driver.read(['lan7'], patient())).rejects.toThrow('lan7 has no PoE');
    expect([...(await driver.read(['lan1', 'lan7'], patient()))]).toMatchObject([
      ['lan1', { state: 'on' }],
      ['lan7', { state: 'unknown' }],
    ]);
  });
});

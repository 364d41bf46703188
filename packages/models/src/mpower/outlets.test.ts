import { DeviceRejected } from '@skolo/equipment';
import { type MpowerOptions, startMpower } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { type CliSetup, meetsCliFaults, patient, readOne, startCli } from '../testing/cli.ts';
import { outlets as mpower } from './mpower.ts';

/** With new ssh, which is faster; that the old one works is a test of its own. */
function withOutlets(outlets: number, more: Partial<MpowerOptions> = {}): CliSetup {
  return {
    kind: mpower,
    start: (options) => startMpower({ outlets, legacyOnly: false, ...options, ...more }),
    options: { outlets },
  };
}

describe('mpower', () => {
  it('turns an outlet off and on, as the strip shows it', async () => {
    const { device, driver } = await startCli(withOutlets(6));
    device.board.setWatts('2', 0);

    await driver.turnOff('3', patient());
    const readings = await driver.read(['2', '3', '6'], patient());
    await driver.turnOn('3', undefined, patient());

    expect([...readings]).toEqual([
      ['2', { state: 'on', delivering: false, watts: 0 }],
      ['3', { state: 'off', delivering: false, watts: 0 }],
      ['6', { state: 'on', delivering: true, watts: 40 }],
    ]);
    expect(await readOne(driver, '3')).toEqual({ state: 'on', delivering: true, watts: 40 });
    expect(device.received.map(({ text }) => text)).toEqual([
      'echo 0 > /proc/power/relay3',
      'grep . /proc/power/relay2 /proc/power/active_pwr2 /proc/power/relay3 /proc/power/active_pwr3 /proc/power/relay6 /proc/power/active_pwr6',
      'echo 1 > /proc/power/relay3',
      'grep . /proc/power/relay3 /proc/power/active_pwr3',
    ]);
  });

  it('speaks to ssh as old as the strip', async () => {
    const { driver } = await startCli({
      kind: mpower,
      // Its key is RSA, which is made by the simulator.
      start: ({ hostKey: _, ...options }) => startMpower({ outlets: 1, ...options }),
      options: { outlets: 1 },
      login: { legacySsh: true },
    });

    await driver.turnOff('1', patient());

    expect(await readOne(driver, '1')).toMatchObject({ state: 'off' });
  });

  it('rejects an outlet that the strip does not have', async () => {
    const { driver } = await startCli({ ...withOutlets(3), options: { outlets: 8 } });

    await expect(driver.turnOff('7', patient())).rejects.toThrow(
      /relay7.*failed with exit status 1/,
    );
    await expect(driver.read(['2', '7'], patient())).rejects.toThrow(DeviceRejected);
  });

  meetsCliFaults(withOutlets(6), '3', ['0', '7', '03', '3 /etc/passwd', '$(reboot)', '*']);
});

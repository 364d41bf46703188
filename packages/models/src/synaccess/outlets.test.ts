import { DeviceRejected } from '@skolo/equipment';
import { startSynaccess } from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import {
  driverFor,
  meetsFaults,
  patient,
  rejectsWrongPassword,
  type Setup,
  startDriver,
} from '../testing/http.ts';
import { outlets as synaccess } from './synaccess.ts';

const setup: Setup = {
  kind: synaccess,
  start: () => startSynaccess({ outlets: 5, secondMs: 5 }),
  options: { outlets: 5 },
  login: { username: 'admin', password: 'admin' },
};

describe('synaccess', () => {
  it('turns single outlets off and on, and reads them back', async () => {
    const { device, driver } = await startDriver(setup);

    await driver.turnOff('2', patient());
    const between = await driver.read(['1', '2', '5'], patient());
    await driver.turnOn('2', undefined, patient());

    expect([...between]).toEqual([
      ['1', { state: 'on' }],
      ['2', { state: 'off' }],
      ['5', { state: 'on' }],
    ]);
    expect(device.board.isOn('2')).toBe(true);
    expect(device.received.map(({ text }) => text)).toEqual([
      'GET /cmd.cgi?$A3%202%200',
      'GET /cmd.cgi?$A5',
      'GET /cmd.cgi?$A3%202%201',
    ]);
  });

  it('lets the device do off, wait and on', async () => {
    const { device, driver } = await startDriver(setup);

    await driver.nativeCycle?.run('2', 10, patient());

    expect(device.received.at(-1)?.text).toBe('GET /cmd.cgi?$A4%202');
    await vi.waitFor(() => expect(device.board.isOn('2')).toBe(true), 20_000);
  });

  it.each([{ oldStatus: true }, { inlets: 2 }] as const)('reads the status of %o', async (kind) => {
    const start = () => startSynaccess({ outlets: 2, ...kind });
    const { device, driver } = await startDriver({ ...setup, start, options: { outlets: 2 } });
    device.board.set('1', false);

    const readings = await driver.read(['1', '2'], patient());

    expect([...readings.values()]).toEqual([{ state: 'off' }, { state: 'on' }]);
  });

  it('does not believe a device with more outlets than rack.yaml says', async () => {
    const { driver } = await startDriver({ ...setup, options: { outlets: 4 } });

    await expect(driver.read(['1'], patient())).rejects.toThrow(
      new DeviceRejected(
        'device-1',
        'has 5 outlets, but `outlets` is 4; check that this is the right device, or fix `outlets` in rack.yaml',
      ),
    );
  });

  it('does not take $AF for success', async () => {
    const { driver } = await startDriver({ ...setup, options: { outlets: 9 } });

    await expect(driver.turnOff('9', patient())).rejects.toThrow(/\$A3 9 0 failed/);
  });

  it.each(['', '$A0,11111', '$A3 2 0 $A0', '$A0 $AF', '<html>$A0</html>', '$A0\r\n$AF'])(
    'does not take %j for success',
    async (answer) => {
      const driver = await driverFor(setup, answer);

      await expect(driver.turnOff('2', patient())).rejects.toThrow(DeviceRejected);
      await expect(driver.read(['2'], patient())).rejects.toThrow(DeviceRejected);
    },
  );

  meetsFaults(setup, '2', ['0', '6', '02', '2 0', '$A7', '-1']);
  rejectsWrongPassword(setup, '2');
});

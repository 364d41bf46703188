import { DeviceRejected } from '@skolo/equipment/transports';
import { startSynaccess } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import {
  cyclesByItself,
  driverFor,
  patient,
  startDriver,
  switchesOutlets,
} from '../testing/http.ts';
import { setup } from './proof.ts';

describe('synaccess', () => {
  const between = { 1: { state: 'on' }, 2: { state: 'off' }, 5: { state: 'on' } } as const;
  switchesOutlets(setup, '2', between, [
    'GET /cmd.cgi?$A3%202%200',
    'GET /cmd.cgi?$A5',
    'GET /cmd.cgi?$A3%202%201',
  ]);
  cyclesByItself(setup, '2', 'GET /cmd.cgi?$A4%202');

  it.each([{ oldStatus: true }, { inlets: 2 }] as const)('reads the status of %o', async (kind) => {
    const start = () => startSynaccess({ outlets: 2, ...kind });
    const { device, driver } = await startDriver({ ...setup, start, options: { outlets: 2 } });
    device.board.set('1', false);

    const readings = await driver.read(['1', '2'], patient());

    expect([...readings.values()]).toEqual([{ state: 'off' }, { state: 'on' }]);
  });

  it('reports a device with more outlets than rack.yaml says, and reads it', async () => {
    const { driver } = await startDriver({ ...setup, options: { outlets: 4 } });

    await expect(driver.report?.(['1'], patient())).rejects.toThrow(
      new DeviceRejected(
        'device-1',
        'has 5 outlets, but `outlets` is 4; check that this is the right equipment, or fix `outlets` in rack.yaml',
      ),
    );
    expect((await driver.read(['1'], patient())).get('1')).toEqual({ state: 'on' });
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
});

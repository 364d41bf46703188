import { startRouteros, startRouterosRest } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { startCli } from '../testing/cli.ts';
import { patient, startDriver } from '../testing/http.ts';
import { outlets as routeros } from './outlets.ts';

describe('routeros', () => {
  it('speaks ssh where rack.yaml says so', async () => {
    const start = startRouteros;
    const { device, driver } = await startCli({ kind: routeros, start, transport: 'ssh' });

    await driver.turnOff('ether1', patient());

    expect(device.board.isOn('ether1')).toBe(false);
  });

  it('speaks REST where rack.yaml says so', async () => {
    const start = () => startRouterosRest();
    const { device, driver } = await startDriver({
      kind: routeros,
      start,
      login: { username: 'admin' },
    });

    await driver.turnOff('ether1', patient());

    expect(device.board.isOn('ether1')).toBe(false);
  });
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { peer } from '../../peer.ts';
import { startIpmiSim } from './ipmi-sim.ts';

it('goes on after a reboot of the controller, the server as it was', async (context) => {
  const ipmitool = peer('ipmitool') ?? context.skip('ipmitool is not installed');
  const device = (await startIpmiSim()) ?? context.skip('ipmi_sim is not installed');
  onTestFinished(() => device.close());
  device.board.set('chassis', false);

  await device.reboot();

  const how = ['-I', 'lanplus', '-C', '3', '-H', device.host, '-p', `${device.port}`];
  const login = ['-U', 'lab', '-P', 's3cret'];
  const ask = ['chassis', 'power', 'status'];
  const { stdout } = await promisify(execFile)(ipmitool, [...how, ...login, ...ask]);
  expect(stdout).toBe('Chassis Power is off\n');
});

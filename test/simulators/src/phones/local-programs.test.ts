import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { expect, it, onTestFinished } from 'vitest';
import { SimulatedAndroid } from '../adb/android.ts';
import { startLocalPrograms } from './local-programs.ts';

async function start() {
  const local = await startLocalPrograms();
  onTestFinished(() => local.close());
  const call = (name: string, ...args: string[]) => run(join(local.folder, name), args);
  return { local, call };
}

it('switches a port, and with it the phone', async () => {
  const { local, call } = await start();
  const phone = new SimulatedAndroid({ serial: 'A' });
  local.plug(phone, 'usb/1-1.2');

  const before = await call('uhubctl', '-l', '1-1', '-p', '2');
  const off = await call('uhubctl', '-l', '1-1', '-p', '2', '-a', 'off', '-r', '100');
  const isPresentWhileOff = phone.isPresent();
  await call('uhubctl', '-l', '1-1', '-p', '2', '-a', 'on');

  expect(before.stdout).toContain('Port 2: 0503 power highspeed enable connect');
  expect(off.stdout).toContain('Port 2: 0000 off\n');
  expect(isPresentWhileOff).toBe(false);
  expect(phone.isPresent()).toBe(true);
  expect(local.received).toHaveLength(3);
});

it('has a hub that is gone, or does not obey', async () => {
  const { local, call } = await start();
  local.faults.add('usb-ignored');
  await call('uhubctl', '-l', '1-1', '-p', '2', '-a', 'off');
  expect(local.usb.isOn('usb/1-1.2')).toBe(true);

  local.faults.add('usb-missing');
  await expect(call('uhubctl', '-l', '1-1')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('No compatible devices detected at location 1-1!'),
  });
});

it('tells of heat and under-voltage', async () => {
  const { local, call } = await start();
  local.throttled = 0x50005;
  local.celsius = 81.2;

  expect((await call('vcgencmd', 'get_throttled')).stdout).toBe('throttled=0x50005\n');
  expect((await call('vcgencmd', 'measure_temp')).stdout).toBe("temp=81.2'C\n");
});

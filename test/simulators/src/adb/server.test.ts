import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import type { AndroidOptions } from './android.ts';
import { startAdbServer } from './server.ts';
import { screenshot } from './shell.ts';
import { type Adb, endedWhen, realAdb } from './testing.ts';

async function start(context: TestContext, ...phones: AndroidOptions[]) {
  const server = await startAdbServer({ phones });
  onTestFinished(() => server.close());
  return { server, adb: realAdb(context, server) };
}

async function startOne(context: TestContext, options: Partial<AndroidOptions> = {}) {
  const { server, adb } = await start(context, { serial: '0A191FDD40', ...options });
  return { server, adb, phone: server.phone() };
}

const said = (stdout: string) => ({ status: 0, stdout, stderr: '' });
const error = (text: string) => ({ status: 1, stdout: '', stderr: `error: ${text}\n` });

describe('the server, asked by the real client', () => {
  it('has one phone', async (context) => {
    const { adb, phone } = await startOne(context, { usb: '1-1.3' });

    expect(await adb('get-state')).toEqual(said('device\n'));
    expect(await adb('get-serialno')).toEqual(said('0A191FDD40\n'));
    expect(await adb('devices')).toEqual(said('List of devices attached\n0A191FDD40\tdevice\n\n'));
    expect((await adb('devices', '-l')).stdout).toBe(
      `List of devices attached
0A191FDD40             device usb:1-1.3 product:redfin model:Pixel_5 device:redfin transport_id:${phone.transport}\n\n`,
    );
  });

  it('has none', async (context) => {
    const { adb } = await start(context);

    expect(await adb('get-state')).toEqual(error('no devices/emulators found'));
    expect(await adb('-s', 'X', 'shell', 'true')).toEqual(error("device 'X' not found"));
    expect(await adb('devices')).toEqual(said('List of devices attached\n\n'));
  });

  it('has two, and wants to know which', async (context) => {
    const { adb } = await start(context, { serial: 'A' }, { serial: 'B', model: 'pixel-6' });

    expect(await adb('get-state')).toEqual(error('more than one device/emulator'));
    expect(await adb('shell', 'true')).toEqual(error('more than one device/emulator'));
    expect(await adb('-s', 'A', 'shell', 'getprop ro.product.model')).toEqual(said('Pixel 5\n'));
    expect(await adb('-s', 'B', 'shell', 'getprop ro.product.model')).toEqual(said('Pixel 6\n'));
    expect(await adb('-s', 'usb:1-1.2', 'get-serialno')).toEqual(said('B\n'));
  });

  it('is killed, and there again', async (context) => {
    const { server, adb } = await startOne(context);

    expect(await adb('kill-server')).toEqual(said(''));
    expect(await adb('start-server')).toEqual(said(''));
    expect(await adb('get-state')).toEqual(said('device\n'));
    expect(server.starts).toBe(2);
  });

  it('tells who comes and goes', async (context) => {
    const { server, phone } = await startOne(context);

    const tracked = await endedWhen(context, server, ['track-devices'], (text) => {
      if (phone.isPresent() && text.includes('device')) phone.unplug();
      return text.endsWith('0000');
    });

    expect(tracked).toBe('00120A191FDD40\tdevice\n0000');
    await expect.poll(() => server.connections()).toBe(0);
  });
});

describe('a phone, asked by the real client', () => {
  const shell = (adb: Adb, command: string) => adb('shell', command);

  it('has been up for longer and longer', async (context) => {
    const { adb } = await startOne(context, { uptimeSeconds: 5000 });
    const up = async () => Number((await shell(adb, 'cat /proc/uptime')).stdout.split(' ')[0]);

    const before = await up();

    expect(before).toBeGreaterThan(5000);
    await expect.poll(up).toBeGreaterThan(before);
  });

  it('has a screen and a log', async (context) => {
    const { adb } = await startOne(context);

    expect((await adb('exec-out', 'screencap', '-p')).stdout).toBe(screenshot.toString('latin1'));
    expect((await adb('logcat', '-d', '-t', '1')).stdout).toMatch(/^11-20 .*SEGV_MAPERR\)\n$/);
  });

  it('has a shell', async (context) => {
    const { adb, phone } = await startOne(context);
    phone.programs.set('whoami', () => ({ stdout: 'shell\n' }));

    expect(await shell(adb, 'whoami && echo yes; false || echo no')).toEqual(
      said('shell\nyes\nno\n'),
    );
    expect(await shell(adb, 'nix; exit 3')).toEqual({
      status: 3,
      stdout: '',
      stderr: '/system/bin/sh: nix: inaccessible or not found\n',
    });
    expect((await shell(adb, 'cat /nowhere')).status).toBe(1);
  });
});

import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import type { AndroidOptions, SimulatedAndroid } from './android.ts';
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

  it.for([
    ['offline', 'device offline'],
    ['authorizing', 'device still authorizing'],
    [
      'unauthorized',
      "device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\nTry 'adb kill-server' if that seems wrong.\nOtherwise check for a confirmation dialog on your device.",
    ],
  ] as const)('has one that is %s', async ([state, why], context) => {
    const { adb } = await startOne(context, { state });

    expect(await adb('get-state')).toEqual(error(why));
    expect(await adb('shell', 'true')).toEqual(error(why));
    expect(await adb('reboot')).toEqual(error(why));
    expect((await adb('devices')).stdout).toContain(`0A191FDD40\t${state}\n`);
  });

  it('brings back one that is offline, where that helps', async (context) => {
    const { adb, phone } = await startOne(context, { state: 'offline' });
    phone.faults.add('stays-offline');

    expect(await adb('reconnect', 'offline')).toEqual(said('reconnecting 0A191FDD40\n'));
    expect(await adb('get-state')).toEqual(error('device offline'));
    phone.faults.clear();
    expect(await adb('reconnect', 'offline')).toEqual(said('reconnecting 0A191FDD40\n'));
    expect(await adb('get-state')).toEqual(said('device\n'));
    expect(await adb('reconnect', 'offline')).toEqual(said('\n'));
  });

  it('is killed, and there again', async (context) => {
    const { server, adb } = await startOne(context);
    await server.misbehave('blind');

    expect(await adb('get-state')).toEqual(error('no devices/emulators found'));
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

  it.for(['wedged', 'slow'] as const)('is %s', async (fault, context) => {
    const { server, adb } = await startOne(context);
    await server.misbehave(fault);
    server.slowMs = 2 ** 31 - 1;

    await endedWhen(context, server, ['get-state'], () => server.received.length > 0);
    await server.behave();

    expect(await adb('get-state')).toEqual(said('device\n'));
  });

  it('answers with nonsense', async (context) => {
    const { server, adb } = await startOne(context);
    await server.misbehave('garbage');

    const { status, stderr } = await adb('get-state');

    expect(status).toBe(1);
    expect(stderr).toContain('protocol fault');
  });

  it('is not there, so that the client starts a real one, and there again', async (context) => {
    const { server, adb } = await startOne(context);
    await server.misbehave('refuses');

    const meanwhile = await adb('get-state');
    await server.behave('refuses');

    expect(meanwhile.stderr).toMatch(/^\* daemon not running; starting now at tcp:/);
    expect(meanwhile.stderr).toContain('no devices/emulators found');
    expect(await adb('get-state')).toEqual(said('device\n'));
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

  it('tells its properties', async (context) => {
    const { adb } = await startOne(context, { properties: { 'ro.build.type': 'userdebug' } });

    const { stdout } = await shell(adb, 'getprop');

    expect(stdout).toContain('[ro.build.id]: [RQ3A.210805.001.A1]\n');
    expect(stdout).toContain('[ro.build.type]: [userdebug]\n');
    expect(stdout).toContain('[ro.serialno]: [0A191FDD40]\n');
    expect(stdout).toContain('[sys.boot_completed]: [1]\n');
    expect(await shell(adb, 'getprop no.such')).toEqual(said('\n'));
  });

  it.for([
    ['pixel-5', 'ThermalHAL 2.0', 'mValue=28.1, mType=2, mName=battery, mStatus=0'],
    ['pixel-6', 'ThermalHAL 2.0', 'mValue=8900.0, mType=7, mName=soft_ocp_gpu, mStatus=0'],
    ['galaxy-s24', 'ThermalHAL AIDL', 'mValue=0.0, mType=2, mName=SUBBAT, mStatus=0'],
  ] as const)('%s tells its temperatures', async ([model, hal, sensor], context) => {
    const { adb, phone } = await startOne(context, { model });
    phone.thermal.status = 3;

    const { stdout } = await shell(adb, 'dumpsys thermalservice');

    const [before = '', after = ''] = stdout.split('\nCurrent temperatures from HAL:\n');
    expect(before).toContain('\nThermal Status: 3\n');
    expect(before).toContain(hal);
    expect(after).toContain(`\tTemperature{${sensor}}\n`);
    expect(before).not.toContain(`{${sensor}}`);
  });

  it('tells temperatures in thousandths', async (context) => {
    const { adb, phone } = await startOne(context);
    phone.heat('battery', 41.5);
    phone.faults.add('milli-degrees');

    const { stdout } = await shell(adb, 'dumpsys thermalservice');

    expect(stdout).toContain('mValue=41500.0, mType=2, mName=battery');
  });

  it('has no thermalservice where it is too old', async (context) => {
    const { adb } = await startOne(context, { model: 'nexus-5x' });

    expect(await shell(adb, 'dumpsys thermalservice')).toEqual(
      said("Can't find service: thermalservice\n"),
    );
  });

  it('tells its battery', async (context) => {
    const { adb, phone } = await startOne(context, { model: 'galaxy-s24' });
    phone.battery.level = 12;

    const { stdout } = await shell(adb, 'dumpsys battery');

    expect(stdout).toContain('\n  level: 12\n  scale: 100\n');
    expect(stdout).toContain('\n  temperature: 252\n');
    expect(stdout).toContain('\n[EventLogBuffer]\n');
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

  it('is old: no status, and lines as on a terminal', async (context) => {
    const { adb } = await startOne(context, { model: 'nexus-7' });

    expect(await shell(adb, 'getprop ro.product.device')).toEqual(said('flo\r\n'));
    expect(await shell(adb, 'false')).toEqual(said(''));
    expect((await adb('exec-out', 'screencap', '-p')).stdout).toBe(screenshot.toString('latin1'));
  });

  it('reboots', async (context) => {
    const { adb, phone } = await startOne(context, { rebootMs: 300, settleMs: 300 });
    phone.faults.add('hangs');
    const cut = adb('shell', 'getprop');
    await expect.poll(() => phone.received.length).toBeGreaterThan(0);
    phone.faults.clear();

    expect(await adb('reboot')).toEqual(said(''));
    expect((await cut).stdout).toBe('');
    expect(await adb('wait-for-device')).toEqual(said(''));
    await phone.whenBooted(2);

    expect(Number((await shell(adb, 'cat /proc/uptime')).stdout.split(' ')[0])).toBeLessThan(3000);
    expect((await shell(adb, 'getprop sys.boot_completed')).stdout).toBe('1\n');
  });

  it('reboots, and never boots', async (context) => {
    const { adb, phone } = await startOne(context, { rebootMs: 1 });
    phone.faults.add('never-boots');

    await adb('reboot');

    await expect.poll(() => phone.isPresent()).toBe(true);
    expect(phone.hasBooted()).toBe(false);
  });

  const faults: [Parameters<SimulatedAndroid['faults']['add']>[0], object][] = [
    ['crlf', said('RQ3A.210805.001.A1\r\n')],
    ['empty-answers', said('')],
    ['empty-properties', said('\n')],
    ['drops-mid-way', { stdout: 'RQ3A.2108' }],
    ['disappears-mid-way', { stdout: 'RQ3A.2108' }],
  ];
  it.for(faults)('has the fault %s', async ([fault, expected], context) => {
    const { adb, phone } = await startOne(context);
    phone.faults.add(fault);

    expect(await shell(adb, 'getprop ro.build.id')).toMatchObject(expected);

    expect(phone.isPresent()).toBe(fault !== 'disappears-mid-way');
    phone.faults.clear();
    phone.plugIn();
    expect(await shell(adb, 'getprop ro.build.id')).toEqual(said('RQ3A.210805.001.A1\n'));
  });

  it('says much more than anybody asked for', async (context) => {
    const { adb, phone } = await startOne(context);
    phone.faults.add('huge-output');
    phone.hugeBytes = 4 * 1024 * 1024;

    expect((await shell(adb, 'getprop')).stdout.length).toBeGreaterThan(phone.hugeBytes);
  });

  it('answers with bytes that make no sense', async (context) => {
    const { adb, phone } = await startOne(context);
    phone.faults.add('garbage');

    expect((await shell(adb, 'getprop ro.build.id')).stdout).not.toContain('RQ3A');
  });

  it.for(['hangs', 'hangs-mid-way', 'reboot-hangs'] as const)('%s', async (fault, context) => {
    const { server, phone } = await startOne(context, { rebootMs: 1 });
    phone.faults.add(fault);
    const command = fault === 'reboot-hangs' ? ['reboot'] : ['shell', 'getprop', 'ro.build.id'];

    const stdout = await endedWhen(context, server, command, () =>
      fault === 'reboot-hangs' ? phone.boots === 2 : phone.received.length > 0,
    );

    expect('RQ3A.2108'.startsWith(stdout)).toBe(true);
    await expect.poll(() => server.connections()).toBe(0);
  });
});

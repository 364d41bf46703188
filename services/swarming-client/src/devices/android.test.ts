import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AndroidOptions, screenshot } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { missing, never, present, unreadable } from './testing/lab.ts';
import { startShelf } from './testing/shelf.ts';

const serial = '0A041FDD4003BB';

describe('a phone', () => {
  it('has what Swarming chooses it by, and its condition', async (context) => {
    const { open } = await startShelf(context, [{ serial, uptimeSeconds: 5000 }]);

    const { uptimeSeconds, ...reading } = await present(open());

    expect(uptimeSeconds).toBeGreaterThanOrEqual(5000);
    expect(reading).toEqual({
      dimensions: {
        os: ['Android'],
        android_devices: ['1'],
        device_os: ['R', 'RQ3A.210805.001.A1', 'RQ3A.210805.001.A1_7474174'],
        device_os_flavor: ['google'],
        device_os_type: ['user'],
        device_type: ['redfin'],
      },
      serial,
      batteryPercent: 87,
      charging: true,
      connectedSeconds: expect.any(Number),
      temperatures: {
        'cpu-0-0-usr': 34.6,
        'cpu-1-3-usr': 35.2,
        'gpuss-0-usr': 33.6,
        battery: 28.1,
        'skin-therm': 31.4,
        'usbc-therm-adc': 29.9,
        dumpsys_battery: 28.1,
      },
      processorSensors: ['cpu-0-0-usr', 'cpu-1-3-usr', 'gpuss-0-usr'],
      thermalStatus: 0,
      isReady: true,
      unread: { battery: false, heat: false },
      setByHand: { battery: false, thermalStatus: false },
    });
  });

  it.for([
    {
      model: 'nexus-7',
      device_os: ['M', 'MOB30X', 'MOB30X_3036618'],
      device_type: ['flo'],
      temperatures: ['dumpsys_battery'],
    },
    {
      model: 'nexus-5x',
      device_os: ['O', 'OPM7.181205.001', 'OPM7.181205.001_5080180'],
      device_type: ['bullhead'],
      temperatures: ['dumpsys_battery'],
    },
    {
      model: 'pixel-6',
      device_os: ['S', 'SD1A.210817.036', 'SD1A.210817.036_7805805'],
      device_type: ['oriole'],
      temperatures: [
        'TPU',
        'battery',
        'BIG',
        'G3D',
        'usb_pwr_therm2',
        'cellular-emergency',
        'VIRTUAL-SKIN',
        'VIRTUAL-USB-THROTTLING',
        'dumpsys_battery',
      ],
    },
    {
      model: 'galaxy-s24',
      device_os: ['A', 'AP3A.240905.015.A2', 'AP3A.240905.015.A2_S921BXXU5BYBG'],
      device_type: ['e1s', 's5e9945'],
      temperatures: ['AP', 'BAT', 'PA', 'SKIN', 'SUBBAT', 'USB', 'dumpsys_battery'],
    },
  ] as const)('is understood whatever its age: $model', async (its, context) => {
    const { open } = await startShelf(context, [{ serial, model: its.model }]);

    const reading = await present(open());

    expect(reading.dimensions).toMatchObject({
      device_os: its.device_os,
      device_type: its.device_type,
    });
    expect(Object.keys(reading.temperatures)).toEqual(its.temperatures);
    expect(reading).toMatchObject({ isReady: true, charging: true });
  });

  it('needs no build id for its increment, and no brand at all', async (context) => {
    const properties = {
      'ro.build.id': '',
      'ro.product.brand': '',
      'ro.product.system.brand': 'AOSP',
      'ro.build.type': ' ',
      'ro.product.name': 'aosp_redfin_hwasan',
    };
    const { open } = await startShelf(context, [{ serial, properties }]);

    const { dimensions } = await present(open());

    expect(dimensions).toEqual({
      os: ['Android'],
      android_devices: ['1'],
      device_os_flavor: ['android'],
      device_type: ['redfin'],
      android_hwasan_build: ['1'],
    });
  });

  it('has a younger connection once its power was cut, and not for having been unseen', async (context) => {
    const { open, server } = await startShelf(context, [{ serial }]);
    const device = open();
    const age = async () => (await present(device)).connectedSeconds;

    server.phone().unplug(true);
    server.phone().plugIn();
    const unseen = await age();
    server.phone().unplug();
    server.phone().plugIn();
    const cut = await age();

    expect(unseen).toBeGreaterThan(3000);
    expect(cut).toBeLessThan(60);
  });

  it('is not ready until it has booted', async (context) => {
    const { open, server } = await startShelf(context, [{ serial }]);
    const device = open();
    const phone = server.phone();
    phone.settleMs = Number.POSITIVE_INFINITY;

    await device.repairs['device-reboot']?.(never);
    await expect.poll(() => phone.boots).toBe(2);

    const reading = await present(device);
    expect(reading.isReady).toBe(false);
    expect(reading.uptimeSeconds).toBeLessThan(3600);
  });

  it('costs five processes a look', async (context) => {
    const { open, ran } = await startShelf(context, [{ serial }]);

    await present(open());

    expect(ran).toEqual([
      'adb devices -l',
      `adb -s ${serial} shell cat /proc/uptime && getprop`,
      `adb -s ${serial} shell dumpsys battery`,
      `adb -s ${serial} shell dumpsys thermalservice`,
      `adb -s ${serial} shell dumpsys usb`,
    ]);
  });
});

describe('which phone', () => {
  const two: AndroidOptions[] = [{ serial }, { serial: 'R58M1002', model: 'galaxy-s24' }];

  it('is named by its serial', async (context) => {
    const { open } = await startShelf(context, two);

    expect((await present(open({ serial: 'R58M1002' }))).dimensions.device_type).toContain('e1s');
    expect((await present(open({ serial }))).dimensions.device_type).toEqual(['redfin']);
  });

  it('is not guessed where there are two', async (context) => {
    const { open } = await startShelf(context, two);

    expect(await unreadable(open())).toEqual({
      code: 'rack-yaml',
      why: `2 devices are attached (${serial} on USB port 1-1.1, R58M1002 on USB port 1-1.2); set \`serial\` in rack.yaml to select one`,
    });
  });

  it('is not another one than that of rack.yaml', async (context) => {
    const { open } = await startShelf(context, [{ serial }]);

    expect(await missing(open({ serial: 'X' }))).toBe(
      `not attached: adb does not list a device with the serial number X; attached: ${serial} on USB port 1-1.1`,
    );
  });

  it('is not there at all', async (context) => {
    const { open } = await startShelf(context, []);

    expect(await missing(open())).toBe('not attached: adb does not list any devices');
  });

  it.for([
    { interfaces: ['ff/42/03'], why: /bootloader mode \(fastboot\)/, code: undefined },
    { interfaces: ['ff/42/01'], why: /over USB, but adb does not list it/, code: undefined },
    { interfaces: ['06/01/01'], why: /USB debugging is off/, code: 'needs-person' },
  ])('is on USB, and adb does not see it: $interfaces', async (its, context) => {
    const { interfaces, why, code } = its;
    const { open, plugIn } = await startShelf(context, []);
    await plugIn('1-1.2', { vendor: '18d1', product: '4ee7', serial, interfaces });

    expect(await open({ serial }).read(never)).toEqual({
      state: 'missing',
      why: expect.stringMatching(why),
      code,
    });
  });
});

describe('a phone that cannot be used has the reason', () => {
  it.for([
    {
      state: 'unauthorized',
      why: /^unauthorized; accept this machine's key on the device's screen$/,
      code: 'needs-person',
    },
    { state: 'authorizing', why: /^adb is still connecting \(authorizing\)$/ },
    { state: 'no permissions', why: /^no permissions: .*udev rules/, code: 'needs-person' },
    { state: 'recovery', why: /^in recovery/ },
    { state: 'sideload', why: /^in sideload/ },
    { state: 'bootloader', why: /^in bootloader/ },
  ] as const)('$state', async ({ state, why, ...its }, context) => {
    const { open } = await startShelf(context, [{ serial, state }]);

    expect(await open().read(never)).toEqual({
      state: 'missing',
      why: expect.stringMatching(why),
      ...its,
    });
  });

  it('offline, once reconnecting it did not help', async (context) => {
    const { open, server, ran } = await startShelf(context, [{ serial, state: 'offline' }]);
    server.phone().canReconnect = false;
    const device = open();

    expect(await missing(device)).toMatch(/^offline: /);
    expect(await missing(device)).toMatch(/^offline: /);

    expect(ran.filter((command) => command === 'adb reconnect offline')).toHaveLength(1);
  });

  it('offline, and is back where reconnecting helps', async (context) => {
    const { open } = await startShelf(context, [{ serial, state: 'offline' }]);

    expect(await present(open())).toMatchObject({ serial });
  });
});

describe('a phone that misbehaves', () => {
  const anyShell = /shell|exec/;

  it.for([
    { answer: '', why: /its shell is not responding/ },
    { answer: '\xff\0\x1b[garbage', why: /its response is invalid/ },
    { answer: '5000.1 6000.1\n[ro.product.model]: []\n', why: /does not report any properties/ },
    { answer: '5000.1 6000.1\n'.repeat(2 ** 22), why: /^adb printed more than \d+ bytes$/ },
  ])('is missing: $why', async ({ answer, why }, context) => {
    const { open, server } = await startShelf(context, [{ serial }]);
    const { programs } = server.phone();
    programs.set('cat', () => ({ stdout: answer }));
    programs.set('getprop', () => ({}));

    expect(await missing(open())).toMatch(why);

    programs.clear();
    expect(await present(open())).toMatchObject({ serial });
  });

  it.for([{}, { after: { answered: 500 } }])('is missing, in time: %o', async (when, context) => {
    const { open, relay, settings } = await startShelf(context, [{ serial }]);
    const silence = relay.inject({ at: anyShell, ...when, effect: 'silence' });
    settings.commandSeconds = 4;

    expect(await missing(open())).toBe('adb took longer than 4 s');

    await silence.givenUp();
    relay.mend();
    settings.commandSeconds = 20;
    expect(await present(open())).toMatchObject({ serial });
  });

  it('has a reason if the connection ends in the middle', async (context) => {
    const { open, relay } = await startShelf(context, [{ serial }]);
    relay.inject({ at: anyShell, after: { answered: 500 }, effect: 'end' });

    const look = await open().read(never);
    // Half of its properties may have come.
    if (look.state === 'missing') expect(look.why).not.toBe('');

    relay.mend();
    expect(await present(open())).toMatchObject({ serial });
  });

  it('reports thousandths of a degree', async (context) => {
    const { open, server } = await startShelf(context, [{ serial }]);
    for (const sensor of server.phone().thermal.sensors) sensor.value *= 1000;

    expect((await present(open())).temperatures).toMatchObject({
      battery: 28.1,
      'skin-therm': 31.4,
      dumpsys_battery: 28.1,
    });
  });

  it('whose services are gone is present, but not ready', async (context) => {
    const { open, server } = await startShelf(context, [{ serial }]);
    server.phone().programs.set('dumpsys', () => ({ stdout: "Can't find service: x\n" }));

    const reading = await present(open());

    expect(reading).toMatchObject({
      isReady: false,
      whyNotReady: expect.stringMatching(/^the system services are not responding \(Can't find/),
      unread: { battery: true, heat: true },
      temperatures: {},
      dimensions: { device_type: ['redfin'] },
    });
  });

  it('is given up at once when the agent stops', async (context) => {
    const { open, relay } = await startShelf(context, [{ serial }]);
    const silence = relay.inject({ at: anyShell, effect: 'silence' });
    const wanted = new AbortController();
    const look = open().read(wanted.signal);
    look.catch(() => undefined);
    await silence.struck();

    wanted.abort(new Error('the agent is stopping'));

    await expect(look).rejects.toThrow('the agent is stopping');
    await silence.givenUp();
  });
});

describe('a repair', () => {
  it('reconnects', async (context) => {
    const { open, server } = await startShelf(context, [{ serial, state: 'offline' }]);

    await open({ serial }).repairs['adb-reconnect']?.(never);

    expect(server.phone().state).toBe('device');
  });

  it('of a phone that is not there is reported', async (context) => {
    const { open } = await startShelf(context, []);
    const { repairs } = open({ serial });

    await expect(repairs['adb-reconnect']?.(never)).rejects.toThrow('not attached');
    await expect(repairs['device-reboot']?.(never)).rejects.toThrow('not attached');
  });

  it('reboots that phone and no other', async (context) => {
    const { open, server } = await startShelf(context, [{ serial }, { serial: 'other' }]);

    await open({ serial }).repairs['device-reboot']?.(never);

    await server.phone(serial).whenBooted(2);
    expect(server.phone('other').boots).toBe(1);
  });

  it('reboots one that is offline', async (context) => {
    const { open, server } = await startShelf(context, [{ serial, state: 'offline' }]);

    await open().repairs['device-reboot']?.(never);

    await server.phone().whenBooted(2);
  });

  it('reboots one that never ends the connection', async (context) => {
    const { open, server, relay, settings } = await startShelf(context, [
      { serial, rebootMs: 60_000 },
    ]);
    relay.inject({ at: /reboot:/, after: { answered: 0 }, effect: 'silence' });
    settings.commandSeconds = 4;

    await open().repairs['device-reboot']?.(never);

    expect(server.phone().isPresent()).toBe(false);
  });
});

describe('evidence', () => {
  it('is what adb sees, the last log and the screen', async (context) => {
    const { open, dir } = await startShelf(context, [{ serial }]);
    const folder = join(dir, 'evidence');
    await mkdir(folder);

    const files = await open().writeEvidence?.(folder, never);

    expect(files).toEqual(['adb-devices.txt', 'logcat.txt', 'screen.png']);
    expect(await readFile(join(folder, 'adb-devices.txt'), 'utf8')).toContain(serial);
    expect(await readFile(join(folder, 'logcat.txt'), 'utf8')).toContain('SIGSEGV');
    expect(await readFile(join(folder, 'screen.png'))).toEqual(screenshot);
  });

  it('is what there is', async (context) => {
    const { open, dir, relay, settings } = await startShelf(context, [{ serial }]);
    const folder = join(dir, 'evidence');
    await mkdir(folder);
    relay.inject({ at: /shell|exec/, effect: 'silence' });
    settings.commandSeconds = 4;

    expect(await open().writeEvidence?.(folder, never)).toEqual(['adb-devices.txt']);
  });
});

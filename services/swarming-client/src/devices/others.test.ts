/** PyOCD, the machine itself, and what is found by itself. */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { runCommand } from '@skolo/base/run-command';
import { tempDir } from '@skolo/base/testing';
import { peer, startAdbServer, startIphoneTools } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { HostDimensions, hostDimensions } from '../hooks/host-dimensions.ts';
import { type Lab, missing, never, present, startLab, unreadable } from './testing/lab.ts';
import { nothingListed, programs } from './testing/programs.ts';

const nobody = '/nonexistent';
const probe = { vendor: '0d28', product: '0204', name: 'BBC micro:bit CMSIS-DAP' };
const boards = (...ids: string[]) =>
  JSON.stringify({
    pyocd_version: '0.36.0',
    version: { major: 1, minor: 1 },
    status: 0,
    boards: ids.map((id) => ({
      unique_id: id,
      info: 'Arm DAPLink',
      board_vendor: null,
      board_name: 'NUCLEO-L4R5ZI',
      target: 'stm32l4r5zitx',
      vendor_name: 'Arm',
      product_name: 'DAPLink',
    })),
  });

async function startProbes(script?: string): Promise<Lab> {
  if (script === undefined) return await startLab({ PATH: nobody });
  const folder = await programs({ pyocd: script });
  return await startLab({ PATH: [folder, '/usr/bin', '/bin'].join(delimiter) });
}

describe('a debug probe', () => {
  const kind = 'pyocd';

  it('is what PyOCD reports of it, which is asked once for what is on USB', async () => {
    const { open, plugIn, ran } = await startProbes(`echo '${boards('066EFF', '0240')}'`);
    await plugIn('1-1.1', { ...probe, serial: '066EFF' });
    const device = open({ kind, serial: '066eff' });

    expect(await present(device)).toMatchObject({
      dimensions: { device_type: ['NUCLEO-L4R5ZI', 'stm32l4r5zitx'] },
      serial: '066eff',
    });
    await present(device);
    expect(ran).toEqual(['pyocd json --probes']);

    await plugIn('1-1.2', { ...probe, serial: '0240' });
    await present(device);
    expect(ran).toHaveLength(2);
  });

  it('is believed to be there without PyOCD, and where that fails', async () => {
    for (const script of [undefined, 'exit 1', 'echo nonsense', 'echo "{}"']) {
      const { open } = await startProbes(script);

      expect(await present(open({ kind }))).toEqual({ dimensions: {}, temperatures: {} });
    }
  });

  it('is believed to be there while PyOCD hangs', async () => {
    const { open, settings } = await startProbes('exec sleep 600');
    settings.commandSeconds = 1;

    expect(await present(open({ kind }))).toMatchObject({ dimensions: {} });
  });

  it('is missing where PyOCD sees none, and neither does USB', async () => {
    const { open, plugIn } = await startProbes(`echo '${boards('0240')}'`);

    expect(await missing(open({ kind, serial: '066EFF' }))).toBe(
      'not attached: no debug probe with the serial number 066EFF was found; attached: 0240',
    );
    await plugIn('1-1.1', { ...probe, serial: '066EFF' });
    expect(await present(open({ kind, serial: '066EFF' }))).toMatchObject({ serial: '066EFF' });
  });

  it('is missing once it was seen and is unplugged, without PyOCD, too', async () => {
    const { open, plugIn, deps } = await startProbes();
    await plugIn('1-1.1', { ...probe, serial: '066EFF' });
    const device = open({ kind });
    await present(device);

    await rm(deps.sysfs ?? '', { recursive: true });

    expect(await missing(device)).toMatch(/^unplugged/);
  });

  it('is not guessed where there are two', async () => {
    const { open, plugIn } = await startProbes();
    await plugIn('1-1.1', { ...probe, serial: 'A' });
    await plugIn('1-1.2', { vendor: '0483', product: '374b', serial: 'B' });
    await plugIn('1-1.3', { vendor: '046d', product: 'c077', name: 'a mouse' });

    expect(await unreadable(open({ kind }))).toEqual({
      code: 'rack-yaml',
      why: expect.stringMatching(/^2 probes are attached \(A, B\)/),
    });
  });
});

describe('what is attached', () => {
  const kind = 'auto';
  const serial = '0A041FDD4003BB';
  const udid = '00008030-001C2D3E0123802E';

  async function startBoth(context: TestContext) {
    if (peer('adb') === undefined) context.skip('adb is not installed');
    const server = await startAdbServer({ phones: [] });
    onTestFinished(() => server.close());
    const tools = await startIphoneTools({ phones: [{ udid }] });
    onTestFinished(() => tools.close());
    tools.phone().unplug();
    const lab = await startLab({
      ANDROID_ADB_SERVER_PORT: String(server.port),
      PATH: [tools.folder, process.env.PATH ?? ''].join(delimiter),
    });
    return { ...lab, server, tools };
  }

  it('is found, reported and proposed', async (context) => {
    const { open, server, logged } = await startBoth(context);
    server.add({ serial });
    const device = open({ kind });

    expect(await present(device)).toMatchObject({ kind: 'android', serial });
    await present(device);

    expect(logged().filter(({ kind: found }) => found === 'android')).toEqual([
      expect.objectContaining({
        msg: 'found an Android device; set kind: android for it in rack.yaml',
        proposal: `device: { kind: android, serial: ${serial} }`,
      }),
    ]);
    expect(Object.keys(device.repairs)).toContain('adb-reconnect');
  });

  it('stays what it is while it is missing, until something else is there', async (context) => {
    const { open, server, tools } = await startBoth(context);
    const phone = server.add({ serial });
    const device = open({ kind });
    await present(device);

    phone.state = 'unauthorized';
    expect(await missing(device)).toMatch(/^unauthorized/);
    phone.unplug();
    expect(await missing(device)).toBe('not attached: adb does not list any devices');

    tools.phone().plugIn();
    expect(await present(device)).toMatchObject({ kind: 'ios', serial: udid });
    expect(Object.keys(device.repairs)).toEqual(['device-reboot']);
  });

  it('is not the other kind while a phone that USB shows cannot be listed', async () => {
    const tools = await startIphoneTools({ phones: [{ udid }] });
    onTestFinished(() => tools.close());
    const broken = await programs({ adb: 'echo "error: cannot connect to daemon" >&2; exit 1' });
    const PATH = [broken, tools.folder, process.env.PATH ?? ''].join(delimiter);
    const { open, plugIn } = await startLab({ PATH, ANDROID_ADB_SERVER_PORT: '1' });
    const device = open({ kind });
    await plugIn('1-1.2', { vendor: '18d1', product: '4ee7', serial, interfaces: ['ff/42/01'] });

    expect(await unreadable(device)).toMatchObject({ code: 'not-listed' });
    expect(await present(open({ kind, serial: udid }))).toMatchObject({ kind: 'ios' });
  });

  it('is not guessed where there are two kinds', async (context) => {
    const { open, server, tools } = await startBoth(context);
    server.add({ serial });
    tools.phone().plugIn();

    expect(await unreadable(open({ kind }))).toEqual({
      code: 'rack-yaml',
      why: expect.stringMatching(/^an Android device and an iOS device are/),
    });
    expect(await present(open({ kind, serial: udid }))).toMatchObject({ kind: 'ios' });
  });

  it('is found by its serial number as the driver of its kind compares it', async (context) => {
    const { open, server, tools, plugIn } = await startBoth(context);
    server.add({ serial: ' GS1012' });
    tools.phone().plugIn();
    await plugIn('1-1', { ...probe, serial: '066EFF' });

    const found = ['GS1012', udid.replace('-', '').toLowerCase(), '066eff'].map(async (serial) => {
      const { kind: its } = await present(open({ kind, serial }));
      return its;
    });
    expect(await Promise.all(found)).toEqual(['android', 'ios', 'pyocd']);
  });

  it.each([
    { usb: { vendor: '05ac', product: '12a8' }, why: /an Apple device/ },
    { usb: { vendor: '18d1', product: '4ee0', interfaces: ['ff/42/03'] }, why: /bootloader/ },
    {
      usb: { vendor: '18d1', product: '4ee7', interfaces: ['ff/42/01'] },
      why: /adb does not list/,
    },
    { usb: { vendor: '046d', product: 'c077' }, why: /^no supported device is attached/ },
  ])('is on USB, and nothing more is known: $why', async ({ usb, why }) => {
    const { open, plugIn } = await startLab({ PATH: await programs(nothingListed) });
    await plugIn('1-1', usb);

    expect(await missing(open({ kind }))).toMatch(why);
  });

  it.each([
    { usb: '18d1', lists: { idevice_id: 'exit 0' }, why: /^adb is not installed/ },
    { usb: '05ac', lists: { adb: nothingListed.adb }, why: /^idevice_id is not installed/ },
  ])('is unknown where the program that would list it is not installed: $why', async (its) => {
    const { open, plugIn } = await startLab({ PATH: await programs(its.lists) });
    await plugIn('1-1', { vendor: its.usb, product: '12a8' });

    const { code, why } = await unreadable(open({ kind }));

    expect(code).toBe('host-fault');
    expect(why).toMatch(its.why);
  });

  it('is not another one than that of rack.yaml', async () => {
    const { open, plugIn } = await startLab({ PATH: await programs(nothingListed) });
    await plugIn('1-1', { vendor: '05ac', product: '12a8', serial: '00008030001A' });

    expect(await missing(open({ kind, serial: '00008030-001A' }))).toMatch(/an Apple device/);
    expect(await missing(open({ kind, serial: 'X' }))).toMatch(
      /^no supported device with the serial number X is attached/,
    );
  });

  it('is a probe', async () => {
    const { open, plugIn } = await startLab({ PATH: nobody });
    await plugIn('1-1', { ...probe, serial: 'P1' });

    expect(await present(open({ kind }))).toMatchObject({ kind: 'pyocd', serial: 'P1' });
  });
});

describe('the machine itself', () => {
  const files = {
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
    'etc/debian_version': '12.4\n',
    'proc/cpuinfo': 'processor\t: 0\nFeatures\t: half thumb\n\nHardware\t: BCM2835\n',
  };

  async function startHost(more: Record<string, string>, script: Record<string, string> = {}) {
    const dir = await tempDir();
    for (const [file, text] of Object.entries({ ...files, ...more })) {
      await mkdir(dirname(join(dir, file)), { recursive: true });
      await writeFile(join(dir, file), text);
    }
    const PATH = await programs(script);
    const run = runCommand;
    return async (machine: string, bits: 32 | 64) =>
      await hostDimensions(
        (file, args, options) => run(file, args, { ...options, env: { PATH } }),
        { signal: never, timeoutMs: 20_000, root: dir, machine, bits, cores: 4 },
      );
  }

  it('has a cpu also where it is an old Raspberry Pi', async () => {
    const host = await startHost({});

    expect(await host('armv7l', 32)).toEqual({
      os: ['Linux', 'Debian', 'Debian-12', 'Debian-12.4'],
      cores: ['4'],
      cpu: ['armv7l', 'armv7l-32', 'armv7l-32-BCM2835', 'arm', 'arm-32'],
      gpu: ['none'],
    });
  });

  it('has graphics with their drivers, Docker, and is in a cloud', async () => {
    const pci = (at: string, kind: string, vendor: string, device: string) => ({
      [`sys/bus/pci/devices/${at}/class`]: `0x${kind}\n`,
      [`sys/bus/pci/devices/${at}/vendor`]: `0x${vendor}\n`,
      [`sys/bus/pci/devices/${at}/device`]: `0x${device}\n`,
    });
    const host = await startHost(
      {
        ...pci('0000:00:02.0', '030000', '8086', '3ea5'),
        ...pci('0000:01:00.0', '030200', '10de', '1d10'),
        ...pci('0000:00:1f.3', '040300', '8086', '9dc8'),
        'sys/module/nvidia/version': '470.103\n',
        'sys/class/dmi/id/product_name': 'Google Compute Engine\n',
      },
      {
        dpkg: "echo 'Package: libgl1-mesa-dri'; echo 'Version: 22.3.6-1'",
        docker: 'echo Client',
      },
    );

    expect(await host('x86_64', 64)).toMatchObject({
      gpu: ['10de', '10de:1d10', '10de:1d10-470.103', '8086', '8086:3ea5', '8086:3ea5-22.3.6-1'],
      gce: ['1'],
      docker_installed: ['true'],
    });
  });

  it('is read while its dimensions are wanted', async () => {
    const run = runCommand;
    const asked: string[] = [];
    const host = new HostDimensions({
      run: (file, args, options) => {
        asked.push([file, ...args].join(' '));
        return run(file, args, options);
      },
      emit: () => undefined,
    });
    onTestFinished(() => host.stop());

    expect(host.get()).toBeUndefined();
    host.setWanted(true);
    host.setWanted(true);
    await expect.poll(() => host.get()?.os?.[0]).toBe('Linux');
    expect(host.get()?.cpu).toBeDefined();
    host.setWanted(false);

    expect(host.get()).toBeUndefined();
    expect(asked.filter((command) => command === 'docker version')).toHaveLength(1);
  });

  it('reports what it can, whatever hangs', async () => {
    const run = runCommand;

    const found = await hostDimensions(
      (_, __, options) => run('sleep', ['600'], { ...options, timeoutMs: 50 }),
      { signal: never },
    );

    expect(found.os?.[0]).toBe('Linux');
    expect(found.docker_installed).toBeUndefined();
  });
});

import { mkdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import {
  type IphoneOptions,
  type IphoneTools,
  iphoneScreenshot,
  startIphoneTools,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Lab, missing, never, present, startLab, unreadable } from './testing/lab.ts';
import { programs } from './testing/programs.ts';

const udid = '00008030-001C2D3E0123802E';
const other = '00008101-000A1B2C3D4E001E';

async function startPhones(
  phones: readonly IphoneOptions[],
): Promise<Lab & { tools: IphoneTools }> {
  const tools = await startIphoneTools({ phones });
  onTestFinished(() => tools.close());
  const path = [tools.folder, process.env.PATH ?? ''].join(delimiter);
  return { ...(await startLab({ PATH: path })), tools };
}

const kind = 'ios';

describe('an iPhone', () => {
  it('has what Swarming chooses it by, and its battery', async () => {
    const { open, ran, tools } = await startPhones([{ udid }]);
    tools.phone().battery.set('BatteryCurrentCapacity', '64');

    expect(await present(open({ kind }))).toEqual({
      dimensions: { os: ['iOS', 'iOS-14.4.2'], device_type: ['iPhone12,1'] },
      serial: udid,
      batteryPercent: 64,
      unread: { battery: false, heat: false },
      temperatures: {},
    });
    expect(ran).toHaveLength(3);
  });

  it.each(['', '-1', '101', 'x'])('has no battery of %j percent', async (capacity) => {
    const { open, tools } = await startPhones([{ udid }]);
    tools.phone().battery.set('BatteryCurrentCapacity', capacity);

    const { batteryPercent, unread } = await present(open({ kind }));
    expect([batteryPercent, unread]).toEqual([undefined, { battery: true, heat: false }]);
  });

  it('is chosen by its UDID, with or without the hyphen', async () => {
    const { open } = await startPhones([{ udid: other }, { udid, productType: 'iPad13,4' }]);

    const { dimensions } = await present(open({ kind, serial: udid.replace('-', '') }));
    expect(dimensions.device_type).toEqual(['iPad13,4']);
  });

  it('is not guessed where there are two', async () => {
    const { open } = await startPhones([{ udid }, { udid: other }]);

    expect(await unreadable(open({ kind }))).toEqual({
      code: 'rack-yaml',
      why: expect.stringMatching(/^2 devices are attached .*UDID/),
    });
    expect(await missing(open({ kind, serial: 'f'.repeat(40) }))).toMatch(
      /^not attached: no device f+; attached: /,
    );
  });

  describe('with a USB port in rack.yaml', () => {
    const left = { kind, name: 'left', power: { hub: '1-1', port: 2 } } as const;
    const right = { kind, name: 'right', power: { hub: '1-1', port: 3 } } as const;

    async function startTwo() {
      const lab = await startPhones([{ udid }, { udid: other }]);
      // The kernel shows what the phone reports, which has no hyphen.
      const plugIn = (path: string, its: string) =>
        lab.plugIn(path, { vendor: '05ac', product: '12a8', serial: its.replace('-', '') });
      return { ...lab, plugIn };
    }

    it('is the one at that port', async () => {
      const { open, plugIn } = await startTwo();
      await plugIn('1-1.2', other);
      await plugIn('1-1.3', udid);

      expect(await present(open(left))).toMatchObject({ serial: other });
      expect(await present(open(right))).toMatchObject({ serial: udid });
    });

    it('is not one at another port', async () => {
      const { open, plugIn, tools } = await startTwo();
      await plugIn('1-1.3', udid);
      await plugIn('1-1.4', other);
      const [first, second] = [open(left), open(right)];

      expect(await missing(first)).toBe(
        `not attached to USB port 1-1.2; attached: ${udid}, ${other}`,
      );
      tools.phone(other).unplug();
      expect(await missing(first)).toBe(`not attached to USB port 1-1.2; attached: ${udid}`);
      expect(await present(second)).toMatchObject({ serial: udid });
    });

    it('cannot be told apart without the list of USB', async () => {
      const { open } = await startTwo();

      expect(await unreadable(open(left))).toMatchObject({ code: 'rack-yaml' });
    });

    it('that was replaced needs another serial number in rack.yaml', async () => {
      const { open, plugIn } = await startTwo();
      await plugIn('1-1.2', other);

      expect(await unreadable(open({ ...left, serial: 'f'.repeat(40) }))).toEqual({
        code: 'rack-yaml',
        why: `USB port 1-1.2 has another device, ${other}; if it replaces this one, change \`serial\` in rack.yaml`,
      });
    });
  });

  it('is not there, or its presence is unknown', async () => {
    const { open, tools } = await startPhones([]);

    expect(await missing(open({ kind }))).toBe('not attached: usbmuxd does not list any devices');
    tools.isWithoutUsbmuxd = true;
    expect(await unreadable(open({ kind }))).toEqual({
      code: 'not-listed',
      why: expect.stringMatching(/^usbmuxd is not responding; restart it/),
    });
  });

  it('without the tools reports what to install', async () => {
    const { open } = await startLab({ PATH: '/nonexistent' });

    expect(await unreadable(open({ kind }))).toEqual({
      code: 'host-fault',
      why: 'idevice_id is not installed; install package libimobiledevice-utils',
    });
  });

  it.each([
    { fault: 'locked', why: /^locked with a passcode/, code: 'needs-person' },
    {
      fault: 'not-trusted',
      why: /^the device does not trust this machine yet/,
      code: 'needs-person',
    },
    { fault: 'trust-denied', why: /^somebody tapped "Don't Trust"/, code: 'needs-person' },
    { fault: 'mux-error', why: /^the connection keeps/ },
    { fault: 'garbage', why: /prints neither ProductType nor ProductVersion/ },
    { fault: 'empty-answers', why: /prints neither ProductType nor ProductVersion/ },
    { fault: 'hangs', why: /^ideviceinfo took longer than 5 s$/ },
    { fault: 'hangs-mid-way', why: /^ideviceinfo took longer than 5 s$/ },
  ] as const)('that is $fault is missing, and says why', async ({ fault, why, ...its }) => {
    const { open, tools, settings } = await startPhones([{ udid }]);
    const device = open({ kind });
    tools.phone().faults.add(fault);
    settings.commandSeconds = fault.startsWith('hangs') ? 5 : 20;

    expect(await device.read(never)).toEqual({
      state: 'missing',
      why: expect.stringMatching(why),
      ...its,
    });

    tools.phone().faults.clear();
    settings.commandSeconds = 20;
    expect(await present(device)).toMatchObject({ serial: udid });
  });
});

describe('an error of pairing has its remedy', () => {
  it.each([
    ['Could not connect to lockdownd: Pairing failed (-4)', /idevicepair pair/],
    ['Could not connect to lockdownd: SSL error (-5)', /damaged; run `idevicepair unpair`/],
    ['Could not connect to lockdownd, error code -16', /idevicepair pair/],
    ['Could not connect to lockdownd: Missing HostID (-20)', /idevicepair pair/],
    ['Could not connect to lockdownd: Invalid HostID (-21)', /idevicepair pair/],
    ['Could not connect to lockdownd: Missing pair record (-29)', /idevicepair pair/],
    ['Could not connect to lockdownd: Invalid pair record (-31)', /damaged/],
    ['Could not connect to lockdownd: Escrow locked (-35)', /passcode/],
    ['Could not connect to lockdownd: Pairing is not possible (-36)', /over USB/],
    ['Could not connect to lockdownd: MC protected (-38)', /management profile/],
    ['Could not connect to lockdownd: FMiP protected (-37)', /lost; .*Find My/],
    ['Could not connect to lockdownd: Missing activation record (-33)', /activate it/],
  ])('%s, which only a person can apply, whatever the exit status', async (error, why) => {
    const status = error.length % 2;
    const PATH = await programs({
      idevice_id: `echo ${udid}`,
      ideviceinfo: `echo 'ERROR: ${error}'; exit ${status}`,
    });
    const { open } = await startLab({ PATH });

    expect(await open({ kind }).read(never)).toEqual({
      state: 'missing',
      why: expect.stringMatching(why),
      code: 'needs-person',
    });
  });

  it.each([
    'Could not connect to lockdownd: Mux error (-8)',
    'Could not connect to lockdownd: Receive timeout (-7)',
    'Could not connect to lockdownd: Invalid HostID (unknown error)',
  ])('but not %s', async (error) => {
    const PATH = await programs({
      idevice_id: `echo ${udid}`,
      ideviceinfo: `echo 'ERROR: ${error}'; exit 1`,
    });
    const { open } = await startLab({ PATH });

    expect(await open({ kind }).read(never)).toEqual({
      state: 'missing',
      why: expect.stringContaining(error),
    });
  });
});

describe('the battery', () => {
  it.each([
    ['HasBattery: false', false],
    ['HasBattery: true', true],
    ['ERROR: Could not connect to lockdownd: SSL error (-5)', true],
  ])('%s', async (text, battery) => {
    const PATH = await programs({
      idevice_id: `echo ${udid}`,
      ideviceinfo: `[ "$3" = -q ] && { echo '${text}'; exit 0; }
printf 'ProductType: AppleTV5,3\nProductVersion: 14.4.2\n'`,
    });
    const { open } = await startLab({ PATH });

    expect(await present(open({ kind }))).toMatchObject({ unread: { battery } });
  });
});

describe('a restart', () => {
  it('is of that one', async () => {
    const { open, tools } = await startPhones([{ udid: other }, { udid, restartMs: 60_000 }]);

    await open({ kind, serial: udid }).repairs['device-reboot']?.(never);

    expect(tools.phone(udid).isPresent()).toBe(false);
    expect(tools.phone(other).isPresent()).toBe(true);
  });

  it('that is rejected is reported', async () => {
    const { open, tools } = await startPhones([{ udid }]);
    tools.phone().faults.add('restart-rejected');

    await expect(open({ kind }).repairs['device-reboot']?.(never)).rejects.toThrow(/restart/);
  });
});

describe('evidence', () => {
  it('is what is attached, some seconds of its log, and its screen', async () => {
    const { open, dir, settings } = await startPhones([{ udid }]);
    const folder = join(dir, 'evidence');
    await mkdir(folder);
    settings.commandSeconds = 5;

    const files = await open({ kind }).writeEvidence?.(folder, never);

    expect(files).toEqual(['idevices.txt', 'syslog.txt', 'screen.tiff']);
    expect(await readFile(join(folder, 'syslog.txt'), 'utf8')).toContain('SpringBoard');
    expect(await readFile(join(folder, 'screen.tiff'))).toEqual(iphoneScreenshot);
  });

  it('is what there is', async () => {
    const { open, dir, tools, settings } = await startPhones([{ udid }]);
    const folder = join(dir, 'evidence');
    await mkdir(folder);
    settings.commandSeconds = 5;
    tools.phone().faults.add('no-screenshots');

    expect(await open({ kind }).writeEvidence?.(folder, never)).toEqual([
      'idevices.txt',
      'syslog.txt',
    ]);
  });
});

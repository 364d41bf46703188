import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CommandFailed, type RunCommand } from '@skolo/base/run-command';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HostWatch } from './host-watch.ts';

const missing: RunCommand = async (file) => {
  throw new CommandFailed('missing', `${file} is not installed`);
};

async function start(files: Record<string, string>, run: RunCommand = missing) {
  const sys = await tempDir();
  const write = async (name: string, text: string) => {
    await mkdir(dirname(join(sys, name)), { recursive: true });
    await writeFile(join(sys, name), text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const clock = fakeClock('2026-11-20T12:00:00Z');
  const asked: string[] = [];
  const watch = new HostWatch({
    botDir: () => join(sys, 'not', 'yet', 'there'),
    readSeconds: () => 3600,
    run: (file, args, options) => {
      asked.push([file, ...args].join(' '));
      return run(file, args, options);
    },
    clock,
    sys,
    clockOffset: () => 1.5,
    emit: () => undefined,
  });
  onTestFinished(() => watch.stop());
  return { watch, clock, write, asked };
}

/** Thermal zones in /sys, with thousandths of a degree. */
const zones = (...all: [type: string, temp: number][]) =>
  Object.fromEntries(
    all.flatMap(([type, temp], at) => [
      [`class/thermal/thermal_zone${at}/type`, `${type}\n`],
      [`class/thermal/thermal_zone${at}/temp`, `${temp}\n`],
    ]),
  );
const firmware = 'devices/platform/soc/soc:firmware/get_throttled';
const saying =
  (stdout: string): RunCommand =>
  async () => ({ status: 0, stdout, stderr: '' });

describe('the machine itself', () => {
  it('reads its disk and clock where it has no other sensor', async () => {
    const { watch } = await start({});

    const { disk, ...others } = await watch.read();

    expect(disk?.sizeBytes).toBeGreaterThan(0);
    expect(disk?.freeBytes).toBeGreaterThan(0);
    expect(others).toEqual({ clockOffsetSeconds: 1.5 });
  });

  it.each([
    { title: 'a Raspberry Pi', files: zones(['cpu-thermal', 48_312]), celsius: 48.312 },
    {
      title: 'a PC, whose radio is hotter',
      files: zones(['iwlwifi_1', 91_000], ['x86_pkg_temp', 55_000]),
      celsius: 55,
    },
    {
      title: 'a chip of hwmon',
      files: {
        'class/hwmon/hwmon0/name': 'nvme\n',
        'class/hwmon/hwmon0/temp1_input': '70000\n',
        'class/hwmon/hwmon1/name': 'k10temp\n',
        'class/hwmon/hwmon1/temp1_input': '41000\n',
        'class/hwmon/hwmon1/temp2_input': '43500\n',
      },
      celsius: 43.5,
    },
    { title: 'nonsense', files: zones(['cpu-thermal', -273_000]), celsius: undefined },
  ])('has a temperature: $title', async ({ files, celsius }) => {
    const { watch } = await start(files);

    expect((await watch.read()).celsius).toBe(celsius);
  });

  it.each([
    { title: 'all is well', files: { [firmware]: '0\n' }, is: [false, false] },
    { title: 'under-voltage', files: { [firmware]: '50005\n' }, is: [true, true] },
    { title: 'it was, and is not', files: { [firmware]: '50000\n' }, is: [false, false] },
    { title: 'the soft limit only', files: { [firmware]: '80008\n' }, is: [false, false] },
    {
      title: 'by hwmon',
      files: {
        'class/hwmon/hwmon3/name': 'rpi_volt\n',
        'class/hwmon/hwmon3/in0_lcrit_alarm': '1\n',
      },
      is: [true, undefined],
    },
    { title: 'by vcgencmd', run: saying('throttled=0x20002\n'), is: [false, true] },
    { title: 'by none', run: saying('VCHI initialization failed\n'), is: [undefined, undefined] },
  ])('tells of its power: $title', async ({ files = {}, run, is }) => {
    const { watch } = await start(files, run);

    const { isUnderVoltage, isThrottled } = await watch.read();

    expect([isUnderVoltage, isThrottled]).toEqual(is);
  });

  it('is short of power until it was not for two minutes', async () => {
    const { watch, clock, write } = await start({ [firmware]: '1\n' });
    await watch.read();
    await write(firmware, '0\n');

    clock.pass(60_000);
    const soon = await watch.read();
    clock.pass(60_000);
    const later = await watch.read();

    expect([soon.isUnderVoltage, later.isUnderVoltage]).toEqual([true, false]);
  });

  it('is short of power for as long if that cannot be read meanwhile', async () => {
    let isReadable = true;
    const { watch, clock } = await start({}, async () => {
      if (isReadable) return { status: 0, stdout: 'throttled=0x1', stderr: '' };
      throw new CommandFailed('timeout', 'vcgencmd took longer than 5 s');
    });
    await watch.read();
    isReadable = false;

    clock.pass(60_000);
    const soon = await watch.read();
    clock.pass(60_000);
    const later = await watch.read();

    expect([soon.isUnderVoltage, later.isUnderVoltage]).toEqual([true, undefined]);
  });

  it('is not asked for a vcgencmd that is not there again and again', async () => {
    const { watch, asked } = await start({});

    for (let time = 0; time < 3; time += 1) await watch.read();

    expect(asked).toEqual(['vcgencmd get_throttled']);
  });
});

import { readFileSync } from 'node:fs';
import { anyCharacter } from '@skolo/base/durable/any-character';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dimensions, versionsOf } from '../../dimensions.ts';
import { readIdeviceInfo, readUdids } from '../ios.ts';
import { readAdbDevices, readBattery, readProperties, readThermal } from './android.ts';
import { cpuNames, gpuNames, osNames, readCpuInfo, readGpus, readSysfsSensors } from './linux.ts';
import { linesOf, readAssignments, readUptime } from './text.ts';

function recorded(name: string): string {
  return readFileSync(new URL(`./testdata/${name}`, import.meta.url), 'utf8');
}

/** Anything that might come over a wire, and broken pieces of what should. */
const anything = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 200 }),
  fc
    .tuple(
      fc.constantFrom(
        recorded('thermalservice-android-14.txt'),
        recorded('ideviceinfo-iphone-11.txt'),
        recorded('cpuinfo-intel.txt'),
        recorded('lspci-nuc.txt'),
        recorded('getprop-crcrlf.txt'),
      ),
      fc.nat(2000),
      fc.nat(2000),
    )
    .map(([text, from, to]) => text.slice(0, from) + text.slice(to)),
);

const readers = {
  linesOf,
  readAssignments,
  readAdbDevices,
  readBattery,
  readCpuInfo,
  readGpus,
  readIdeviceInfo,
  readProperties,
  readSysfsSensors,
  readThermal,
  readUdids,
  readUptime,
  osNames,
};

describe('a reader', () => {
  it.each(Object.entries(readers))('copes with anything: %s', (_, read) => {
    fc.assert(
      fc.property(anything, (text) => {
        read(text);
      }),
      runs(50),
    );
  });

  it('finds the same whatever ends the lines', () => {
    fc.assert(
      fc.property(fc.constantFrom('\n', '\r\n', '\r\r\n'), (end) => {
        const text = recorded('thermalservice-android-14.txt');
        expect(readThermal(text.replaceAll('\n', end))).toEqual(readThermal(text));
      }),
      runs(6),
    );
  });
});

const usualBattery = `Current Battery Service state:
  USB powered: true
  status: 2
  present: true
  level: 87
  scale: 100
  temperature: 281
  technology: Li-ion
`;

describe('a dump that was cut off', () => {
  it('has no other figures than the whole one, and does not pass for it', () => {
    const heat = recorded('thermalservice-android-14.txt');
    const whole = { ...readThermal(heat).temperatures };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: heat.length }), (end) => {
        const { percent, celsius } = readBattery(usualBattery.slice(0, end));
        expect([undefined, 87]).toContain(percent);
        expect([undefined, 28.1]).toContain(celsius);
        const { temperatures, isWhole } = readThermal(heat.slice(0, end));
        expect(whole).toMatchObject(temperatures);
        if (isWhole) expect(temperatures).toEqual(whole);
      }),
      runs(300),
    );
  });
});

describe('properties of Android', () => {
  it('are read, values of several lines, too, without those that are empty', () => {
    expect(Object.fromEntries(readProperties(recorded('getprop-crcrlf.txt')))).toEqual({
      'ro.build.id': 'MOB30X',
      'persist.note': 'first\nsecond',
      'ro.product.name': 'razor',
    });
  });

  it('come back as they were printed', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,30}$/);
    const value = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key }), (all) => {
        const text = all.map(([key, its]) => `[${key}]: [${its}]\n`).join('');
        expect([...readProperties(text)]).toEqual(all);
      }),
      runs(50),
    );
  });

  it('are not swallowed by one that was cut off', () => {
    expect([...readProperties('[a]: [cut\n[b]: [whole]\n')]).toEqual([['b', 'whole']]);
  });
});

describe('the battery of Android', () => {
  const dump = (lines: string) => `Current Battery Service state:\n${lines}`;

  it.each([
    {
      title: 'a usual one',
      text: '  present: true\n  level: 85\n  scale: 100\n  voltage: 4248\n  temperature: 290\n',
      found: { percent: 85, celsius: 29 },
    },
    {
      title: 'another scale',
      text: '  level: 100\n  scale: 200\n  temperature: 5\n',
      found: { percent: 50, celsius: 0.5 },
    },
    { title: 'level below 0', text: '  level: -1\n  scale: 100\n', found: {} },
    { title: 'level above its scale', text: '  level: 101\n  scale: 100\n', found: {} },
    { title: 'scale of 0', text: '  level: 0\n  scale: 0\n', found: {} },
    {
      title: 'absurd temperatures',
      text: '  level: 1\n  temperature: -4000\n',
      found: { percent: 1 },
    },
    {
      title: 'temperature in thousandths: absurd, as tenths',
      text: '  level: 1\n  temperature: 29000\n',
      found: { percent: 1 },
    },
    {
      title: 'none at all',
      text: '  present: false\n  level: 0\n  scale: 100\n  temperature: 0\n',
      found: {},
    },
    {
      title: 'events of before, in the same words',
      text: '  level: 50\n  scale: 100\n  Capacity level: -1\n[EventLogBuffer]\n 11-20 Sending level:3, temperature:345\n  level: 3\n',
      found: { percent: 50 },
    },
    {
      title: 'charging by cable',
      text: '  AC powered: false\n  USB powered: true\n  Wireless powered: false\n  level: 50\n',
      found: { percent: 50, charging: true },
    },
    {
      title: 'not charging by cable, of old with CRLF',
      text: '  AC powered: false\r\n  USB powered: false\r\n  Wireless powered: true\r\n',
      found: { charging: false },
    },
    { title: 'no service', text: "Can't find service: battery\n", found: {} },
  ])('is understood: $title', ({ text, found }) => {
    const { isSetByHand: _, isAbsent: __, ...figures } = readBattery(dump(text));
    expect(figures).toEqual(found);
  });
});

describe('temperatures of Android', () => {
  it('are those of now, not those that are cached', () => {
    expect(readThermal(recorded('thermalservice-android-11-pixel-3a.txt'))).toEqual({
      isSetByHand: false,
      isWhole: true,
      status: 0,
      temperatures: {
        battery: 28,
        'cpu0-gold-usr': 33.8,
        'cpu1-silver-usr': 44.1,
        'gpu0-usr': 32.9,
        'mb-therm-monitor': 30.15,
        'usbc-therm-monitor': 26.93,
      },
      processorSensors: ['cpu0-gold-usr', 'cpu1-silver-usr', 'gpu0-usr'],
    });
  });

  it('are no voltages, currents, charges and counts, and nothing that cannot be', () => {
    expect(readThermal(recorded('thermalservice-android-14.txt'))).toEqual({
      isSetByHand: false,
      isWhole: true,
      status: 3,
      temperatures: { battery: 31.5, 'VIRTUAL-SKIN': 41.2, neutral_therm: 52 },
      processorSensors: ['neutral_therm'],
    });
  });

  const milli = `Current temperatures from HAL:
\tTemperature{mValue=28100.0, mType=2, mName=battery, mStatus=0}
\tTemperature{mValue=60.0, mType=0, mName=tiny, mStatus=0}
\tTemperature{mValue=45200.0, mType=0, mName=cpu, mStatus=0}
`;

  it('are in thousandths where the battery is known to be', () => {
    expect(readThermal(milli, 28.4).temperatures).toEqual({ battery: 28.1, tiny: 0.06, cpu: 45.2 });
  });

  it('are not guessed by their size', () => {
    expect(readThermal(milli).temperatures).toEqual({ tiny: 60 });
    expect(readThermal(milli, 2.1).temperatures).toEqual({ tiny: 60 });
  });

  it('are always ones that can be', () => {
    const sensor = fc.record({
      name: fc.string({ unit: anyCharacter }),
      type: fc.integer({ min: -2, max: 20 }),
      value: fc.double(),
    });
    fc.assert(
      fc.property(fc.array(sensor), fc.double(), (sensors, battery) => {
        const lines = sensors.map(
          ({ name, type, value }) =>
            `\tTemperature{mValue=${value}, mType=${type}, mName=${name}, mStatus=0}\n`,
        );
        const { temperatures } = readThermal(
          `Current temperatures from HAL:\n${lines.join('')}`,
          battery,
        );
        for (const celsius of Object.values(temperatures)) {
          expect(celsius).toBeGreaterThanOrEqual(0);
          expect(celsius).toBeLessThanOrEqual(150);
        }
      }),
      runs(50),
    );
  });
});

describe('what adb sees', () => {
  it('is read line by line', () => {
    const text = `* daemon not running; starting now at tcp:5037
* daemon started successfully
List of devices attached
0A041FDD4003BB         device usb:1-1.2 product:redfin model:Pixel_5 device:redfin transport_id:3
emulator-5554          offline transport_id:1
10.0.0.7:5555          unauthorized transport_id:4
R58M1002               no permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html] usb:1-1.3 transport_id:5
(no serial number)     no permissions usb:1-1.4
????????????           recovery
8A3Y\tsideload
adb: warning: something device

`;
    expect(readAdbDevices(text)).toEqual([
      { serial: '0A041FDD4003BB', state: 'device', transportId: '3', usb: '1-1.2' },
      { serial: 'emulator-5554', state: 'offline', transportId: '1' },
      { serial: '10.0.0.7:5555', state: 'unauthorized', transportId: '4' },
      { serial: 'R58M1002', state: 'no permissions', transportId: '5', usb: '1-1.3' },
      { serial: '', state: 'no permissions', usb: '1-1.4' },
      { serial: '', state: 'recovery' },
      { serial: '8A3Y', state: 'sideload' },
    ]);
  });

  it.each([
    ['R58M1002               no permissions; see [http://x/] usb:1-1.3', 'no permissions'],
    ['ZUG 5S                 device usb:1-1.2 product:x transport_id:3', 'device', 'ZUG 5S'],
    ['my offline device      device usb:1-1.2', 'device', 'my offline device'],
    ['0123456789 23456789012 device usb:1-1.2', 'device', '0123456789 23456789012'],
    ['a serial number of more than 22 device usb:1-1', 'device', 'a serial number of more than 22'],
    ['R58M1002               recovery usb:1-1.3\r', 'recovery'],
    [' GS101200400611        device usb:1-1.3', 'device', ' GS101200400611'],
    [
      'adb-XXX-XXX (2)._adb-tls-connect._tcp device product:X transport_id:1',
      'device',
      'adb-XXX-XXX (2)._adb-tls-connect._tcp',
    ],
  ])('names state and serial number: %j', (line, state, serial = 'R58M1002') => {
    const text = `List of devices attached\r\n* daemon started successfully *\n${line}\n\n`;
    expect(readAdbDevices(text)).toEqual([expect.objectContaining({ serial, state })]);
  });

  it('has its USB port without a prefix where adb uses libusb', () => {
    const line = 'bd9d00cc               device 3-1.2 product:manet device:manet transport_id:2';
    expect(readAdbDevices(`List of devices attached\n${line}\n`)?.[0]?.usb).toBe('3-1.2');
  });

  it.each([
    '',
    '* daemon not running; starting now at tcp:5037\n',
    'List of devices attached\nerror: protocol fault (no status)\n',
    'List of devices attached\n* failed to start daemon\n',
    'adb: failed to check server version: cannot connect to daemon\n',
    'error: closed\n',
  ])('is no list, whatever the status: %j', (text) => {
    expect(readAdbDevices(text)).toBeUndefined();
  });
});

describe('what ideviceinfo prints', () => {
  it('is read, without what is indented', () => {
    const info = readIdeviceInfo(recorded('ideviceinfo-iphone-11.txt'));

    expect(info.get('ProductType')).toBe('iPhone12,1');
    expect(info.get('ProductVersion')).toBe('13.3.1');
    expect(info.get('DeviceName')).toBe('lab: phone 7');
    expect(info.has('NonVolatileRAM')).toBe(false);
  });

  it('names UDIDs old and new', () => {
    const old = 'a'.repeat(40);
    const text = `${old}\n00008030-001C2D3E0123802E (USB)\nERROR: Unable to retrieve device list!\n${old}\n`;
    expect(readUdids(text)).toEqual([old, '00008030-001C2D3E0123802E']);
  });
});

describe('the uptime', () => {
  it.each([
    ['3600.52 7100.10', 3600.52],
    ['5 6', 5],
    ['3600.52', undefined],
    ['3600.52 7100.10 9', undefined],
    ['-5 6', undefined],
    ['cat: /proc/uptime: Permission denied', undefined],
    ['', undefined],
  ])('is understood: %j', (line, seconds) => {
    expect(readUptime(line)).toBe(seconds);
  });
});

describe('names of processors', () => {
  it.each([
    {
      file: 'cpuinfo-raspberry-pi-3-32-bit.txt',
      machine: 'armv7l',
      bits: 32,
      names: ['armv7l', 'armv7l-32', 'armv7l-32-BCM2835', 'arm', 'arm-32'],
    },
    {
      file: 'cpuinfo-raspberry-pi-4-64-bit.txt',
      machine: 'aarch64',
      bits: 64,
      names: ['arm64', 'arm64-64', 'arm', 'arm-64'],
    },
    {
      file: 'cpuinfo-raspberry-pi-4-64-bit.txt',
      machine: 'armv6l',
      bits: 32,
      names: ['armv6l', 'armv6l-32', 'arm', 'arm-32'],
    },
    {
      file: 'cpuinfo-intel.txt',
      machine: 'x86_64',
      bits: 64,
      names: ['x86', 'x86-64', 'x86-64-i7-9750H'],
    },
    {
      file: 'cpuinfo-amd.txt',
      machine: 'x86_64',
      bits: 64,
      names: ['x86', 'x86-64', 'x86-64-AMD_EPYC_7B12'],
    },
  ] as const)('are those of Swarming: $file $machine', ({ file, machine, bits, names }) => {
    expect(cpuNames(machine, bits, readCpuInfo(recorded(file)))).toEqual(names);
  });

  it('are given for whatever there is', () => {
    expect(cpuNames('riscv64', 64, {})).toEqual(['riscv64', 'riscv64-64']);
    expect(cpuNames('', 64, {})).toEqual([]);
  });
});

describe('names of graphics', () => {
  it('are those of display controllers, with the version of their driver', () => {
    const gpus = readGpus(recorded('lspci-nuc.txt'));

    expect(gpuNames(gpus, new Map([['10de', '470.103']]))).toEqual([
      '10de',
      '10de:1d10',
      '10de:1d10-470.103',
      '8086',
      '8086:3ea5',
    ]);
    expect(gpuNames([], new Map())).toEqual(['none']);
  });
});

describe('names of systems', () => {
  it.each([
    {
      osRelease: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
      debian: '12.4\n',
      names: ['Linux', 'Debian', 'Debian-12', 'Debian-12.4'],
    },
    {
      osRelease: 'ID=raspbian\nVERSION_ID="11"\n',
      debian: 'trixie/sid\n',
      names: ['Linux', 'Raspbian', 'Raspbian-11'],
    },
    {
      osRelease: "ID='ubuntu'\nVERSION_ID=22.04\n",
      debian: 'bookworm/sid\n',
      names: ['Linux', 'Ubuntu', 'Ubuntu-22', 'Ubuntu-22.04'],
    },
    { osRelease: '', debian: '', names: ['Linux'] },
  ])('have all precisions: $names', ({ osRelease, debian, names }) => {
    expect(osNames(osRelease, debian)).toEqual(names);
    expect(versionsOf('Mac', '')).toEqual(['Mac']);
  });
});

describe('sensors of the kernel', () => {
  it('are in thousandths, and have the names of their types', () => {
    const text = `/sys/class/thermal/thermal_zone0/type:x86_pkg_temp
/sys/class/thermal/thermal_zone1/type:acpitz
/sys/class/thermal/thermal_zone2/type:acpitz
/sys/class/thermal/thermal_zone3/type:broken
/sys/class/thermal/thermal_zone0/temp:52000
/sys/class/thermal/thermal_zone1/temp:27800
/sys/class/thermal/thermal_zone2/temp:29800
/sys/class/thermal/thermal_zone3/temp:-274000
/sys/class/thermal/thermal_zone4/temp:40
/sys/class/power_supply/AC/type:Mains
/sys/class/power_supply/BAT0/type:Battery
/sys/class/power_supply/BAT0/capacity:77
/sys/class/power_supply/hid-pen/type:Battery
/sys/class/power_supply/hid-pen/scope:Device
/sys/class/power_supply/hid-pen/capacity:3
`;
    expect(readSysfsSensors(text)).toEqual({
      temperatures: { x86_pkg_temp: 52, acpitz: 29.8, thermal_zone4: 0.04 },
      processorSensors: ['x86_pkg_temp', 'acpitz', 'thermal_zone4'],
      batteryPercent: 77,
    });
  });
});

describe('dimensions', () => {
  const value = fc.oneof(fc.string({ unit: anyCharacter, maxLength: 400 }), fc.constant(undefined));

  it('are always valid for Swarming', () => {
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const { key = ['x'] } = dimensions({ key: values });
        expect(new Set(key).size).toBe(key.length);
        for (const text of key) {
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(256);
          expect(text).not.toBe('');
          expect(text).toBe(text.trim());
          expect(text).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        }
      }),
      runs(50),
    );
  });

  it('have no key without a value', () => {
    expect(dimensions({ empty: [], blank: [' ', undefined, '\n'], one: ['a', ' a', 'b'] })).toEqual(
      {
        one: ['a', 'b'],
      },
    );
  });
});

/** What Androids print, and what adb lists, on other people's computers: printed by a script in the place of adb. */
import { readdir } from 'node:fs/promises';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import type { AttachedDevice } from './device.ts';
import { type Lab, never, present, startLab } from './testing/lab.ts';
import { programs } from './testing/programs.ts';

const usual = '0A1B2C3D               device usb:1-1.2 product:redfin transport_id:1';
const battery = (more = '  level: 7\n  temperature: 282\n') =>
  `Current Battery Service state:\n  USB powered: true\n  present: true\n${more}  technology: Li-ion\n`;
const heat = (override = false, status = 0) => `IsStatusOverride: ${override}
Thermal Status: ${status}
HAL Ready: true
Current temperatures from HAL:
\tTemperature{mValue=31.5, mType=3, mName=skin, mStatus=0}
Current cooling devices from HAL:
`;

interface Printed {
  list?: string[];
  /** Of `dumpsys`: the script's body for each service; that of others for all the rest. */
  dumps?: Record<string, string>;
  check?: string;
}

/** A phone whose adb prints this. */
async function start({ list = [usual], dumps = {}, check = '' }: Printed) {
  const print = (text: string) => `cat <<'END'\n${text}END\n`;
  const services: Record<string, string> = {
    battery: print(battery()),
    thermalservice: print(heat()),
    ...dumps,
  };
  const PATH = await programs({
    idevice_id: 'exit 0',
    adb: `PATH=/usr/bin:/bin
[ -z "$HANGS" ] || exec sleep 600
case "$*" in
  'devices -l') ${print(`List of devices attached\n${list.join('\n')}\n\n`)} ;;
  *getprop) ${print('5000.1 6000.1\n[ro.build.id]: [A]\n[sys.boot_completed]: [1]\n')} ;;
  *'service check activity; dumpsys power') ${check || services.others || ':'} ;;
  ${Object.entries(services)
    .filter(([name]) => name !== 'others')
    .map(([name, body]) => `*'dumpsys ${name}') ${body} ;;`)
    .join('\n  ')}
  *dumpsys*) ${services.others ?? "echo Can\\'t find service"} ;;
esac`,
  });
  return await startLab({ PATH, ANDROID_ADB_SERVER_PORT: '1' });
}

describe('a phone whose system services are gone is not ready', () => {
  it.for([
    `s=\${*##* }; echo "Can't find service: $s"`,
    `s=\${*##* }; echo "Can't find service: $s" >&2`,
    `echo 'cmd: Failure calling service battery: Broken pipe (32)'; exit 224`,
    `echo 'Error dumping service info: (Unknown error -32) battery'`,
    `echo "*** SERVICE 'battery' DUMP TIMEOUT (10000ms) EXPIRED ***"`,
    'echo Failure',
    `echo 'dumpsys: Unable to get default service manager!'; exit 20`,
    `echo '/system/bin/sh: dumpsys: inaccessible or not found' >&2; exit 127`,
    `echo 'error: closed' >&2; exit 1`,
    'exit 0',
  ])('%s', async (others) => {
    const { open } = await start({ dumps: { battery: others, thermalservice: others, others } });

    const reading = await present(open());

    expect(reading).toMatchObject({ isReady: false, unread: { battery: true, heat: true } });
    expect(reading.whyNotReady).toMatch(/^the system services are not responding \(.+\); reboot/);
  });
});

const timedOut = `echo "*** SERVICE 'x' DUMP TIMEOUT (10000ms) EXPIRED ***"`;

it('system services that hang are found, but they are not ready', async () => {
  const check = `echo 'Service activity: found'; ${timedOut}`;
  const { open } = await start({
    dumps: { battery: timedOut, thermalservice: timedOut, others: timedOut },
    check,
  });

  expect(await present(open())).toMatchObject({ isReady: false });
});

it('a phone whose kind is open is asked as often as another before it is not ready', async () => {
  const folder = await tempDir();
  const battery = `mktemp ${folder}/XXXXXX >/dev/null; echo "Can't find service: battery"`;
  const { open } = await start({
    dumps: { battery, thermalservice: 'exit 0', others: 'exit 0' },
  });

  expect(await present(open({ kind: 'auto' }))).toMatchObject({ kind: 'android', isReady: false });
  expect(await readdir(folder)).toHaveLength(3);
});

describe('a phone is ready if a service is', () => {
  const none = `echo "Can't find service: $*"`;
  it.for<[string, Printed]>([
    ['old, without thermalservice', { dumps: { thermalservice: none } }],
    [
      'with an exit status',
      { dumps: { battery: `echo 'Current Battery Service state:'; exit 1` } },
    ],
    [
      'a TV without battery',
      { dumps: { battery: none, others: `echo 'USB MANAGER STATE (dumpsys usb):'` } },
    ],
    [
      'an old TV without any of them',
      {
        dumps: { battery: none, thermalservice: none },
        check: `echo 'Service activity: found'; echo 'POWER MANAGER (dumpsys power)'`,
      },
    ],
    [
      'that forbids it',
      { dumps: { battery: `echo "Permission Denial: can't dump BatteryService from pid=1"` } },
    ],
  ])('%s', async ([, printed]) => {
    const { open } = await start(printed);

    expect(await present(open())).toMatchObject({ isReady: true, whyNotReady: undefined });
  });
});

describe('slow calls', () => {
  /** Lets so many of the calls hang that ask this. The others have all the time that a busy computer takes. */
  async function startHanging(question: RegExp, calls = Infinity): Promise<Lab> {
    const lab = await start({});
    const { run } = lab.deps;
    let hangingCalls = calls;
    lab.deps.run = (file, args, options) => {
      if (hangingCalls === 0 || !question.test(args.join(' '))) return run(file, args, options);
      hangingCalls -= 1;
      return run(file, args, { ...options, timeoutMs: 200, env: { HANGS: '1' } });
    };
    return lab;
  }

  it.for([1, 2])('%i of them are no verdict', async (calls) => {
    const { open } = await startHanging(/getprop/, calls);

    expect(await present(open())).toMatchObject({ batteryPercent: 7 });
  });

  it('three of them are one', async () => {
    const { open } = await startHanging(/getprop/, 3);

    expect(await open().read(never)).toEqual({
      state: 'missing',
      why: 'adb took longer than 0.2 s',
    });
  });

  it('of all services three times: they are not responding', async () => {
    const { open } = await startHanging(/dumpsys/);

    expect(await present(open())).toMatchObject({
      isReady: false,
      whyNotReady: expect.stringContaining('adb took longer than 0.2 s'),
    });
  });
});

describe('a value that was set manually does not count', () => {
  it('of the battery', async () => {
    const stopped = battery("  (UPDATES STOPPED -- use 'reset' to restart)\n  level: 5\n");
    const { open } = await start({ dumps: { battery: `cat <<'END'\n${stopped}END\n` } });

    expect(await present(open())).toMatchObject({
      isReady: true,
      batteryPercent: undefined,
      charging: undefined,
      unread: { battery: true, heat: true },
      setByHand: { battery: true, thermalStatus: false },
    });
  });

  it('of the thermal status', async () => {
    const { open } = await start({
      dumps: { thermalservice: `cat <<'END'\n${heat(true, 4)}END\n` },
    });

    expect(await present(open())).toMatchObject({
      thermalStatus: undefined,
      temperatures: { skin: 31.5 },
      setByHand: { battery: false, thermalStatus: true },
    });
  });
});

const emulator = 'emulator-5554          device product:sdk_gphone64_x86_64 transport_id:2';
const phantom = 'emulator-5562          offline transport_id:3';
const wireless = '192.0.2.31:5555        device product:redfin transport_id:9';
const mdns = 'adb-0A1B2C3D-xyZ (2)._adb-tls-connect._tcp device product:redfin transport_id:8';
const other = '9Z8Y7X6W               device usb:1-1.3 product:flo transport_id:4';
const on = (state: string) => usual.replace('device usb', `${state} usb`);
const power = { hub: '1-1', port: 2 };

describe('of the listed devices', () => {
  it.for<[string, string[], Partial<AttachedDevice>, string?]>([
    ['the only one', [usual], {}],
    ['the one on USB, beside a phantom', [usual, phantom], {}],
    ['the one on USB, beside an emulator', [emulator, usual], {}],
    ['the one on USB, beside itself over Wi-Fi', [mdns, wireless, usual], {}],
    ['the one on its port', [other, usual, emulator], { power }],
    ['the one of its number', [other, usual, wireless], { serial: '0A1B2C3D' }],
    ['a wireless one that is named', [wireless], { serial: '192.0.2.31:5555' }, '192.0.2.31:5555'],
    [
      'the same, charged by a port',
      [wireless],
      { serial: '192.0.2.31:5555', power },
      '192.0.2.31:5555',
    ],
    ['an emulator that is named', [emulator], { serial: 'emulator-5554' }, 'emulator-5554'],
    ['one whose port is not printed', ['0A1B2C3D device product:redfin'], {}],
  ])('%s is meant', async ([, list, entry, serial = '0A1B2C3D']) => {
    const { open } = await start({ list });

    expect(await present(open(entry))).toMatchObject({ serial });
  });

  it.for<[string, string[], Partial<AttachedDevice>, RegExp, 'needs-person'?]>([
    ['only an emulator', [emulator], { power }, /on USB; attached: emulator-5554; .*`serial: IP:P/],
    ['only a wireless one', [wireless], { power }, /on USB; .*`serial: IP:PORT`/],
    ['only mDNS', [mdns], { power }, /on USB; .*`serial: IP:PORT`/],
    ['only a phantom', [phantom], {}, /on USB; attached: emulator-5562; /],
    ['no port', ['0A1B2C3D device product:redfin'], { power }, /on USB; .*names it/],
    [
      'a wireless one, but not of this number',
      [mdns],
      { serial: '0A1B2C3D' },
      /0A1B2C3D; .*names it/,
    ],
    [
      'one that is unauthorized, and an emulator',
      [on('unauthorized'), emulator],
      {},
      /^unauthorized/,
      'needs-person',
    ],
    ['one in recovery, and a phantom', [phantom, on('recovery')], { power }, /^in recovery mode/],
    ['one in sideload mode', [on('sideload'), wireless], {}, /^in sideload mode/],
    ['one that is authorizing', [on('authorizing'), mdns], { power }, /authorizing/],
    ['none', [], { power }, /^not attached: adb does not list any devices$/],
  ])('%s: it is missing', async ([, list, entry, why, code]) => {
    const { open } = await start({ list });

    expect(await open(entry).read(never)).toEqual({
      state: 'missing',
      why: expect.stringMatching(why),
      code,
    });
  });

  it.for<[string, string[], Partial<AttachedDevice>, RegExp]>([
    ['two on USB', [usual, other, phantom], {}, /^2 devices are attached .*set `serial`/],
    ['a wireless one that nobody named', [wireless], {}, /counts only if rack.yaml names it/],
    ['another one on its port', [usual], { serial: 'GONE', power }, /another device, 0A1B2C3D; if/],
    [
      'an emulator instead of a phone of any kind',
      [emulator],
      { kind: 'auto' },
      /only if rack.yaml/,
    ],
  ])('%s: only rack.yaml can help', async ([, list, entry, why]) => {
    const { open } = await start({ list });

    expect(await open(entry).read(never)).toEqual({
      state: 'unknown',
      code: 'rack-yaml',
      why: expect.stringMatching(why),
    });
  });

  it('the neighbour of one without a number is not taken for it', async () => {
    const { open } = await start({ list: [other] });
    const [left, right] = [2, 3].map((port) =>
      open({ name: `phone-${port}`, power: { hub: '1-1', port } }),
    );

    expect(await left?.read(never)).toEqual({
      state: 'missing',
      why: 'not attached to USB port 1-1.2; attached: 9Z8Y7X6W on USB port 1-1.3',
    });
    expect(await right?.read(never)).toMatchObject({ reading: { serial: '9Z8Y7X6W' } });
  });

  it('an emulator is no second kind beside an iPhone', async () => {
    const PATH = await programs({
      adb: `[ "$1" = devices ] && printf 'List of devices attached\\n${emulator}\\n'; exit 0`,
      idevice_id: 'echo 00008030-001C2D3E0123802E',
      ideviceinfo: `printf 'ProductType: iPhone12,1\\nProductVersion: 14.4.2\\n'`,
    });
    const { open } = await startLab({ PATH, ANDROID_ADB_SERVER_PORT: '1' });

    expect(await present(open({ kind: 'auto' }))).toMatchObject({ kind: 'ios' });
  });
});

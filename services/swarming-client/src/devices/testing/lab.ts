/** A machine with simulated devices, for tests. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type RunCommand, runCommand } from '@skolo/base/run-command';
import { tempDir } from '@skolo/base/testing';
import { createLogger, systemClock } from '@skolo/common/light';
import { onTestFinished } from 'vitest';
import { SharedAdbServer } from '../adb-server.ts';
import type {
  AttachedDevice,
  Device,
  DeviceDeps,
  DeviceReading,
  DeviceSettings,
} from '../device.ts';
import { openDevice } from '../index.ts';
import { SshSignIns } from '../ssh-sign-ins.ts';

export interface Lab {
  dir: string;
  deps: DeviceDeps;
  settings: DeviceSettings;
  /** Programs that were run: `adb devices -l`. */
  ran: string[];
  /** Lines of the log. */
  logged(): Record<string, unknown>[];
  /** Makes pauses between sign-ins elapse by this many seconds. */
  pass(seconds: number): void;
  open(device?: Partial<AttachedDevice>): Device;
  /** A device on USB, as the kernel shows it. */
  plugIn(path: string, usb: Usb): Promise<void>;
}

interface Usb {
  vendor: string;
  product: string;
  name?: string;
  serial?: string;
  interfaces?: readonly string[];
}

/** @param env additional or replaced variables for the programs that are run */
export async function startLab(env: NodeJS.ProcessEnv = {}): Promise<Lab> {
  const dir = await tempDir();
  const settings: DeviceSettings = {
    commandSeconds: 60,
    ssh: { user: 'root', port: 22, commandSeconds: 60 },
  };
  const ran: string[] = [];
  let passed = 0;
  const all = { ...process.env, HOME: dir, ...env };
  const really = runCommand;
  const run: RunCommand = (file, args, options) => {
    ran.push([file, ...args].join(' '));
    return really(file, args, { ...options, env: { ...all, ...options.env } });
  };
  const lines: string[] = [];
  const log = createLogger({
    service: 'test',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const adb = new SharedAdbServer({ run, settings: () => settings, log, env: all });
  onTestFinished(() => adb.stop());
  const sysfs = join(dir, 'sys');
  const attached: AttachedDevice[] = [];
  const deps: DeviceDeps = {
    run,
    settings: () => settings,
    adb,
    attached: () => attached,
    sshSignIns: new SshSignIns({
      now: () => Date.now() + passed * 1000,
      uptime: () => systemClock.uptime() + passed,
    }),
    stateDir: dir,
    log,
    sysfs,
    sshMachineFile: join(dir, 'ssh_machine.json'),
  };
  return {
    dir,
    deps,
    settings,
    ran,
    pass: (seconds) => {
      passed += seconds;
    },
    logged: () => lines.map((line) => JSON.parse(line)),
    open(device = {}) {
      const entry = {
        name: 'device',
        fullName: 'rpi-1-device',
        kind: 'android' as const,
        ...device,
      };
      attached.push(entry);
      return openDevice(entry, deps);
    },
    async plugIn(path, usb) {
      const folder = join(sysfs, 'bus/usb/devices');
      for (const [file, text] of filesOf(path, usb)) {
        if (text === undefined) continue;
        await mkdir(dirname(join(folder, file)), { recursive: true });
        await writeFile(join(folder, file), `${text}\n`);
      }
    },
  };
}

const parts = ['bInterfaceClass', 'bInterfaceSubClass', 'bInterfaceProtocol'];

function filesOf(path: string, usb: Usb): [file: string, text: string | undefined][] {
  const { vendor, product, name, serial, interfaces = [] } = usb;
  return [
    [`${path}/idVendor`, vendor],
    [`${path}/idProduct`, product],
    [`${path}/product`, name],
    [`${path}/serial`, serial],
    ...interfaces.flatMap((triple, at) =>
      triple
        .split('/')
        .map((text, part): [string, string] => [`${path}:1.${at}/${parts[part]}`, text]),
    ),
  ];
}

/** Never aborted. */
export const never: AbortSignal = new AbortController().signal;

/** @throws Error It is missing or cannot be read, and why. */
export async function present(device: Device): Promise<DeviceReading> {
  const look = await device.read(never);
  if (look.state !== 'present') throw new Error(`${look.state}: ${look.why}`);
  return look.reading;
}

/** Why nothing is known about it. @throws Error Something is. */
export async function unreadable(device: Device): Promise<{ code: string; why: string }> {
  const look = await device.read(never);
  if (look.state !== 'unknown') throw new Error(`${look.state}: ${JSON.stringify(look)}`);
  return { code: look.code, why: look.why };
}

/** Why it is missing. @throws Error It is present, or cannot be read. */
export async function missing(device: Device): Promise<string> {
  const look = await device.read(never);
  if (look.state !== 'missing') throw new Error(`${look.state}: ${JSON.stringify(look)}`);
  return look.why;
}

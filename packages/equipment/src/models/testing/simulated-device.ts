/** A simulated device, and a model's connection to it, as the service opens one. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Login } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import type { Connection, ConnectionDeps } from '@skolo/equipment/transports';
import { type CliDevice, type DeviceFault, startPlayback } from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import { whyPartial } from '../configuration/partial.ts';
import { readWhole } from '../configuration/whole-reading.ts';
import type { BackupModel, Content, Reading } from '../contract/backup.ts';
import type { Device } from '../contract/device.ts';
import { account } from './backed-up.ts';
import { connectTo } from './real-device.ts';

export { account };

export interface SimulatedAbout {
  model: string;
  options?: Record<string, unknown>;
  login?: Partial<Login>;
  transport?: Device['transport'];
}

type Addressed = Pick<CliDevice, 'host' | 'port' | 'telnetPort' | 'hostKey' | 'close'>;

export interface Sitting<Simulated> {
  device: Simulated;
  /** As in rack.yaml. */
  inventory: Device;
  /** A new one; `transcript` has everything sent and received. Ends with the test. */
  connect(options?: Partial<ConnectionDeps>): Connection;
  transcript: string[];
}

/** Starts a device, and ends it with the test. */
export async function simulated<Simulated extends Addressed>(
  start: (options: typeof account) => Promise<Simulated>,
  { login, ...about }: SimulatedAbout,
): Promise<Sitting<Simulated>> {
  const device = await start(account);
  onTestFinished(() => device.close());
  const dir = await tempDir();
  await writeFile(join(dir, 'password'), `${account.password}\n`, { mode: 0o600 });
  const inventory: Device = {
    name: 'device-1',
    address: device.host,
    ports: {
      ssh: device.port,
      ...(device.telnetPort !== undefined && { telnet: device.telnetPort }),
    },
    login: 'logins',
    hostKey: device.hostKey,
    transport: 'ssh',
    options: {},
    ...about,
  };
  const whole: Login = {
    name: 'logins',
    username: account.username,
    password: { file: join(dir, 'password') },
    legacySsh: false,
    ...login,
  };
  const transcript: string[] = [];
  return {
    device,
    inventory,
    transcript,
    connect(options) {
      const { idleMs = 120_000 } = options ?? {};
      const patient = { ...whole, signInSeconds: Math.max(8, idleMs / 1000) };
      return connectTo(inventory, { dir, login: patient, transcript }, options);
    },
  };
}

/** A device behind ssh that repeats what a real one said, and answers other commands with `unrecorded`. */
export async function repeating(
  talks: Parameters<typeof startPlayback>[0]['talks'],
  about: SimulatedAbout,
  unrecorded?: Parameters<typeof startPlayback>[2],
) {
  return await simulated(async (login) => {
    const device = await startPlayback({ transport: 'ssh', talks }, login, unrecorded);
    const { host, ports, hostKey = '', close } = device;
    return { host, port: ports.ssh ?? 0, hostKey, close };
  }, about);
}

/** Sets a fault; false: the device does not support it. */
export function setFault({ faults }: Pick<CliDevice, 'faults'>, fault: DeviceFault): boolean {
  try {
    faults.set(fault);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

export function bytesOf(content: Content): Buffer {
  if (!('bytes' in content)) throw new Error('it is in a file');
  return content.bytes;
}

/**
 * Reads as the service does.
 *
 * @throws The model's error, or why this is not a version
 */
export async function backUp(model: BackupModel, connection: Connection): Promise<Reading> {
  return await readWhole(model, connection, async ({ content, extent }) => {
    const why = whyPartial(extent);
    if (why !== undefined) throw new Error(why);
    const missing = await model.incomplete(content);
    if (missing !== undefined) throw new Error(`incomplete: ${missing}`);
  });
}

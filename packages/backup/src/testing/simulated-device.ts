/** A simulated device, and a model's connection with it, as the service opens one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostKeys } from '@skolo/equipment';
import type { InfrastructureDevice } from '@skolo/rack';
import type { Login } from '@skolo/secrets';
import type { CliDevice } from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import type { BackupModel, Content, Reading } from '../models/model.ts';
import { type Connection, type ConnectionDeps, openConnection } from '../models/open-connection.ts';
import { readWhole } from '../models/whole-reading.ts';

/** Of the simulated devices. The password is one that must appear nowhere. */
export const account = { username: 'skolo', password: 'canary-login-7f3a' };

export interface SimulatedAbout {
  model: string;
  options?: Record<string, unknown>;
  login?: Partial<Login>;
  transport?: InfrastructureDevice['transport'];
}

export interface Sitting<Device> {
  device: Device;
  /** As rack.yaml has it. */
  inventory: InfrastructureDevice;
  /** A new one; all that was said in it is in `talk`. Ends with the test. */
  connect(options?: Partial<ConnectionDeps>): Connection;
  talk: string[];
}

/** Starts a device, and ends it with the test. */
export async function simulated<Device extends CliDevice>(
  start: (options: typeof account) => Promise<Device>,
  { login, ...about }: SimulatedAbout,
): Promise<Sitting<Device>> {
  const device = await start(account);
  onTestFinished(() => device.close());
  const dir = await mkdtemp(join(tmpdir(), 'skolo-simulated-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'password'), `${account.password}\n`, { mode: 0o600 });
  const inventory: InfrastructureDevice = {
    name: 'device-1',
    address: device.host,
    ports: {
      ssh: device.port,
      ...(device.telnetPort !== undefined && { telnet: device.telnetPort }),
    },
    login: 'logins',
    power: [],
    hostKey: device.hostKey,
    transport: 'ssh',
    backup: true,
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
  const talk: string[] = [];
  return {
    device,
    inventory,
    talk,
    connect(options) {
      const connection = openConnection(inventory, {
        rack: { dir, logins: new Map([['logins', whole]]) },
        hostKeys: new HostKeys(join(dir, 'host-keys.json')),
        signal: new AbortController().signal,
        idleMs: 20_000,
        deadlineMs: 60_000,
        scratch: dir,
        onTalk: (_from, text) => talk.push(text),
        ...options,
      });
      onTestFinished(() => connection.close());
      return connection;
    },
  };
}

export function bytesOf(content: Content): Buffer {
  if (!('bytes' in content)) throw new Error('it is in a file');
  return content.bytes;
}

/**
 * Reads as the service does.
 *
 * @throws What the model threw, or why this is no version
 */
export async function backUp(model: BackupModel, connection: Connection): Promise<Reading> {
  return await readWhole(model, connection, ({ content }) => {
    const missing = model.incomplete(content);
    if (missing !== undefined) throw new Error(`incomplete: ${missing}`);
  });
}

/** A device of a rack that is behind a real sshd, and the connection of a model with it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostKeys } from '@skolo/equipment';
import type { InfrastructureDevice } from '@skolo/rack';
import type { Login } from '@skolo/secrets';
import type { SshDoor } from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import { type Connection, type ConnectionDeps, openConnection } from '../models/open-connection.ts';

export interface RealDevice {
  device: InfrastructureDevice;
  /** A new one; all that was said in it is in `talk`. Ends with the test. */
  connect(options?: Partial<Pick<ConnectionDeps, 'signal' | 'idleMs'>>): Connection;
  talk: string[];
  /** Folder for `execToFile`. */
  scratch: string;
}

export async function realDevice(
  door: SshDoor,
  about: { model: string; options?: Record<string, unknown> },
): Promise<RealDevice> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-device-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'key'), door.privateKey, { mode: 0o600 });
  const device: InfrastructureDevice = {
    name: 'router',
    address: door.host,
    ports: { ssh: door.port },
    login: 'routers',
    power: [],
    hostKey: door.hostKey,
    transport: 'ssh',
    backup: true,
    options: {},
    ...about,
  };
  const login: Login = {
    name: 'routers',
    username: door.username,
    privateKey: { file: join(dir, 'key') },
    legacySsh: false,
  };
  const talk: string[] = [];
  return {
    device,
    talk,
    scratch: dir,
    connect(options) {
      const connection = openConnection(device, {
        rack: { dir, logins: new Map([['routers', login]]) },
        hostKeys: new HostKeys(join(dir, 'host-keys.json')),
        signal: new AbortController().signal,
        idleMs: 30_000,
        deadlineMs: 120_000,
        scratch: dir,
        onTalk: (_from, text) => talk.push(text),
        ...options,
      });
      onTestFinished(() => connection.close());
      return connection;
    },
  };
}

/** A rack's device behind a real sshd, and a model's connection to it. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Login, readCredentials } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import {
  type Connection,
  type ConnectionDeps,
  HostKeys,
  openConnection,
} from '@skolo/equipment/transports';
import type { SshEndpoint } from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import type { Device } from '../contract/device.ts';

export interface RealDevice {
  device: Device;
  /** A new one; `transcript` has everything sent and received. Ends with the test. */
  connect(
    options?: Partial<Pick<ConnectionDeps, 'signal' | 'idleMs' | 'scratch' | 'diskBytes'>>,
  ): Connection;
  transcript: string[];
  /** Folder for `execToFile`. */
  scratch: string;
}

export async function realDevice(
  endpoint: SshEndpoint,
  about: { model: string; options?: Record<string, unknown> },
): Promise<RealDevice> {
  const dir = await tempDir();
  await writeFile(join(dir, 'key'), endpoint.privateKey, { mode: 0o600 });
  const device: Device = {
    name: 'router',
    address: endpoint.host,
    ports: { ssh: endpoint.port },
    login: 'routers',
    hostKey: endpoint.hostKey,
    transport: 'ssh',
    options: {},
    ...about,
  };
  const login: Login = {
    name: 'routers',
    username: endpoint.username,
    privateKey: { file: join(dir, 'key') },
    legacySsh: false,
  };
  const transcript: string[] = [];
  return {
    device,
    transcript,
    scratch: dir,
    connect: (options) => connectTo(device, { dir, login, transcript }, options),
  };
}

interface Workplace {
  /** Of secrets, host keys, and for `execToFile`. */
  dir: string;
  login: Login;
  transcript: string[];
}

/** As the service opens a connection. It ends with the test. */
export function connectTo(
  device: Device,
  { dir, login, transcript }: Workplace,
  options?: Partial<ConnectionDeps>,
): Connection {
  const logins = new Map([[login.name, login]]);
  const connection = openConnection(device, {
    credentials: () => readCredentials({ dir, logins }, login.name),
    hostKeys: new HostKeys(join(dir, 'host-keys.json')),
    signal: new AbortController().signal,
    idleMs: 120_000,
    deadlineMs: 240_000,
    scratch: dir,
    onTranscript: (_from, text) => transcript.push(text),
    ...options,
  });
  onTestFinished(() => connection.close());
  return connection;
}

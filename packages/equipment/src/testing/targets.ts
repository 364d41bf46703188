/** Session parameters for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Credentials, Secret } from '@skolo/secrets';
import { onTestFinished } from 'vitest';
import { HostKeys } from '../host-keys.ts';
import type { SessionDeps, Target } from '../session.ts';
import { password, user } from './ssh-server.ts';

export { newHostKey, password, testHostKey, user } from './ssh-server.ts';

export function target(port: number, credentials: Partial<Credentials> = {}): Target {
  return {
    name: 'switch-1',
    address: '127.0.0.1',
    port,
    credentials: {
      username: user,
      password: new Secret(password),
      legacySsh: false,
      ...credentials,
    },
  };
}

export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-equipment-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export async function deps(options: Partial<SessionDeps> = {}): Promise<SessionDeps> {
  return { hostKeys: new HostKeys(join(await tempDir(), 'host-keys.json')), ...options };
}

/** A signal for operations that should end well before any timeout. */
export function soon(): AbortSignal {
  return new AbortController().signal;
}

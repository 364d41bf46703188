/** Session parameters for tests. */

import { join } from 'node:path';
import { type Credentials, Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { HostKeys } from '../host-keys.ts';
import type { SessionDeps, Target } from '../session.ts';
import { password, user } from './ssh-server.ts';

export { newHostKey, password } from './ssh-server.ts';

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

export async function deps(options: Partial<SessionDeps> = {}): Promise<SessionDeps> {
  return { hostKeys: new HostKeys(join(await tempDir(), 'host-keys.json')), ...options };
}

/** A signal for operations that should end well before any timeout. */
export function soon(): AbortSignal {
  return new AbortController().signal;
}

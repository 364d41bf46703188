/** A simulated EdgeSwitch, and sessions with it over ssh. */

import type { Credentials } from '@skolo/base/secrets';
import { type CliDevice, type EdgeSwitchOptions, startEdgeSwitch } from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import { openCli } from '../session/open.ts';
import type { CliSession, SessionDeps } from '../session.ts';
import { fastpath } from './dialects.ts';
import { password, testHostKey, user } from './ssh-server.ts';
import { deps, soon, target } from './targets.ts';

/** Closed at the end of the test. */
export async function startSwitch(options: Partial<EdgeSwitchOptions> = {}): Promise<CliDevice> {
  const device = await startEdgeSwitch({
    hostKey: testHostKey(),
    username: user,
    password,
    ports: 8,
    ...options,
  });
  onTestFinished(() => device.close());
  return device;
}

interface How {
  credentials?: Partial<Credentials>;
  deps?: SessionDeps;
}

export async function openSsh(
  port: number,
  { credentials, ...more }: How = {},
): Promise<CliSession> {
  const sessionDeps = more.deps ?? (await deps());
  const session = await openCli(target(port, credentials), 'ssh', fastpath, sessionDeps, soon());
  onTestFinished(() => session.close());
  return session;
}

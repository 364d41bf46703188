/** Opens a session with a device. */

import { secretsOf, usualSignInSeconds } from '@skolo/base/secrets';
import { openCliOn } from '../cli/cli.ts';
import type { Dialect } from '../cli/dialect.ts';
import type { CliSession, ExecSession, SessionDeps, Target } from '../session.ts';
import { SshExec } from '../ssh/exec.ts';
import { type Limit, limitOf, loginLimit } from '../stream/limit.ts';
import { connectTelnet } from '../telnet/telnet.ts';
import { withAnyOf } from './any-of.ts';
import { dryCli, dryExec } from './dry.ts';

/** Only for SSH devices: loading ssh2 takes a tenth of the start of power-cycle-daemon, and 2 MiB. */
const loadSsh = () => import('../ssh/ssh.ts');

/**
 * Connects, signs in, and gets to the privileged prompt.
 *
 * @throws DeviceUnreachable, DeviceTimeout, DeviceBusy, DeviceRejected, SignInRejected, HostKeyChanged
 *
 * @example
 * const cli = await openCli(target, 'ssh', fastpath, { hostKeys }, signal);
 * const answer = await cli.run('show poe status 0/5', { signal });
 * await cli.close();
 */
export async function openCli(
  target: Target,
  transport: 'ssh' | 'telnet',
  dialect: Dialect,
  deps: SessionDeps,
  signal: AbortSignal,
): Promise<CliSession> {
  if (deps.dry) return dryCli(target.credentials, transport, dialect, deps);
  return await withAnyOf(target.credentials, (credentials) =>
    openCliAs({ ...target, credentials }, transport, dialect, deps, signal),
  );
}

async function openCliAs(
  target: Target,
  transport: 'ssh' | 'telnet',
  dialect: Dialect,
  deps: SessionDeps,
  signal: AbortSignal,
): Promise<CliSession> {
  const limit = signInLimit(target, deps, signal);
  const { name: device, credentials } = target;
  const options = {
    device,
    dialect,
    credentials,
    limit: loginLimit(limit),
    onTranscript: deps.onTranscript,
  };
  if (transport === 'telnet') {
    return await openCliOn(await connectTelnet(target, deps, limit), { ...options, mayAsk: true });
  }
  const { connectSsh } = await loadSsh();
  const connection = await connectSsh(target, deps, limit);
  try {
    const mayAsk = !connection.hasSignedIn();
    return await openCliOn(await connection.shell(limit), { ...options, mayAsk });
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * Connects and signs in to a device with a real shell, for one command a channel.
 *
 * @throws DeviceUnreachable, DeviceTimeout, DeviceRejected, SignInRejected, HostKeyChanged
 */
export async function openExec(
  target: Target,
  deps: SessionDeps,
  signal: AbortSignal,
): Promise<ExecSession> {
  if (deps.dry) return dryExec(deps);
  const { connectSsh } = await loadSsh();
  const secrets = secretsOf(target.credentials);
  const connection = await withAnyOf(target.credentials, (credentials) => {
    const limit = signInLimit({ ...target, credentials }, deps, signal);
    return connectSsh({ ...target, credentials }, deps, limit);
  });
  return new SshExec(connection, { device: target.name, secrets, onTranscript: deps.onTranscript });
}

function signInLimit({ credentials }: Target, deps: SessionDeps, signal: AbortSignal): Limit {
  const { signInSeconds = usualSignInSeconds } = credentials;
  const ms = Math.min(signInSeconds * 1000, deps.signInMs ?? Number.POSITIVE_INFINITY);
  return limitOf(signal, ms, deps.idleMs);
}

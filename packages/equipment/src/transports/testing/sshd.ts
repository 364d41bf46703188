/** OpenSSH's server, for tests that are skipped if it is not installed. */
import { type RealSshd, startSshd as startReal } from '@skolo/simulators';
import { afterAll, onTestFinished } from 'vitest';

async function start(lines?: readonly string[], command?: string): Promise<RealSshd> {
  const sshd = await startReal(command, lines);
  if (sshd === undefined) throw new Error('sshd is not installed');
  return sshd;
}

/**
 * Runs until the end of the test.
 * @param lines more of sshd_config
 * @param command runs instead of what a client asks for
 */
export async function startSshd(lines?: readonly string[], command?: string): Promise<RealSshd> {
  const sshd = await start(lines, command);
  onTestFinished(sshd.close);
  return sshd;
}

/** Call at the top of a file: returns one that all of its tests share, because it keeps no state between them. */
export function shareSshd(): () => Promise<RealSshd> {
  let shared: Promise<RealSshd> | undefined;
  afterAll(async () => await (await shared)?.close());
  return () => {
    shared ??= start();
    return shared;
  };
}

/** OpenSSH's server for tests that skip themselves where it is not installed. */
import { type RealSshd, startSshd as startReal } from '@skolo/simulators';
import { afterAll, onTestFinished } from 'vitest';

async function start(lines?: readonly string[]): Promise<RealSshd> {
  const sshd = await startReal(undefined, lines);
  if (sshd === undefined) throw new Error('sshd is not installed');
  return sshd;
}

/** Runs until the end of the test. @param lines more of sshd_config */
export async function startSshd(lines?: readonly string[]): Promise<RealSshd> {
  const sshd = await start(lines);
  onTestFinished(sshd.close);
  return sshd;
}

/** For a file, at its top: gives one that all of its tests share, as it has no state of theirs. */
export function shareSshd(): () => Promise<RealSshd> {
  let shared: Promise<RealSshd> | undefined;
  afterAll(async () => await (await shared)?.close());
  return () => {
    shared ??= start();
    return shared;
  };
}

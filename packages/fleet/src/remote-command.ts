/** A command on the jumphost, through the connection that is there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface RemoteResult {
  /** Of the command; 255 also where ssh failed. */
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs it and collects what it prints.
 *
 * @param args of ssh, from `Tunnel.sshArguments`
 * @param command for the shell there
 * @throws The signal's reason.
 */
export async function remoteCommand(
  args: readonly string[],
  command: string,
  { env, signal }: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<RemoteResult> {
  const child = spawn('ssh', ['-T', ...args, command], {
    ...{ env, signal },
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : error;
  });
  return { code: typeof code === 'number' ? code : 255, stdout, stderr: stderr.trim() };
}

/** The host key of a git remote: pinned by its fingerprint, or that of the first connection. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { errorCode } from '@skolo/base';
import { BackupError } from '@skolo/models/configuration';

const answerWithinSeconds = 20;

/**
 * The line of a known_hosts file with the key that has the fingerprint. A server has several keys, and OpenSSH pins no
 * fingerprint itself, so they are asked for; what is asked here is only believed for its fingerprint.
 *
 * @throws BackupError `rejected`: it has other keys. `unreachable`: it shows none
 */
export async function pinnedHostKey(
  { host, port }: { host: string; port: number },
  fingerprint: string,
  signal: AbortSignal,
): Promise<string> {
  const lines = (await scan(host, port, signal)).split('\n').filter((line) => /^[^#\s]/.test(line));
  const found = lines.map((line) => ({ line, fingerprint: fingerprintOf(line) }));
  const pinned = found.find((key) => key.fingerprint === fingerprint);
  if (pinned) return `${pinned.line}\n`;
  if (found.length === 0) throw new BackupError('unreachable', `${host}: no SSH server responds`);
  throw new BackupError(
    'rejected',
    `${host}: none of its host keys matches ${fingerprint}, which rack.yaml pins; it has ${found.map((key) => key.fingerprint).join(', ')}. Ask its operator before you change services.router-backup.git.hostKey`,
  );
}

/** As `ssh-keygen -l` prints it. */
function fingerprintOf(line: string): string {
  const key = Buffer.from(line.split(' ')[2] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function scan(host: string, port: number, signal: AbortSignal): Promise<string> {
  const args = ['-T', String(answerWithinSeconds), '-p', String(port), host];
  const options = {
    signal,
    timeout: 2 * answerWithinSeconds * 1000,
    killSignal: 'SIGKILL',
  } as const;
  return new Promise((resolve, reject) => {
    execFile('ssh-keyscan', args, options, (error, stdout) => {
      if (signal.aborted) reject(signal.reason);
      else if (error && errorCode(error) === 'ENOENT') {
        reject(
          new BackupError('storage', 'ssh-keyscan cannot be run; check that OpenSSH is installed'),
        );
      } else resolve(stdout);
    });
  });
}

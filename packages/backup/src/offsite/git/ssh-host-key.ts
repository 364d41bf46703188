/** Decides which host key of a git remote is trusted: the pinned fingerprint, or the key of the first connection. */
import { execFile } from 'node:child_process';
import { errorCode, keyFingerprint } from '@skolo/base';
import { BackupError } from '@skolo/equipment/models/configuration';

const answerWithinSeconds = 20;

/**
 * The known_hosts line for the key with this fingerprint. A server has several keys, and OpenSSH cannot pin fingerprints, so this requests
 * the keys; one is only trusted if its fingerprint matches.
 *
 * @throws BackupError `rejected`: it has other keys. `unreachable`: it sent none
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
    `${host}: the server's host keys (${found.map((key) => key.fingerprint).join(', ')}) do not match the one pinned in rack.yaml (${fingerprint}). Before you change services.router-backup.git.hostKey, confirm the new key with the server's operator`,
  );
}

function fingerprintOf(line: string): string {
  return keyFingerprint(Buffer.from(line.split(' ')[2] ?? '', 'base64'));
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

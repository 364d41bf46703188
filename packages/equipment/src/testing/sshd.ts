/** OpenSSH's server, as the user who runs the tests: own configuration, own keys, own port. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { peer } from '@skolo/simulators';
import { onTestFinished, vi } from 'vitest';
import { fingerprintOf, newKeyPair } from './ssh-server.ts';
import { tempDir } from './targets.ts';
import { unusedPort } from './tcp-server.ts';

export interface Sshd {
  port: number;
  username: string;
  /** What may sign in. */
  privateKey: string;
  hostKey: string;
}

/** Runs until the end of the test. @param lines more of sshd_config */
export async function startSshd(lines: readonly string[] = []): Promise<Sshd> {
  const dir = await tempDir();
  await chmod(dir, 0o755);
  const [host, user] = [newKeyPair(), newKeyPair()];
  const hostKeyFile = join(dir, 'host_key');
  const authorized = join(dir, 'authorized_keys');
  await writeFile(hostKeyFile, host.private, { mode: 0o600 });
  await writeFile(authorized, `${user.public}\n`, { mode: 0o600 });
  const port = await unusedPort();
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKeyFile}`,
    `AuthorizedKeysFile ${authorized}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    'PrintMotd no',
    // Else each session begins with the .bashrc of whoever runs the tests, which may take half a second.
    `SetEnv HOME=${dir}`,
    ...lines,
  ];
  await writeFile(join(dir, 'sshd_config'), `${config.join('\n')}\n`);
  // Where root runs it, it wants its folder for privilege separation.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const log = join(dir, 'log');
  const child = spawn(peer('sshd') ?? 'sshd', ['-D', '-f', join(dir, 'sshd_config'), '-E', log]);
  onTestFinished(() => stop(child));
  await vi.waitFor(async () => {
    if (child.exitCode !== null) throw new Error(await readFile(log, 'utf8'));
    await answers(port);
  }, 10_000);
  return {
    port,
    username: userInfo().username,
    privateKey: user.private,
    hostKey: fingerprintOf(host.private),
  };
}

async function answers(port: number) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'data');
  } finally {
    socket.destroy();
  }
}

async function stop(child: ChildProcess) {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

/** What `ssh-keygen -lf` says of it. */
export function fingerprintByKeygen(publicKeyFile: string): string {
  const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', publicKeyFile])
    .toString()
    .split(' ');
  return fingerprint;
}

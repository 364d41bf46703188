/** OpenSSH's server, as the user who runs the tests: own configuration, own keys, own port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { peer } from '@skolo/simulators';
import { afterAll, onTestFinished, vi } from 'vitest';
import { fingerprintOf, newKeyPair } from './ssh-server.ts';
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
  const { sshd, stop } = await start(lines);
  onTestFinished(stop);
  return sshd;
}

/** For a file, at its top: gives one that all of its tests share, as it has no state of theirs. */
export function shareSshd(): () => Promise<Sshd> {
  let shared: ReturnType<typeof start> | undefined;
  afterAll(async () => await (await shared)?.stop());
  return async () => {
    shared ??= start();
    return (await shared).sshd;
  };
}

async function start(lines: readonly string[] = []) {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-sshd-'));
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
    // What OpenSSH prefers takes 0.1 s of processor time at each end.
    'KexAlgorithms -sntrup761*',
  ];
  await writeFile(join(dir, 'sshd_config'), `${config.join('\n')}\n`);
  // Where root runs it, it wants its folder for privilege separation.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const log = join(dir, 'log');
  const child = spawn(peer('sshd') ?? 'sshd', ['-D', '-f', join(dir, 'sshd_config'), '-E', log]);
  const stop = async () => {
    await end(child);
    await rm(dir, { recursive: true, force: true });
  };
  await vi
    .waitFor(async () => {
      if (child.exitCode !== null) throw new Error(await readFile(log, 'utf8'));
      await answers(port);
    }, 10_000)
    .catch(async (error: unknown) => {
      await stop();
      throw error;
    });
  const { username } = userInfo();
  const hostKey = fingerprintOf(host.private);
  const sshd: Sshd = { port, username, privateKey: user.private, hostKey };
  return { sshd, stop };
}

async function answers(port: number) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'data');
  } finally {
    socket.destroy();
  }
}

async function end(child: ChildProcess) {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

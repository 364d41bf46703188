/**
 * OpenSSH's server as the user who runs the tests: own configuration, own keys, own port on 127.0.0.1. No account is
 * made: whoever has the key signs in as that user, and gets a command instead of the shell.
 */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { hostKey, makeSshKey } from '../equipment/cli/host-key.ts';
import { freeTcpPort } from '../free-port.ts';
import { peer } from '../peer.ts';
import { Process } from '../process.ts';

export interface SshEndpoint {
  host: string;
  port: number;
  username: string;
  /** What may sign in, and the file that it is in. */
  privateKey: string;
  privateKeyFile: string;
  /** `SHA256:…` */
  hostKey: string;
}

export interface RealSshd extends SshEndpoint {
  /** Absolute path of the server, and its configuration: for another one of the same keys. */
  program: string;
  config: string;
  /** Ends it, until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Undefined where it is not installed.
 *
 * @param command run for every session, with what was asked for in SSH_ORIGINAL_COMMAND; undefined: the user's shell
 * @param lines more of sshd_config; with a `HostKey` it has no other one
 */
export async function startSshd(
  command: string | undefined,
  lines: readonly string[] = [],
): Promise<RealSshd | undefined> {
  const program = peer('sshd');
  if (program === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'skolo-sshd-'));
  const [host, user] = [makeSshKey(), makeSshKey()];
  const file = (name: string, text: string) => writeFile(join(dir, name), text, { mode: 0o600 });
  await file('host_key', host.private);
  await file('user_key', user.private);
  await file('authorized_keys', `${user.public}\n`);
  const port = await freeTcpPort();
  const configLines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...(lines.some((each) => each.startsWith('HostKey '))
      ? []
      : [`HostKey ${join(dir, 'host_key')}`]),
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    ...(command === undefined ? [] : [`ForceCommand ${command}`]),
    `PidFile ${join(dir, 'pid')}`,
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    'PrintMotd no',
    'PrintLastLog no',
    // Else each session begins with the .bashrc of whoever runs the tests, which may take half a second.
    `SetEnv HOME=${dir}`,
    ...lines,
    // What OpenSSH prefers takes 0.1 s of processor time at each end.
    'KexAlgorithms -sntrup761*',
  ];
  await file('sshd_config', `${configLines.join('\n')}\n`);
  // Where root runs it, it wants its folder for privilege separation.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const log = join(dir, 'log');
  // It ends when we do, however that happens.
  const script = `{ "$@"; kill $$; } & read -r _; kill -9 "$(cat ${join(dir, 'pid')})"`;
  const args = [program, '-D', '-f', join(dir, 'sshd_config'), '-E', log];
  let sshd: Process | undefined;
  async function start() {
    const started = new Process('sh', ['-c', script, 'sh', ...args]);
    sshd = started;
    try {
      await started.until('its first line', () => answers(port));
    } catch (error) {
      const said = await readFile(log, 'utf8').catch(() => '');
      await close();
      throw new Error(`sshd does not start: ${said}`, { cause: error });
    }
  }
  const stop = async () => await sshd?.leave();
  async function close() {
    await stop();
    await rm(dir, { recursive: true, force: true });
  }
  await start();
  return {
    program,
    config: join(dir, 'sshd_config'),
    host: '127.0.0.1',
    port,
    username: userInfo().username,
    privateKey: user.private,
    privateKeyFile: join(dir, 'user_key'),
    hostKey: hostKey(host.private, 'ed25519').fingerprint,
    stop,
    start,
    close,
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'data');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

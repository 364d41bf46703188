/**
 * Finds evidence that another computer is a jumphost of this rack although it shows no statement: it has a private key that only
 * jumphosts have, because a spare takes over the keys of the one before it. It is asked at its link-local address, because this computer
 * has no other yet.
 */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@skolo/base/run';

const timeout = 10_000;

/** For people; undefined: there is none. Never throws. @param root as in ActiveOptions */
export async function evidenceOf(
  { root, device }: { root: string; device: string },
  mac: string,
): Promise<string | undefined> {
  for (const address of await linkLocalOf(device, mac).catch(() => [])) {
    if (await hasHostKey(root, address).catch(() => false)) return 'SSH host key';
  }
  return undefined;
}

/** As computers with this MAC address responded to a ping. */
async function linkLocalOf(device: string, mac: string): Promise<string[]> {
  const ping = ['-6', '-n', '-c', '2', '-w', '3', `ff02::1%${device}`];
  await run('ping', ping, { timeout }).catch(() => undefined);
  const { stdout } = await run('ip', ['-6', 'neighbour', 'show', 'dev', device], { timeout });
  const lines = stdout.split('\n').filter((line) => line.includes(` lladdr ${mac} `));
  return lines.flatMap((line) => /^fe80:\S+/.exec(line) ?? []).map((at) => `${at}%${device}`);
}

/**
 * OpenSSH sends the user's name only after the server has shown that it has its key, so only such a server can make it print the name. A
 * relay to this computer's own sshd passes on its key, but then this sshd has logged the name. Its log is only believed if it has another
 * name that was sent to it directly. A relay to yet another jumphost cannot be recognised: this computer then waits, because two active
 * jumphosts would be worse.
 */
async function hasHostKey(root: string, address: string): Promise<boolean> {
  const theirs = await ask(root, address);
  if (!theirs.printed.includes(`${theirs.user}@`)) return false;
  const listener = await ownListener();
  const own = listener && (await ask(root, listener)).user;
  await run('journalctl', ['--sync'], { timeout }).catch(() => undefined);
  const about = ['sshd', 'sshd-session', 'sshd-auth'].flatMap((name) => ['-t', name]);
  const find = ['-b', '-q', '-o', 'cat', ...about, '-g', `${theirs.user}|${own}`];
  // What cannot be read lacks the other name, too. One that listens at another port may be relayed to as well.
  const { stdout: log } = await run('journalctl', find, { timeout }).catch(() => ({ stdout: '' }));
  return !log.includes(theirs.user) && (own === undefined || log.includes(own));
}

/** An address at which this computer's own sshd listens; undefined: it does not run. */
async function ownListener(): Promise<string | undefined> {
  const { stdout } = await run('ss', ['-Hltn', 'sport = :22'], { timeout });
  const address = /\s\[?([^\s[\]]+)\]?:22\s/.exec(stdout)?.[1];
  const anyAddress = new Map([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
    ['*', '::1'],
  ]);
  return address && (anyAddress.get(address) ?? address);
}

/** Tries to sign in with a name that nobody knows. */
async function ask(root: string, address: string): Promise<{ user: string; printed: string }> {
  const folder = join(root, '/etc/ssh');
  const names = (await readdir(folder)).filter((name) => /^ssh_host_\w+_key\.pub$/.test(name));
  const files = names.map((name) => join(folder, name)).join(' ');
  const user = randomBytes(16).toString('hex');
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'UserKnownHostsFile=none',
    'GlobalKnownHostsFile=none',
    'HostKeyAlias=jumphost',
    `KnownHostsCommand=/usr/bin/sed "s/^/jumphost /" ${files}`,
    'PubkeyAuthentication=no',
  ];
  const args = ['-F', 'none', ...options.flatMap((each) => ['-o', each]), '-l', user, address];
  return await run('ssh', [...args, 'true'], { timeout }).then(
    () => ({ user, printed: `${user}@` }),
    ({ stderr = '' }: { stderr?: string }) => ({ user, printed: stderr }),
  );
}

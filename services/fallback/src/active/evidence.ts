/**
 * Finds evidence that another computer is a jumphost of this rack although it shows no statement: it has a private key that only
 * jumphosts have, because a spare takes over the keys of the one before it. It is asked at its link-local address, because this computer
 * has no other yet.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { run } from '@skolo/base/run';

const timeout = 10_000;
const serverCa = '/var/lib/rancher/k3s/server/tls/server-ca.crt';

/** For people; undefined: there is none. Never throws. @param root as in ActiveOptions */
export async function evidenceOf(
  { root, device }: { root: string; device: string },
  mac: string,
): Promise<string | undefined> {
  for (const address of await linkLocalOf(device, mac).catch(() => [])) {
    if (await hasHostKey(root, address).catch(() => false)) return 'SSH host key';
    if (await servesK3s(root, address).catch(() => false)) return 'k3s API server';
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

/** OpenSSH sends the user's name only after the server has shown that it has its key, so only such a server can make it print the name. */
async function hasHostKey(root: string, address: string): Promise<boolean> {
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
    () => true,
    ({ stderr = '' }: { stderr?: string }) => stderr.includes(`${user}@`),
  );
}

/**
 * The CA signs certificates of all kubelets, too, but only k3s's own listener has an organization.
 * Source: k3s, newListener in pkg/cluster/https.go, and servingKubeletCert in pkg/server.
 */
async function servesK3s(root: string, host: string): Promise<boolean> {
  const ca = await readFile(join(root, serverCa));
  const socket = connect({ host, port: 6443, ca, checkServerIdentity: () => undefined });
  const timer = setTimeout(() => socket.destroy(), timeout);
  try {
    return await new Promise((resolve) => {
      socket.once('secureConnect', () => resolve(socket.getPeerCertificate().subject.O === 'k3s'));
      for (const event of ['error', 'close']) socket.once(event, () => resolve(false));
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/**
 * A jumphost of a rack for a workstation: OpenSSH's server on loopback, `sudo -n k3s kubectl` in front of a real API server, and the
 * `ssh` of a user who has a key for it.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { peer } from '../peer.ts';
import { type Relay, startRelay } from '../relay.ts';
import { startSshd } from './sshd.ts';

const run = promisify(execFile);

export interface JumphostOptions {
  /** Host name, as a workstation knows it. Default `jumphost-rack4`. */
  name?: string;
  /** The kubeconfig of an admin, for `k3s kubectl`. Without it there is no API server. */
  kubeconfig?: string;
  /** More programs of the jumphost, by name: shell scripts without their first line. */
  programs?: Readonly<Record<string, string>>;
  /** Folders that its sessions see instead of those of this computer, such as /etc. Needs namespaces of mounts. */
  folders?: Readonly<Record<string, string>>;
  /** Its user is `nobody`, where root runs the tests. Else whoever runs them. */
  isNobody?: true;
  /** A process in whose network namespace its SSH server is, such as that of a real node. Then nothing can be cut. */
  networkOf?: number;
}

export interface Jumphost {
  /** First in the PATH of the workstation: its ssh knows the jumphost by name. */
  bin: string;
  /** ssh_config and known_hosts of the user. */
  sshConfig: string;
  knownHosts: string;
  /** Port of the API server; 1 without one. */
  apiPort: number;
  /** Command lines that came to the jumphost, in order. */
  commands(): Promise<string[]>;
  /** In front of its SSH server. */
  relay: Relay;
  /** Replaces a program, as `programs` do. */
  program(name: string, script: string): Promise<void>;
  close(): Promise<void>;
}

/** Undefined where sshd or ssh is not installed. */
export async function startJumphost(options: JumphostOptions = {}): Promise<Jumphost | undefined> {
  const ssh = peer('ssh');
  const { name = 'jumphost-rack4', kubeconfig, programs = {}, folders = {}, networkOf } = options;
  const asNobody =
    options.isNobody && process.getuid?.() === 0
      ? 'setpriv --reuid=nobody --regid=nogroup --clear-groups'
      : '';
  const dir = await mkdtemp(join(tmpdir(), 'skolo-jumphost-'));
  const there = join(dir, 'jumphost');
  await chmod(dir, 0o711);
  const bin = join(dir, 'workstation');
  const log = join(dir, 'commands');
  const home = join(dir, 'home');
  await mkdir(home);
  await mkdir(there);
  await mkdir(bin);
  await writeFile(log, '');
  const session = join(dir, 'session');
  // What is asked for, or a shell. Line breaks of a command would look like several.
  await script(
    session,
    `printf '%s\\n' "$SSH_ORIGINAL_COMMAND" >> '${log}'
PATH='${there}':"$PATH"; HOME='${home}'; export PATH HOME; cd
[ -n "$SSH_ORIGINAL_COMMAND" ] || exec sh -i
exec ${within(folders)} ${asNobody} sh -c "$SSH_ORIGINAL_COMMAND"`,
  );
  const sshd = await startSshd(session, ['MaxStartups 100', 'MaxSessions 100']);
  if (ssh === undefined || sshd === undefined) {
    await sshd?.close();
    await rm(dir, { recursive: true });
    return undefined;
  }
  const relay = await startRelay(sshd);
  async function close() {
    await relay.close();
    await sshd?.close();
    await rm(dir, { recursive: true, force: true });
  }
  // A server of its own for each connection, as inetd starts it.
  const inNetwork = `nsenter --net --target ${networkOf} ${sshd.program} -i -f ${sshd.config}`;
  const sshConfig = join(dir, 'ssh_config');
  const knownHosts = join(dir, 'known_hosts');
  await writeFile(
    sshConfig,
    `Host ${name}
  HostName 127.0.0.1
  Port ${relay.port}
  User ${sshd.username}
  IdentityFile ${sshd.privateKeyFile}
  IdentitiesOnly yes
  IdentityAgent none
  HostKeyAlias ${name}
  UserKnownHostsFile ${knownHosts}
  GlobalKnownHostsFile none
  HashKnownHosts no
  StrictHostKeyChecking accept-new
${networkOf === undefined ? '' : `  ProxyCommand ${inNetwork}\n`}`,
  );
  await script(join(bin, 'ssh'), `exec '${ssh}' -F '${sshConfig}' "$@"`);
  await script(join(there, 'sudo'), '[ "$1" = -n ] && shift\n[ "$1" = -- ] && shift\nexec "$@"');
  const kubectl = peer('kubectl');
  if (kubeconfig !== undefined && kubectl !== undefined) {
    await publishAuthority(kubectl, kubeconfig).catch(async (error) => {
      await close();
      throw error;
    });
    const to = `KUBECONFIG='${kubeconfig}'; export KUBECONFIG`;
    await script(join(there, 'k3s'), `${to}\n[ "$1" = kubectl ] && shift\nexec '${kubectl}' "$@"`);
  }
  const program = (each: string, text: string) => script(join(there, each), text);
  for (const [each, text] of Object.entries(programs)) await program(each, text);
  return {
    bin,
    sshConfig,
    knownHosts,
    program,
    apiPort: kubeconfig === undefined ? 1 : await apiPortOf(kubeconfig),
    commands: async () => (await readFile(log, 'utf8')).split('\n').slice(0, -1),
    relay,
    close,
  };
}

function within(folders: Readonly<Record<string, string>>): string {
  const mounts = Object.entries(folders).map(([at, folder]) => `mount --bind '${folder}' ${at}`);
  return mounts.length === 0 ? '' : `unshare -m sh -ec "${mounts.join('; ')}; "'exec "$@"' sh`;
}

/** A program that is about to run cannot be written, but replaced. */
async function script(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await rename(`${path}.new`, path);
}

const Kubeconfig = z.object({
  clusters: z.tuple([
    z.object({
      cluster: z.object({ server: z.url(), 'certificate-authority': z.string() }),
    }),
  ]),
});

async function clusterOf(kubeconfig: string) {
  const { clusters } = Kubeconfig.parse(JSON.parse(await readFile(kubeconfig, 'utf8')));
  return clusters[0].cluster;
}

async function apiPortOf(kubeconfig: string): Promise<number> {
  return Number(new URL((await clusterOf(kubeconfig)).server).port);
}

/** As kube-controller-manager does. */
async function publishAuthority(kubectl: string, kubeconfig: string): Promise<void> {
  const file = (await clusterOf(kubeconfig))['certificate-authority'];
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const name = ['configmap', 'kube-root-ca.crt', '-n', 'kube-system'];
  try {
    await run(kubectl, ['create', ...name, `--from-file=ca.crt=${file}`], { env });
  } catch (error) {
    await run(kubectl, ['get', ...name], { env }).catch(() => {
      throw error;
    });
  }
}

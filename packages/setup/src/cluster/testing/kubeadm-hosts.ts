/**
 * Computers that run every script for real, each in a copy of this computer's files. Programs of Debian and Kubernetes are fakes with
 * the same arguments and files: `fake.sh`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Host, openHost } from '@skolo/setup/engine';

const fakeProgram = fileURLToPath(new URL('fake.sh', import.meta.url));
const programs =
  'apt-get apt-mark cat dpkg dpkg-query iptables-save ip6tables-save kubeadm kubectl modprobe systemctl sysctl';

export const fakesPath = 'PATH=/opt/fakes:/usr/sbin:/usr/bin:/sbin:/bin';

export interface KubeadmHosts {
  /** @param architecture of its programs, as dpkg names it */
  add(name: string, architecture?: string): Promise<void>;
  open(name: string): Promise<Host>;
  /** The command line that runs a program there. */
  enter(name: string): string[];
  /** Runs a script there, beside skolo. */
  shell(name: string, script: string): Promise<string>;
  /** Arguments of each fake program that changes something, in order: `host01 kubeadm init …`. */
  calls(): Promise<string[]>;
  /** Files of a computer that differ from those of this one, with their contents. */
  files(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Undefined: they can be here. */
export function whyNoKubeadmHosts(): string | undefined {
  const at = mkdtempSync(join(tmpdir(), 'skolo-overlay-'));
  try {
    for (const each of ['root', 'upper', 'work']) mkdirSync(join(at, each));
    const mount = `mount -t overlay overlay -o lowerdir=/,upperdir=${at}/upper,workdir=${at}/work ${at}/root`;
    return spawnSync('unshare', ['-m', 'sh', '-c', mount]).status === 0
      ? undefined
      : 'no file system of theirs can be mounted';
  } finally {
    rmSync(at, { recursive: true });
  }
}

/** Until its input ends, also when the test was killed. @param at the folder of a computer */
async function mountFiles(at: string, cluster: string): Promise<ChildProcess> {
  const root = join(at, 'root');
  const mounts = [
    `mount -t overlay overlay -o lowerdir=/,upperdir=${at}/upper,workdir=${at}/work ${root}`,
    ...['proc', 'sys/fs/cgroup', 'dev'].map((each) => `mount --bind /${each} ${root}/${each}`),
    `mount --bind ${cluster} ${root}/opt/cluster`,
  ].join(' && ');
  const child = spawn('unshare', ['-m', 'sh', '-c', `${mounts} && echo mounted && exec cat`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const isThere = await Promise.race([
    once(child.stdout, 'data').then(() => true),
    once(child, 'close').then(() => false),
  ]);
  if (!isThere) throw new Error(`${root}: not mounted`);
  return child;
}

export async function startKubeadmHosts(): Promise<KubeadmHosts> {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-kubeadm-'));
  const cluster = join(folder, 'cluster');
  await mkdir(cluster);
  await writeFile(join(cluster, 'calls'), '');
  const { signal } = new AbortController();
  /** Each holds the files of one computer mounted. The kernel promises nothing for two mounts that write to one folder. */
  const mounted = new Map<string, ChildProcess>();
  const rootOf = (name: string) => join(folder, name, 'root');
  const enter = (name: string) => [
    ...['nsenter', `--mount=/proc/${mounted.get(name)?.pid}/ns/mnt`, 'chroot', rootOf(name)],
    ...['/usr/bin/env', '-i', fakesPath, `HOST=${name}`],
  ];
  const start = (name: string, command: string) => {
    const [program = '', ...args] = enter(name);
    return spawn(program, [...args, 'sh', '-c', command]);
  };
  const open = (name: string) =>
    openHost({ name, signal, start: async (command) => start(name, command) });
  return {
    async add(name, architecture = 'arm64') {
      const at = join(folder, name);
      for (const each of [
        'root',
        'work',
        'upper/opt/cluster',
        'upper/opt/fakes',
        'upper/sys/fs/cgroup',
      ]) {
        await mkdir(join(at, each), { recursive: true });
      }
      await cp(fakeProgram, join(at, 'upper/opt/fakes/fake'));
      mounted.set(name, await mountFiles(at, cluster));
      await (await open(name)).need(
        `cd /opt/fakes && chmod 755 fake && for each in ${programs}; do ln -s fake $each; done
echo ${architecture} > /opt/architecture
rm -rf /etc/kubernetes /run/skolo*
printf 'ID=debian\\nVERSION_ID=13\\n' > /etc/os-release`,
      );
    },
    open,
    enter,
    shell: async (name, script) => (await open(name)).need(script),
    async calls() {
      const text = await readFile(join(cluster, 'calls'), 'utf8');
      await writeFile(join(cluster, 'calls'), '');
      return text.split('\n').filter(Boolean);
    },
    files: async (name) =>
      (await open(name)).need(
        "find /etc /var/lib/kubelet /opt/state -xdev -type f -newer /opt/architecture -printf '%p %T@ %m\\n' | LC_ALL=C sort",
      ),
    async close() {
      for (const child of mounted.values()) {
        const closed = once(child, 'close');
        child.stdin?.end();
        await closed;
      }
      await rm(folder, { recursive: true });
    },
  };
}

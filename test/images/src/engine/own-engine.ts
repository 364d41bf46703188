/**
 * A container engine for the time of a test run: dockerd in namespaces of its own.
 *
 * In a network namespace its bridges, addresses and rules of the firewall meet none of the computer's, whatever runs
 * there; it has no way out. In a process and a mount namespace nothing of it can outlive its first process: the kernel
 * ends every container and takes back every mount with it. The first process ends when the test's end of a pipe
 * closes, also when the test was killed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

export interface OwnEngine {
  /** `unix:///…` */
  host: string;
  close(): Promise<void>;
}

const namespaces = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];

// As process 1: when it ends, the kernel ends all others.
const firstProcess = `
exec 3<&0
"$@" </dev/null 3<&- & engine=$!
{ cat <&3 >/dev/null; kill -KILL "$engine"; } &
wait "$engine"`;

/** Why namespaces cannot be made here; undefined where they can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  const child = spawn('unshare', [...namespaces, '--propagation', 'private', 'true'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const failed = once(child, 'error').then(([error]) => String(error));
  const ended = Promise.all([text(child.stderr), once(child, 'close')]).then(([output, [code]]) =>
    code === 0 ? undefined : output.trim() || `unshare ended with ${code}`,
  );
  return Promise.race([failed, ended]);
}

/**
 * Starts it, and resolves when it answers.
 *
 * @param dir a folder of its own, which is the caller's to remove; a short path, since sockets are in it
 */
export async function startOwnEngine(dockerd: string, dir: string): Promise<OwnEngine> {
  const socket = join(dir, 'docker.sock');
  const cgroup = `skolo-test-${process.pid}`;
  const args = [
    ...['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec')],
    ...['--pidfile', join(dir, 'dockerd.pid'), '--host', `unix://${socket}`],
    // By itself: to systemd, where that runs, its process ids would mean others.
    ...['--exec-opt', 'native.cgroupdriver=cgroupfs', '--cgroup-parent', `/${cgroup}`],
    // What it takes elsewhere copies each layer whole.
    '--storage-driver=overlay2',
    // Nothing is to be kept apart or let out in its network namespace.
    ...['--iptables=false', '--ip6tables=false', '--ip-masq=false', '--userland-proxy=false'],
    // Where CAP_SYS_RESOURCE is missing, limits cannot be raised to what it gives containers by default.
    ...['--default-ulimit', 'nofile=1024:1024'],
  ];
  const child = spawn(
    'unshare',
    [...namespaces, '--propagation', 'private', 'sh', '-c', firstProcess, 'sh', dockerd, ...args],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  const closed = once(child, 'close');
  async function close() {
    child.kill('SIGKILL');
    await closed;
    removeGroups(cgroup);
  }
  const output: string[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      createInterface(child.stderr).on('line', (line) => {
        output.push(line);
        output.splice(0, output.length - 20);
        if (line.includes('API listen on')) resolve();
      });
      child.once('error', reject);
      child.once('close', () => reject(new Error('it has ended')));
      setTimeout(() => reject(new Error('it does not listen within 15 min')), 900_000).unref();
    });
  } catch (error) {
    await close();
    throw new Error(`dockerd does not start: ${output.join('\n')}`, { cause: error });
  }
  return { host: `unix://${socket}`, close };
}

/** What is empty by now: the groups of processes that were ended with their namespace. */
function removeGroups(name: string): void {
  const top = '/sys/fs/cgroup';
  // Version 2 has one tree, version 1 one for each controller.
  const trees = ['', ...readdirSync(top).filter((tree) => existsSync(join(top, tree, name)))];
  for (const tree of trees) {
    const group = join(top, tree, name);
    if (!existsSync(group)) continue;
    const inside = readdirSync(group, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    // The innermost first.
    for (const folder of [group, ...inside].sort((a, b) => b.length - a.length)) {
      try {
        rmdirSync(folder);
      } catch {
        // Something is still ending in it: an empty group does no harm.
      }
    }
  }
}

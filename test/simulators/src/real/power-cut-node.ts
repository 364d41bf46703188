/**
 * containerd on a disk whose power a test cuts. The disk is a file with ext4, as SD cards have, on XFS. A cut is a copy of that file
 * at one moment (reflink), from which the node boots: what the kernel had not written to the disk by then is lost. Unlike a real
 * cut, it keeps what is in the disk's own cache. No container runs.
 *
 * The kernel writes the journal of ext4 every ten minutes instead of every five seconds, so that it does not help by chance. All
 * file systems are in a mount namespace. Nothing is left of it when the test ends, however it ends.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Process, succeeds } from './process.ts';

const run = promisify(execFile);

interface PowerCutOptions {
  /** The program of its node: `peer('containerd')` or `peer('containerd-2')`. */
  containerd: string;
  /** `peer('containerd')`: ctr is beside it. */
  debian: string;
  /** `peer('containerd-2')`: it requests pulls. */
  puller: string;
  /** Where its store is on its disk. Default: where k3s has it */
  store?: string;
  /** What its configuration contains besides its folders, in TOML: first its version. */
  settings: string;
}

const mountDisk = 'mount -o loop,commit=600 outer/disk.img disk';
const makeDisk = `cd "$1"
mkdir outer disk mounted
truncate -s 2G outer.img
mkfs.xfs -q -m reflink=1 outer.img
mount -o loop outer.img outer
truncate -s 1G outer/disk.img
mkfs.ext4 -q outer/disk.img
${mountDisk}
mkdir ready
exec cat`;

export class PowerCutNode {
  /** Visible to its programs. */
  readonly dir: string;
  private readonly options: PowerCutOptions;
  private readonly holder: Process;
  private containerd: Process | undefined;

  private constructor(dir: string, options: PowerCutOptions) {
    this.dir = dir;
    this.options = options;
    const inside = ['--mount', '--propagation', 'private', 'sh', '-euc', makeDisk, 'sh', dir];
    this.holder = new Process('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...inside]);
  }

  /** With a new disk, on which containerd runs. */
  static async start(options: PowerCutOptions): Promise<PowerCutNode> {
    const dir = await mkdtemp(join(tmpdir(), 'skolo-power-cut-'));
    await writeFile(
      join(dir, 'config.toml'),
      `root = "${dir}/disk${options.store ?? '/var/lib/rancher/k3s/agent/containerd'}"
state = "${dir}/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
grpc.address = "${dir}/containerd.sock"
ttrpc.address = "${dir}/containerd.sock.ttrpc"
${options.settings}`,
    );
    const node = new PowerCutNode(dir, options);
    try {
      await node.holder.until('its disk', () => succeeds(node.sh('[ -e ready ]')));
      await node.boot();
    } catch (error) {
      await node.close();
      throw error;
    }
    return node;
  }

  /** Runs a script in its folder, where `disk` is its disk. */
  async sh(script: string): Promise<string> {
    const args = [...this.inside(), 'sh', '-euc', `cd "$1"; ${script}`, 'sh', this.dir];
    return (await run('nsenter', args, { maxBuffer: 10_000_000 })).stdout;
  }

  /** Runs ctr in the namespace of Kubernetes. */
  ctr(args: string): Promise<string> {
    return this.sh(
      `'${join(dirname(this.options.debian), 'ctr')}' -a containerd.sock -n k8s.io ${args}`,
    );
  }

  /** As a kubelet does. */
  async pull(image: string): Promise<void> {
    await this.sh(`'${this.options.puller}' pull "$PWD/containerd.sock" '${image}'`);
  }

  /** Whether containerd lists it as unpacked. */
  async has(image: string): Promise<boolean> {
    return (await this.ctr(`images check 'name==${image}'`)).trimEnd().endsWith('true');
  }

  /** The image's files that are not what they should be. @param sums of the registry */
  async damaged(image: string, sums: string): Promise<string[]> {
    await this.writeFile('sums', sums);
    await this.ctr(`images mount '${image}' mounted > /dev/null`);
    const lines = await this.sh(
      'cd mounted; sha256sum --check --quiet ../sums 2> /dev/null || true',
    );
    await this.ctr('images unmount --rm mounted > /dev/null');
    return lines.split('\n').filter((line) => line !== '');
  }

  /** Removes all images, with their files. */
  async removeImages(): Promise<void> {
    const names = (await this.ctr('images ls -q')).split('\n').filter((name) => name !== '');
    if (names.length > 0) await this.ctr(`images rm --sync ${names.join(' ')}`);
  }

  /** Beside its disk. */
  async writeFile(name: string, content: string): Promise<void> {
    await writeFile(join(this.dir, name), content);
  }

  /** Its disk is from now on what it was at this moment, and containerd does not run. */
  async cutPower(): Promise<void> {
    await this.sh('cp --reflink=always outer/disk.img outer/next.img');
    await this.stop();
    await this.sh(`umount -R disk; mv outer/next.img outer/disk.img; rm -rf state; ${mountDisk}`);
  }

  /** Starts containerd. @throws Error It ends, or does not respond. */
  async boot(): Promise<void> {
    const server = new Process('setpriv', [
      ...['--pdeathsig', 'KILL', 'nsenter', ...this.inside(), this.options.containerd],
      ...['--config', join(this.dir, 'config.toml'), '--log-level', 'warn'],
    ]);
    this.containerd = server;
    await server.until('to answer', () => succeeds(this.ctr('namespaces ls')));
  }

  /** Ends containerd. */
  async stop(): Promise<void> {
    await this.containerd?.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.holder.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Arguments of nsenter, for programs that see its disk. */
  private inside(): string[] {
    return [`--mount=/proc/${this.holder.pid}/ns/mnt`];
  }
}

/**
 * containerd on a disk whose power a test cuts. No container runs.
 *
 * The kernel writes the journal of ext4 every ten minutes instead of every five seconds, so that it does not help by chance.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Process, succeeds } from '../process.ts';
import { PowerCutDisk } from './power-cut-disk.ts';

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

export class PowerCutNode {
  private readonly options: PowerCutOptions;
  private readonly disk: PowerCutDisk;
  private containerd: Process | undefined;

  private constructor(disk: PowerCutDisk, options: PowerCutOptions) {
    this.disk = disk;
    this.options = options;
  }

  /** With a new disk, on which containerd runs. */
  static async start(options: PowerCutOptions): Promise<PowerCutNode> {
    const disk = await PowerCutDisk.make();
    const { dir } = disk;
    const node = new PowerCutNode(disk, options);
    try {
      await node.writeFile(
        'config.toml',
        `root = "${dir}/disk${options.store ?? '/var/lib/rancher/k3s/agent/containerd'}"
state = "${dir}/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
grpc.address = "${dir}/containerd.sock"
ttrpc.address = "${dir}/containerd.sock.ttrpc"
${options.settings}`,
      );
      await disk.sh(`mkdir mounted; ${mountDisk}`);
      await node.boot();
    } catch (error) {
      await node.close();
      throw error;
    }
    return node;
  }

  /** Runs a script in its folder, where `disk` is its disk. */
  sh(script: string): Promise<string> {
    return this.disk.sh(script);
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
    await writeFile(join(this.disk.dir, name), content);
  }

  /** Its disk is from now on what it was at this moment, and containerd does not run. */
  async cutPower(): Promise<void> {
    await this.disk.cutPower(async () => {
      await this.stop();
      await this.sh('umount -R disk; rm -rf state');
    });
    await this.sh(mountDisk);
  }

  /** Starts containerd. @throws Error It ends, or does not respond. */
  async boot(): Promise<void> {
    const server = new Process('setpriv', [
      ...['--pdeathsig', 'KILL', 'nsenter', `--mount=/proc/${this.disk.pid}/ns/mnt`],
      ...[this.options.containerd, '--config', join(this.disk.dir, 'config.toml')],
      ...['--log-level', 'warn'],
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
    await this.disk.close();
  }
}

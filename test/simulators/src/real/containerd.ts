/** containerd without its part for Kubernetes and without containers: a store of images, in a temporary folder. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Process } from '../process.ts';

const run = promisify(execFile);

export interface Containerd {
  /** What `ctr` is here, for a shell. */
  ctr: string;
  /** Runs ctr in the namespace of Kubernetes, and gives its lines. */
  ask(...args: string[]): Promise<string[]>;
  close(): Promise<void>;
}

/** @param program of `peer('containerd')` */
export async function startContainerd(program: string): Promise<Containerd> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-containerd-'));
  const configuration = join(dir, 'config.toml');
  const socket = join(dir, 'containerd.sock');
  await writeFile(
    configuration,
    `version = 2
root = "${join(dir, 'root')}"
state = "${join(dir, 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "${socket}"
[ttrpc]
address = "${socket}.ttrpc"
`,
  );
  const ctr = join(dirname(program), 'ctr');
  const server = new Process(program, ['--config', configuration, '--log-level', 'error']);
  const ask = async (...args: string[]) => {
    const { stdout } = await run(ctr, ['-a', socket, '-n', 'k8s.io', ...args]);
    return stdout.trim().split('\n');
  };
  await server.until('to answer', () =>
    ask('version').then(
      () => true,
      () => false,
    ),
  );
  return {
    ctr: `'${ctr}' -a '${socket}'`,
    ask,
    async close() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

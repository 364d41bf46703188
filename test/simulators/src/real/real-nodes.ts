/** Real nodes beside a real control plane: kubelet, containerd and kube-proxy in namespaces of their own (test/control-plane). */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { feed } from '@skolo/base/run';
import { z } from 'zod';
import { lacks, type PeerName, peer } from '../peer.ts';
import { Process, succeeds, systemPath } from '../process.ts';
import { PowerCutDisk } from './power-cut-disk.ts';

const run = promisify(execFile);

/** The bridge that all real nodes are connected with. Its namespace may have more addresses: those of machines outside. */
export const bridgeAddress = '192.168.1.254';
const prefixLength = 24;

export interface RealNode {
  name: string;
  /** In 192.168.1.0/24 */
  address: string;
  labels?: Record<string, string>;
  /** Those that it registers with. */
  taints?: readonly { key: string; value?: string; effect: string }[];
  /** Becomes its /var: a folder, a file with a file system, or a disk. Default: a folder of its own, which disappears with the control plane */
  data?: string | PowerCutDisk;
  /** Ports that are forwarded before kubelet starts, for a registry: after a failed pull, kubelet waits for 10 s, then longer. */
  forwards?: readonly number[];
  /** Settings of its KubeletConfiguration. */
  kubelet?: Record<string, unknown>;
}

/** A packet's way, for `reach`. */
interface Attempt {
  /** An address of a pod, a node, or the bridge */
  from: string;
  to: Endpoint;
}

interface Endpoint {
  address: string;
  port: number;
  network?: 'tcp' | 'udp';
}

export interface RunningNode {
  /** Its first process. */
  pid: number;
  /** Runs a program in all its namespaces. */
  run(...command: readonly string[]): Promise<string>;
  /** Loads an archive of `docker save` into its containerd. */
  importImages(file: string): Promise<void>;
  /** Makes a port of this computer's loopback one of its own, for a simulator that its pods connect to. */
  forward(port: number): Promise<void>;
  /** As when its power is cut: everything of it ends at once. Its data stays if it was given a folder. */
  stop(): Promise<void>;
}

export interface NodeNetwork {
  /** The process whose network namespace has the bridge. */
  pid: number;
  /** Adds addresses to the bridge's namespace, as those of machines outside of the cluster. */
  addAddresses(...addresses: readonly string[]): Promise<void>;
  /** Makes a port of this computer's loopback one of the bridge, for a simulator that pods with their own address connect to. */
  forward(port: number): Promise<void>;
  /**
   * Listens at some addresses and tries connections, with packets, in the namespaces that have the addresses.
   *
   * @returns for each attempt `open`, `forbidden` (by a NetworkPolicy), `closed` (nothing listens), `timeout`, or the error
   */
  reach(listen: readonly Endpoint[], attempts: readonly Attempt[]): Promise<string[]>;
  start(node: RealNode): Promise<RunningNode>;
  close(): Promise<void>;
}

interface NetworkOptions {
  /** For all files. */
  dir: string;
  /** Of the API server. */
  port: number;
  /** Whether to remove the folder when the test is killed. */
  remove: boolean;
  /** In the order of the networks of their pods, 10.42.0.0/24 and so on. */
  nodes: readonly RealNode[];
  authority: string;
  /** Text of a kubeconfig for the bridge's address. */
  kubeconfigOf(user: string, groups: readonly string[]): Promise<string>;
  /** Of a node, as the API server has it. */
  isReady(node: string): Promise<boolean>;
}

/** For a pod that runs programs of its node, beside the files of its image. */
export const nodePrograms = {
  volumeMounts: ['lib', 'lib64', ''].map((subPath) => ({
    name: 'usr',
    mountPath: subPath === '' ? '/usr' : `/${subPath}`,
    ...(subPath !== '' && { subPath }),
  })),
  volumes: [{ name: 'usr', hostPath: { path: '/usr' } }],
};

/** Why real nodes, and what a test starts beside or in them, cannot be had here; undefined where they can. */
export function whyNoRealNodes(...others: PeerName[]): string | undefined {
  if (!existsSync('/sys/fs/cgroup/memory/cgroup.clone_children')) return 'no cgroup v1';
  if (!existsSync('/usr/lib/cni/bridge')) return 'containernetworking-plugins is not installed';
  return lacks('root', 'control-plane', 'real-node', 'kubectl', ...others);
}

/** Starts the network of real nodes, without nodes. */
export async function startNodeNetwork(options: NetworkOptions): Promise<NodeNetwork> {
  const { dir } = options;
  const program = peer('real-node') ?? '';
  // Of a previous one in this folder.
  await rm(join(dir, 'egress.sock'), { force: true });
  const network = new Process(program, [
    ...['network', '--dir', dir, '--address', `${bridgeAddress}/${prefixLength}`],
    ...['--api-port', `${options.port}`, ...(options.remove ? ['--remove'] : [])],
  ]);
  await network.until('the bridge', async () => existsSync(join(dir, 'egress.sock')));
  const running: RunningNode[] = [];
  const forwards: Process[] = [];
  const processes: Process[] = [];

  async function start(node: RealNode): Promise<RunningNode> {
    const folder = join(dir, node.name);
    await writeNode(folder, node, options);
    // Of its previous start.
    await rm(join(folder, 'pid'), { force: true });
    const { data } = node;
    const enter = data instanceof PowerCutDisk ? [`--mount=/proc/${data.pid}/ns/mnt`] : [];
    const command = [program, 'node', '--dir', folder, '--network', `${network.pid}`];
    const one = new Process('nsenter', [...enter, ...command], inside());
    processes.push(one);
    const started = runningNode(program, one, Number(await pidOf(one, folder)));
    running.push(started);
    for (const port of node.forwards ?? []) await started.forward(port);
    // Without --norc, bash would read the .bashrc of this computer until the node has its root, and wait for what is in it.
    const listens = 'exec 3<>/dev/tcp/127.0.0.1/10248';
    await one.until('kubelet to listen', () =>
      succeeds(started.run('bash', '--norc', '-c', listens)),
    );
    await one.until('the node to be ready', () => options.isReady(node.name));
    return started;
  }

  return {
    pid: network.pid,
    start,
    async addAddresses(...addresses) {
      for (const address of addresses) {
        const command = ['ip', 'address', 'add', `${address}/32`, 'dev', 'rack'];
        await run('nsenter', ['--net', '--target', `${network.pid}`, ...command]);
      }
    },
    async forward(port) {
      forwards.push(await startForward(program, network.pid, bridgeAddress, port));
    },
    async reach(listen, attempts) {
      const full = (one: Endpoint) => ({ network: 'tcp', ...one });
      const child = run(program, ['reach'], { maxBuffer: 1 << 24 });
      feed(
        child.child,
        JSON.stringify({
          network: network.pid,
          nodes: processes.map(({ pid }) => pid),
          listen: listen.map(full),
          attempts: attempts.map(({ from, to }) => ({ from, to: full(to) })),
        }),
      );
      return z.array(z.string()).parse(JSON.parse((await child).stdout));
    },
    async close() {
      await Promise.all([...running, ...forwards].map((one) => one.stop()));
      await network.stop();
    },
  };
}

/** Writes what `real-node node` reads. */
async function writeNode(folder: string, node: RealNode, options: NetworkOptions): Promise<void> {
  const settings = join(folder, 'settings');
  await mkdir(settings, { recursive: true });
  const { data = join(folder, 'var') } = node;
  if (typeof data === 'string' && !existsSync(data)) await mkdir(data, { recursive: true });
  const subnetOf = (at: number) => `10.42.${at}.0/24`;
  const routes = options.nodes.map(({ address }, at) => `${subnetOf(at)} via ${address}`);
  const at = options.nodes.findIndex(({ name }) => name === node.name);
  const spec = {
    name: node.name,
    address: `${node.address}/${prefixLength}`,
    gateway: bridgeAddress,
    pods: subnetOf(at),
    routes: routes.filter((_, other) => other !== at),
    taints: node.taints ?? [],
    kubelet: node.kubelet ?? {},
    data: typeof data === 'string' ? data : data.file,
  };
  await writeFile(join(folder, 'node.json'), JSON.stringify(spec));
  await writeFile(join(settings, 'authority.crt'), await readFile(options.authority));
  const users = {
    kubelet: [`system:node:${node.name}`, ['system:nodes']],
    'kube-proxy': ['system:kube-proxy', []],
    policies: ['policies', ['system:masters']],
  } as const;
  for (const [name, [user, groups]] of Object.entries(users)) {
    const text = await options.kubeconfigOf(user, groups);
    await writeFile(join(settings, `${name}.kubeconfig`), text, { mode: 0o600 });
  }
}

/** The id of a node's first process. */
async function pidOf(node: Process, folder: string): Promise<string> {
  let pid = '';
  await node.until('the first process', async () => {
    pid = await readFile(join(folder, 'pid'), 'utf8').catch(() => '');
    return pid !== '';
  });
  return pid;
}

/** The environment of programs in a node. */
function inside(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: systemPath };
}

function runningNode(program: string, node: Process, pid: number): RunningNode {
  const forwards: Process[] = [];
  const enter = ['--target', `${pid}`, '--mount', '--uts', '--ipc', '--net', '--pid'];
  return {
    pid,
    async run(...command) {
      const options = { env: inside(), maxBuffer: 1 << 24 };
      const { stdout } = await run('nsenter', [...enter, ...command], options);
      return stdout;
    },
    async importImages(file) {
      const ctr = 'ctr --namespace k8s.io images import -';
      await run('sh', ['-c', `PATH=${systemPath} nsenter ${enter.join(' ')} ${ctr} < '${file}'`]);
    },
    async forward(port) {
      forwards.push(await startForward(program, pid, '127.0.0.1', port));
    },
    async stop() {
      await Promise.all(forwards.map((one) => one.stop()));
      await node.leave();
    },
  };
}

async function startForward(
  program: string,
  pid: number,
  address: string,
  port: number,
): Promise<Process> {
  const there = ['--node', `${pid}`, '--address', address, '--port', `${port}`];
  const one = new Process(program, ['forward', ...there]);
  await one.until('to listen', async () => one.output.includes('listening'));
  return one;
}

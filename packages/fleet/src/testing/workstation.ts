/** A workstation with one rack: a jumphost, its API server with our accounts, and a folder for what skolo leaves behind. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type ControlPlane,
  type Jumphost,
  type JumphostOptions,
  lacks,
  peer,
  startControlPlane,
  startJumphost,
} from '@skolo/simulators';
import type { K3sRack } from '../racks/clusters.ts';
import { rack4 } from './rack4.ts';

export { getAt, kubectlAt, sendAt } from './kubectl.ts';
export { watchProcesses } from './process-watch.ts';

export const run = promisify(execFile);

const base = fileURLToPath(new URL('../../../../kube/base', import.meta.url));

/** Why it cannot be started here. */
export function missing(): string | undefined {
  return lacks('ssh', 'sshd', 'kubectl', 'control-plane');
}

/** Why sessions on the jumphost cannot see an /etc of the test, so that nothing is written to this computer's. */
export const noNamespaces: string | undefined = (() => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no namespaces here';
  }
})();

/** An API server with the Namespaces and accounts of kube/base. */
export async function startCluster(): Promise<ControlPlane> {
  const kubectl = peer('kubectl') ?? '';
  const cluster = await startControlPlane(peer('control-plane') ?? '', kubectl);
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
  for (const part of ['namespaces', 'access']) {
    await run(kubectl, ['apply', '-k', join(base, part)], { env });
  }
  return cluster;
}

export interface Workstation {
  rack: K3sRack;
  jumphost: Jumphost;
  env: NodeJS.ProcessEnv;
  /** The list of racks: rack4 is the rack, and nobody is at jumphost-rack5. */
  clusters: string;
  /** Files in the runtime folder, and processes that know of it. */
  left(): Promise<string[]>;
  close(): Promise<void>;
}

export async function startWorkstation(
  options?: Pick<JumphostOptions, 'kubeconfig' | 'folders' | 'networkOf'>,
): Promise<Workstation> {
  const jumphost = await startJumphost(options);
  if (!jumphost) throw new Error('sshd is not installed');
  const home = await mkdtemp(join(tmpdir(), 'skolo-workstation-'));
  const runtime = join(home, 'run');
  await mkdir(runtime, { mode: 0o700 });
  const clusters = join(home, 'kube/clusters/config.json');
  const overlay = join(home, 'kube/racks/rack4');
  await mkdir(join(home, 'kube/clusters'), { recursive: true });
  await mkdir(overlay, { recursive: true });
  await writeFile(clusters, clustersText(jumphost.apiPort));
  return {
    clusters,
    rack: { ...rack4, apiPort: jumphost.apiPort, overlay },
    jumphost,
    env: {
      PATH: `${jumphost.bin}:${process.env.PATH}`,
      HOME: home,
      XDG_RUNTIME_DIR: runtime,
      TERM: 'xterm',
      // Each start of skolo costs less.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    },
    async left() {
      const processes = await processesWith(runtime);
      // A test of secrets may search all temporary files meanwhile.
      return [...(await readdir(runtime)), ...processes.filter((each) => !/^\d+ grep /.test(each))];
    },
    async close() {
      await jumphost.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

function clustersText(apiPort: number): string {
  const k3s = { type: 'k3s', port: 6442 };
  const rack4 = { ...k3s, context_name: 'rack4', jumphost: 'jumphost-rack4', api_port: apiPort };
  const rack5 = { ...k3s, context_name: 'rack5', jumphost: 'jumphost-rack5' };
  const repo = 'https://git.example.com/racks/skolo.git';
  return JSON.stringify({ gitdir: '~/skolo', repo, clusters: { rack4, rack5 } });
}

/** Command lines of processes that have the text in them, or in KUBECONFIG. */
async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
      const [line, variables] = await Promise.all([read('cmdline'), read('environ')]);
      const isOne = line.includes(text) || variables.includes(`KUBECONFIG=${text}`);
      return isOne ? [`${pid} ${line.replaceAll('\0', ' ')}`] : [];
    }),
  );
  return found.flat();
}

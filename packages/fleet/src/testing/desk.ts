/** A desk with one rack: a jumphost, its API server with our accounts, and a folder for what skolo leaves behind. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type ControlPlane,
  type Jumphost,
  peer,
  startControlPlane,
  startJumphost,
} from '@skolo/simulators';
import type { K3sRack } from '../clusters.ts';

export const run = promisify(execFile);

const base = fileURLToPath(new URL('../../../../kube/base', import.meta.url));

/** What is not installed; undefined where nothing is missing. */
export function missing(): string | undefined {
  return (['ssh', 'sshd', 'kubectl', 'control-plane'] as const).find((name) => !peer(name));
}

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

export interface Desk {
  rack: K3sRack;
  jumphost: Jumphost;
  env: NodeJS.ProcessEnv;
  /** What is in the runtime folder. */
  left(): Promise<string[]>;
  close(): Promise<void>;
}

export async function startDesk(cluster?: Pick<ControlPlane, 'kubeconfig'>): Promise<Desk> {
  const jumphost = await startJumphost(cluster);
  if (!jumphost) throw new Error('sshd is not installed');
  const home = await mkdtemp(join(tmpdir(), 'skolo-desk-'));
  const runtime = join(home, 'run');
  await mkdir(runtime, { mode: 0o700 });
  return {
    rack: {
      ...{ name: 'rack4', type: 'k3s', context: 'rack4', jumphost: 'jumphost-rack4' },
      ...{ ways: [{ host: 'jumphost-rack4' }], apiPort: jumphost.apiPort },
      ...{ wave: 1, canary: false, overlay: '/nowhere' },
    },
    jumphost,
    env: {
      PATH: `${jumphost.bin}:${process.env.PATH}`,
      HOME: home,
      XDG_RUNTIME_DIR: runtime,
      TERM: 'xterm',
    },
    left: () => readdir(runtime),
    async close() {
      await jumphost.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

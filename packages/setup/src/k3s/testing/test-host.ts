/** A workstation's connection to a computer of a test, and what it applies there. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type K3sRack, openJumphost, openServer } from '@skolo/fleet';
import { type Host, openHost } from '@skolo/setup/engine';
import { peer } from '@skolo/simulators';
import { network } from './test-network.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../../../', import.meta.url));

/** Of the cable: ours, and the jumphost's. */
export const ours = `${network}.1`;
export const address = `${network}.8`;
export const subnet = `${network}.0/24`;

/** What a workstation has for a jumphost: plain data. */
export interface TestWorkstation {
  rack: K3sRack;
  /** Of its programs. */
  env: NodeJS.ProcessEnv;
  /** Files of Node and k3s, as their publishers have them; k3s is a fake. */
  files: string;
  /** As `npm run bundle` writes them. */
  bundles: string;
  /** The public half. */
  rackKey: string;
  /** Of changes that may lock out; a busy computer takes long to open a session. */
  returnSeconds: number;
}

export type OpenHost = Host & { close(): Promise<void> };

/** A connection of its own, as root. */
export async function openTestHost(
  { rack, env }: Pick<TestWorkstation, 'rack' | 'env'>,
  signal: AbortSignal,
  server?: string,
): Promise<OpenHost> {
  const how = { env, mayAsk: false, signal };
  const jumphost = await (server === undefined
    ? openJumphost(rack, how)
    : openServer(rack, server, how));
  const start = (command: string, stop: AbortSignal) =>
    jumphost.startOnJumphost(command, { stdio: 'pipe' }, stop);
  try {
    const host = await openHost({ name: rack.jumphost, start, signal });
    return { ...host, close: jumphost.close };
  } catch (error) {
    await jumphost.close();
    throw error;
  }
}

/**
 * A machine in the cluster, as its kubelet and the server of k3s make it.
 *
 * @param jumphost where `k3s kubectl` is
 */
export async function register(
  jumphost: Pick<Host, 'need'>,
  name: string,
  { isReady }: { isReady: boolean },
): Promise<void> {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${name}.node-password.k3s`, namespace: 'kube-system' },
    stringData: { hash: 'of another password' },
  };
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [node, secret] });
  const condition = { type: 'Ready', status: isReady ? 'True' : 'Unknown' };
  const status = JSON.stringify({ status: { conditions: [condition] } });
  await jumphost.need(
    `k3s kubectl apply -f - && k3s kubectl patch node ${name} --subresource=status -p '${status}'`,
    { input },
  );
}

let rendered: Promise<string> | undefined;

/** Namespaces and accounts of kube/base, rendered. */
export async function accounts(): Promise<string> {
  rendered ??= render();
  return await rendered;
}

async function render(): Promise<string> {
  const parts = ['namespaces', 'access'].map((part) => `${repository}kube/base/${part}`);
  const texts = await Promise.all(
    parts.map(async (part) => (await run(peer('kubectl') ?? '', ['kustomize', part])).stdout),
  );
  return texts.join('\n---\n');
}

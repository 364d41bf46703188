/**
 * Stands in for the binary of k3s: the same files, flags, unit and paths, and behind them a real API server with controllers and
 * a node that only says that its pods run (test/control-plane). It runs no container, imports no image and has no network of pods.
 *
 * `K3S_TEST_CONTROL_PLANE` and `K3S_TEST_KUBECTL` are the programs.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { startControlPlane } from './control-plane.ts';

const version = 'v1.32.5+k3s1';
const config = '/etc/rancher/k3s/config.yaml';
const kubeconfig = '/etc/rancher/k3s/k3s.yaml';
const data = '/var/lib/rancher/k3s/server';
const { K3S_TEST_CONTROL_PLANE: program = '', K3S_TEST_KUBECTL: kubectl = '' } = process.env;

const Config = z.object({
  'node-name': z.string(),
  'node-label': z.array(z.string()).default([]),
  'secrets-encryption': z.boolean().default(false),
});

async function main([command = '', ...args]: string[]): Promise<number> {
  if (command === '--version') {
    console.log(`k3s version ${version} (of a test)\ngo version go1.26.8`);
    return 0;
  }
  if (command === 'kubectl') {
    const env = { ...process.env, KUBECONFIG: kubeconfig };
    return spawnSync(kubectl, args, { env, stdio: 'inherit' }).status ?? 1;
  }
  if (command === 'agent') {
    await join();
    return 0;
  }
  if (command !== 'server') {
    console.error(`level=fatal msg="no such command: ${command}"`);
    return 1;
  }
  await serve();
  return 0;
}

const Kubeconfig = z.looseObject({
  clusters: z.tuple([
    z.looseObject({
      cluster: z.object({ server: z.string(), 'certificate-authority': z.string() }),
    }),
  ]),
});

/** As k3s writes it: a key on each line, and the authority in it. */
async function kubeconfigText(file: string): Promise<string> {
  const { clusters, ...rest } = Kubeconfig.parse(JSON.parse(await readFile(file, 'utf8')));
  const [{ cluster, ...name }] = clusters;
  const authority = (await readFile(cluster['certificate-authority'])).toString('base64');
  const own = { 'certificate-authority-data': authority, server: cluster.server };
  return stringify({ ...rest, clusters: [{ cluster: own, ...name }] }, { lineWidth: 0 });
}

async function serve(): Promise<void> {
  const { 'node-name': name } = Config.parse(parse(await readFile(config, 'utf8')));
  // What tells a cluster from none.
  await mkdir(`${data}/db`, { recursive: true });
  const nodes = [{ name, architecture: 'amd64' as const }];
  const cluster = await startControlPlane(program, kubectl, {
    ...{ nodes, port: 6443 },
    folder: `${data}/test`,
  });
  await writeFile(kubeconfig, await kubeconfigText(cluster.kubeconfig), { mode: 0o600 });
  spawnSync('systemd-notify', ['--ready']);
  await new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  await cluster.close();
}

const AgentConfig = z.object({
  server: z.string().startsWith('https://'),
  'token-file': z.string(),
  'node-name': z.string(),
});

/** As the agent, without a server: with a token it gets a certificate, and keeps a password of its own. */
async function join(): Promise<void> {
  const { 'token-file': tokenFile } = AgentConfig.parse(parse(await readFile(config, 'utf8')));
  const certificate = '/var/lib/rancher/k3s/agent/client-kubelet.crt';
  const password = '/etc/rancher/node/password';
  const token = await readFile(tokenFile, 'utf8');
  if (!/^K10\w+::\w+\.\w+\n$/.test(token)) {
    console.error('level=fatal msg="token is not valid"');
    process.exit(1);
  }
  await mkdir('/etc/rancher/node', { recursive: true });
  await mkdir('/var/lib/rancher/k3s/agent', { recursive: true });
  await writeFile(password, 'of this computer\n', { mode: 0o600 });
  await writeFile(certificate, 'certificate\n');
  const stays = setInterval(() => {}, 60_000);
  await new Promise((resolve) => process.once('SIGTERM', resolve));
  clearInterval(stays);
}

process.exitCode = await main(process.argv.slice(2));

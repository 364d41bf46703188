/**
 * Stands in for the binary of k3s: the same files, flags, unit and paths, and behind them a real API server with controllers and
 * a node that only says that its pods run (test/control-plane). It runs no container, imports no image and has no network of pods.
 *
 * `K3S_TEST_CONTROL_PLANE` and `K3S_TEST_KUBECTL` are the programs, `K3S_TEST_VERSION` is what it says of itself. With `K3S_TEST_FAULT`
 * its server does not get well: it ends (`crash`), or never answers (`hang`).
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { startControlPlane } from './control-plane.ts';
import { openK3sDatabase } from './k3s-database.ts';

const config = '/etc/rancher/k3s/config.yaml';
const kubeconfig = '/etc/rancher/k3s/k3s.yaml';
const data = '/var/lib/rancher/k3s/server';
/** The version of the agent that runs. */
const agentFile = '/run/k3s-test-agent';
const {
  K3S_TEST_CONTROL_PLANE: program = '',
  K3S_TEST_KUBECTL: kubectl = '',
  K3S_TEST_VERSION: version = 'v1.32.5+k3s1',
  K3S_TEST_FAULT: fault,
} = process.env;
const run = promisify(execFile);

const Config = z.object({
  'node-name': z.string(),
  'token-file': z.string().exactOptional(),
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
  const { 'node-name': name, 'token-file': tokenFile } = Config.parse(
    parse(await readFile(config, 'utf8')),
  );
  // Open while it runs, as that of k3s.
  const database = await openK3sDatabase(data, tokenFile);
  if (database === undefined)
    end('bootstrap data already found and encrypted with different token');
  await migrate();
  const ended = new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  if (fault === 'crash') end('this version has a fault');
  if (fault === 'hang') {
    const stays = setInterval(() => {}, 60_000);
    await ended;
    clearInterval(stays);
    return;
  }
  await mkdir(`${data}/tls`, { recursive: true });
  renewCertificate(`${data}/tls/client-admin.crt`);
  const nodes = [{ name, architecture: 'amd64' as const }];
  const cluster = await startControlPlane(program, kubectl, {
    ...{ nodes, port: 6443 },
    folder: `${data}/db/test`,
  });
  await writeFile(kubeconfig, await kubeconfigText(cluster.kubeconfig), { mode: 0o600 });
  spawnSync('systemd-notify', ['--ready']);
  const stop = new AbortController();
  // As k3s does with etcd.
  void cluster.untilEtcdEnds().then((said) => {
    if (!stop.signal.aborted) end(`etcd has ended: ${said.slice(-300)}`);
  });
  const kubelet = sayVersion(name, stop.signal);
  await ended;
  stop.abort();
  await kubelet;
  await cluster.close();
  database.close();
}

function end(why: string): never {
  console.error(`level=fatal msg=${JSON.stringify(why)}`);
  process.exit(1);
}

/** A database that a newer version has used cannot be read by an older one. */
async function migrate(): Promise<void> {
  const file = `${data}/db/schema`;
  const minorOf = (text: string) => Number(text.split('.')[1]);
  const former = await readFile(file, 'utf8').catch(() => version);
  if (minorOf(former) > minorOf(version)) end(`the database is of ${former.trim()}`);
  await writeFile(file, `${version}\n`);
}

/** Where it is missing or expires within 90 days, as k3s does when it starts. */
function renewCertificate(file: string): void {
  const seconds = `${90 * 86_400}`;
  const { status } = spawnSync('openssl', ['x509', '-in', file, '-checkend', seconds]);
  if (status === 0) return;
  const how = ['-nodes', '-newkey', 'ed25519', '-keyout', '/dev/null', '-subj', '/CN=of a test'];
  spawnSync('openssl', ['req', '-x509', ...how, '-days', '365', '-out', file]);
}

/** The kubelets of the control plane are of its own version: says ours, as often as they say theirs. */
async function sayVersion(node: string, signal: AbortSignal): Promise<void> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const patch = JSON.stringify({ status: { nodeInfo: { kubeletVersion: version } } });
  const path = 'jsonpath={.status.nodeInfo.kubeletVersion}';
  while (!signal.aborted) {
    await run(kubectl, ['get', 'node', node, '-o', path], { env, signal })
      .then(async ({ stdout }) => {
        if (stdout === version) return;
        await run(kubectl, ['patch', 'node', node, '--subresource=status', '-p', patch], {
          ...{ env, signal },
        });
      })
      .catch(() => undefined);
    await pause(4000, undefined, { signal }).catch(() => undefined);
  }
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
    end('token is not valid');
  }
  await mkdir('/etc/rancher/node', { recursive: true });
  await mkdir('/var/lib/rancher/k3s/agent', { recursive: true });
  await writeFile(password, 'of this computer\n', { mode: 0o600 });
  renewCertificate(certificate);
  await rm(agentFile, { force: true });
  if (fault === 'crash') end('this version has a fault');
  await writeFile(agentFile, version);
  const stays = setInterval(() => {}, 60_000);
  await new Promise((resolve) => process.once('SIGTERM', resolve));
  clearInterval(stays);
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => end(`${error}`));

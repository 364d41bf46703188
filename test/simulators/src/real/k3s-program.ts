/**
 * Stands in for the binary of k3s: the same files, flags, unit and paths, and behind them a real API server with controllers and
 * a node that only says that its pods run (test/control-plane). It runs no container, imports no image and has no network of pods.
 *
 * `K3S_TEST_CONTROL_PLANE` and `K3S_TEST_KUBECTL` are the programs, and `K3S_TEST_VERSION` is its version. A script in front of it answers
 * `--version` and `kubectl` (packages/setup/src/k3s/testing/test-workstation.ts). With `K3S_TEST_FAULT` its server does not get well: it ends
 * (`crash`), or never answers (`hang`).
 */
import { execFile, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { feed } from '@skolo/base/run';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { startControlPlane } from './control-plane.ts';
import { acceptAgents, newToken, stayJoined } from './k3s-agents.ts';
import { openK3sDatabase } from './k3s-database.ts';

const config = '/etc/rancher/k3s/config.yaml';
const kubeconfig = '/etc/rancher/k3s/k3s.yaml';
/** What `k3s secrets-encrypt status` says of the server that runs. */
const encryptionFile = '/run/k3s-test-encryption';
const data = '/var/lib/rancher/k3s/server';
/** The version of the agent that runs. */
const agentFile = '/run/k3s-test-agent';
const {
  K3S_TEST_CONTROL_PLANE: program = '',
  K3S_TEST_KUBECTL: kubectl = '',
  K3S_TEST_VERSION: version = 'v1.36.3+k3s1',
  K3S_TEST_FAULT: fault,
} = process.env;
const run = promisify(execFile);

const Config = z.object({
  'node-name': z.string(),
  'token-file': z.string().exactOptional(),
  'node-label': z.array(z.string()).default([]),
  'secrets-encryption': z.boolean().default(false),
  'node-ip': z.string().exactOptional(),
});

async function main([command = '', ...args]: string[]): Promise<number> {
  if (command === 'token' && args[0] === 'create') {
    console.log(await newToken(data));
    return 0;
  }
  if (command === 'agent') {
    await join();
    return 0;
  }
  if (command !== 'server') {
    console.error(`level=fatal msg="no such command: ${command}"`);
    return 1;
  }
  await serve(args);
  return 0;
}

/** As k3s reads them: a later file replaces keys of a previous one, and a key with `+` adds to its list. */
async function readSettings(): Promise<Record<string, unknown>> {
  const more = (await readdir(`${config}.d`).catch(() => [])).sort();
  const files = [config, ...more.map((each) => `${config}.d/${each}`)];
  const merged: Record<string, unknown> = {};
  for (const file of files) {
    const settings = z.record(z.string(), z.unknown()).parse(parse(await readFile(file, 'utf8')));
    for (const [key, value] of Object.entries(settings)) {
      const name = key.replace(/\+$/, '');
      merged[name] = name === key ? value : [merged[name] ?? [], value].flat();
    }
  }
  return merged;
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

/** @param args of its command line, which k3s puts before those of its files */
async function serve(args: readonly string[]): Promise<void> {
  const given = await readSettings();
  const settings = Config.parse(given);
  const { 'node-name': name, 'token-file': tokenFile, 'node-ip': address } = settings;
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
  // As k3s, pkg/agent/syssetup/setup.go: after a boot, the kernel forwards nothing.
  await writeFile('/proc/sys/net/ipv4/conf/all/forwarding', '1');
  await mkdir(`${data}/tls`, { recursive: true });
  renewCertificate(`${data}/tls/client-admin.crt`);
  const isEncrypted = settings['secrets-encryption'];
  await writeFile(encryptionFile, `Encryption Status: ${isEncrypted ? 'Enabled' : 'Disabled'}\n`);
  await mkdir(`${data}/cred`, { recursive: true });
  if (isEncrypted) await writeFile(`${data}/cred/encryption-config.json`, '{}', { mode: 0o600 });
  const nodes = [{ name, architecture: 'amd64' as const }];
  const cluster = await startControlPlane(program, kubectl, {
    nodes,
    port: 6443,
    folder: `${data}/db/test`,
  });
  const ofFiles = Object.entries(given).flatMap(([key, value]) =>
    [value].flat().flatMap((each) => [`--${key}`, `${each}`]),
  );
  await run(kubectl, [
    ...['--kubeconfig', cluster.kubeconfig, 'annotate', '--overwrite', 'node', name],
    `k3s.io/node-args=${JSON.stringify(['server', ...ofFiles, ...args])}`,
  ]);
  await writeFile(kubeconfig, await kubeconfigText(cluster.kubeconfig), { mode: 0o600 });
  spawnSync('systemd-notify', ['--ready']);
  const stop = new AbortController();
  // As k3s does with etcd.
  void cluster.untilEtcdEnds().then((said) => {
    if (!stop.signal.aborted) end(`etcd has ended: ${said.slice(-300)}`);
  });
  const versions = new Map([[name, version]]);
  const kubelet = sayVersions(versions, stop.signal);
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const kubectlText = async (args: readonly string[], input = '') => {
    const child = run(kubectl, [...args], { env });
    feed(child.child, input);
    return (await child).stdout;
  };
  const agents =
    address && (await acceptAgents({ address, data, cluster, versions, kubectl: kubectlText }));
  await ended;
  stop.abort();
  if (agents) await agents.close();
  await kubelet;
  await cluster.close();
  database.close();
}

function end(why: string): never {
  console.error(`level=fatal msg=${JSON.stringify(why)}`);
  process.exit(1);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A database that a newer version has used cannot be read by an older one. */
async function migrate(): Promise<void> {
  const file = `${data}/db/schema`;
  const minorOf = (text: string) => Number(text.split('.')[1]);
  const previous = await readFile(file, 'utf8').catch(() => version);
  if (minorOf(previous) > minorOf(version)) end(`the database is of ${previous.trim()}`);
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

/** The kubelets of the control plane are of its own version: says that of each node, as often as they say theirs. */
async function sayVersions(versions: Map<string, string>, signal: AbortSignal): Promise<void> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const path = 'jsonpath={.status.nodeInfo.kubeletVersion}';
  while (!signal.aborted) {
    for (const [node, kubeletVersion] of versions) {
      const patch = JSON.stringify({ status: { nodeInfo: { kubeletVersion } } });
      await run(kubectl, ['get', 'node', node, '-o', path], { env, signal })
        .then(async ({ stdout }) => {
          if (stdout === kubeletVersion) return;
          await run(kubectl, ['patch', 'node', node, '--subresource=status', '-p', patch], {
            env,
            signal,
          });
        })
        .catch(() => undefined);
    }
    await pause(4000, undefined, { signal }).catch(() => undefined);
  }
}

const AgentConfig = z.object({
  server: z.string().startsWith('https://'),
  'token-file': z.string(),
  'node-name': z.string(),
});

/**
 * As the agent: with a token it gets a certificate, and keeps a password of its own. Where the token is not of such a fake,
 * there is no server.
 */
async function join(): Promise<void> {
  const settings = AgentConfig.parse(parse(await readFile(config, 'utf8')));
  const { 'token-file': tokenFile, 'node-name': name } = settings;
  const certificate = '/var/lib/rancher/k3s/agent/client-kubelet.crt';
  const password = '/etc/rancher/node/password';
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const [, hash] = /^K10(\w+)::\w+\.\w+$/.exec(token) ?? [];
  if (hash === undefined) end('token is not valid');
  await mkdir('/etc/rancher/node', { recursive: true });
  await mkdir('/var/lib/rancher/k3s/agent', { recursive: true });
  const own = await readFile(password, 'utf8').catch(() => `${randomBytes(16).toString('hex')}\n`);
  await writeFile(password, own, { mode: 0o600 });
  await rm(agentFile, { force: true });
  if (fault === 'crash') end('this version has a fault');
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  const joined = async () => {
    renewCertificate(certificate);
    await writeFile(agentFile, version);
  };
  if (hash.length < 64) {
    await joined();
    const stays = setInterval(() => {}, 60_000);
    await once(stop.signal, 'abort');
    clearInterval(stays);
    return;
  }
  await stayJoined(new URL(settings.server).hostname, {
    hello: { name, token, password: own.trim(), version, architecture: await architecture() },
    signal: stop.signal,
    rejected: (why) => end(why),
    async joined(authority) {
      // The token has the digest of the authority: no other server is trusted.
      if (sha256(authority) !== hash)
        end('token CA hash does not match the Cluster CA certificate hash');
      await writeFile('/var/lib/rancher/k3s/agent/server-ca.crt', authority);
      await joined();
    },
  });
}

async function architecture(): Promise<'amd64' | 'arm64' | 'arm'> {
  const { stdout } = await run('dpkg', ['--print-architecture']);
  return z.enum(['amd64', 'arm64', 'arm']).parse(stdout.trim().replace('armhf', 'arm'));
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => end(`${error}`));

/** A real Kubernetes API server with its etcd (test/control-plane), on loopback, with everything in a temporary folder. */
import { execFile } from 'node:child_process';
import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './free-ports.ts';
import { Process } from './process.ts';

const run = promisify(execFile);

export interface ControlPlane {
  /** A file for KUBECONFIG; its user may do everything. */
  kubeconfig: string;
  /** A token of an account, as the API server makes it, that expires in so many seconds: also some ago, or in less than ten minutes. */
  tokenOf(namespace: string, account: string, seconds: number): Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts one. It has no controllers, no scheduler and no nodes: objects are admitted and stored, and no pod runs.
 *
 * @param program of `peer('control-plane')`
 * @param kubectl of `peer('kubectl')`
 */
export async function startControlPlane(program: string, kubectl: string): Promise<ControlPlane> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-control-plane-'));
  const [etcdPort, peerPort, port] = await freePorts(3);
  const token = randomBytes(16).toString('hex');
  const key = join(dir, 'service-accounts.pem');
  const tokens = join(dir, 'tokens.csv');
  const certificates = join(dir, 'certificates');
  const kubeconfig = join(dir, 'kubeconfig');
  await mkdir(certificates);
  const signingKey = rsaKey();
  await writeFile(key, signingKey, { mode: 0o600 });
  await writeFile(tokens, `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  const server = `https://127.0.0.1:${port}`;
  const authority = join(certificates, 'apiserver.crt');
  await writeFile(kubeconfig, kubeconfigText(server, authority, token), { mode: 0o600 });

  const etcd = new Process(program, [
    'etcd',
    ...['--data-dir', join(dir, 'etcd')],
    ...['--port', `${etcdPort}`, '--peer-port', `${peerPort}`],
  ]);
  const apiServer = new Process(program, [
    'apiserver',
    ...['--etcd-servers', `http://127.0.0.1:${etcdPort}`],
    ...['--bind-address', '127.0.0.1', '--secure-port', `${port}`, '--cert-dir', certificates],
    ...['--service-account-issuer', 'https://kubernetes.default.svc'],
    ...['--service-account-key-file', key, '--service-account-signing-key-file', key],
    ...['--token-auth-file', tokens, '--authorization-mode', 'Node,RBAC'],
    ...['--service-cluster-ip-range', '10.43.0.0/16', '--endpoint-reconciler-type', 'none'],
    // Written to no object, and asked by nobody; without it the server looks for a default route.
    ...['--advertise-address', '192.0.2.1'],
    // The agents of machines are privileged pods, as on k3s.
    '--allow-privileged',
  ]);
  async function close() {
    // Without etcd, an API server waits for a minute before it ends.
    await apiServer.stop();
    await etcd.stop();
    await rm(dir, { recursive: true, force: true });
  }
  try {
    await apiServer.until('to be ready', async () => {
      const answer = run(kubectl, ['get', '--raw', '/readyz'], {
        env: { ...process.env, KUBECONFIG: kubeconfig },
        timeout: 5_000,
      });
      return answer.then(
        ({ stdout }) => stdout === 'ok',
        () => false,
      );
    });
  } catch (error) {
    await close();
    throw error;
  }
  async function tokenOf(namespace: string, account: string, seconds: number) {
    const { stdout } = await run(
      kubectl,
      [`--kubeconfig=${kubeconfig}`, 'create', 'token', account, '-n', namespace],
      { timeout: 30_000 },
    );
    const [head = '', claims = ''] = stdout.trim().split('.');
    const now = Math.floor(Date.now() / 1000);
    const moved = {
      ...JSON.parse(Buffer.from(claims, 'base64url').toString()),
      ...{ iat: now + Math.min(0, seconds) - 1, nbf: now + Math.min(0, seconds) - 1 },
      exp: now + seconds,
    };
    const signed = `${head}.${Buffer.from(JSON.stringify(moved)).toString('base64url')}`;
    return `${signed}.${createSign('sha256').update(signed).sign(signingKey, 'base64url')}`;
  }
  return { kubeconfig, tokenOf, close };
}

function rsaKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

function kubeconfigText(server: string, authority: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': authority } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
}

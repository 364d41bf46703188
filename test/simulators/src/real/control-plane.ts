/** A real Kubernetes control plane (test/control-plane), on loopback, with everything in a temporary folder. */
import { execFile } from 'node:child_process';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freeTcpPort } from '../free-port.ts';
import { Process } from './process.ts';
import {
  bridgeAddress,
  type NodeNetwork,
  type RealNode,
  type RunningNode,
  startNodeNetwork,
} from './real-nodes.ts';

const run = promisify(execFile);

/** Of Go: a part of it lives for seconds, and would spend one of them on collecting what it has used at its start. */
const rarelyCollected = { GOGC: 'off', GOMEMLIMIT: '700MiB' };

/** A fake node, which reports that it runs pods; test/control-plane/README.md says what can be made to happen on it. */
export interface FakeNode {
  name: string;
  /** Those that an operator gives it, beyond what a kubelet says of itself. */
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** Those that it registers with. */
  taints?: { key: string; value?: string; effect: string }[];
  /** Default: `arm64` */
  architecture?: 'amd64' | 'arm64' | 'arm';
}

interface ControlPlaneOptions {
  /** The controller manager and the scheduler. Default: where there are nodes */
  controllers?: boolean;
  nodes?: readonly FakeNode[];
  /** Nodes that run containers. They need root and Debian packages: see `whyNoRealNodes`. */
  realNodes?: readonly RealNode[];
  /** Where its files are: they stay, and the next one goes on with them. Default: a temporary folder */
  folder?: string;
  /** Of the API server. Default: a free one */
  port?: number;
}

export interface ControlPlane {
  /** A file for KUBECONFIG; its user may do everything. */
  kubeconfig: string;
  /** The API server's, on 127.0.0.1. It keeps it when it is started again. */
  port: number;
  /** Makes another such file, for a user with a certificate: `system:node:NAME` of the group `system:nodes` is a kubelet. */
  kubeconfigOf(user: string, groups?: readonly string[]): Promise<string>;
  /** A token of an account, as the API server makes it, that expires in so many seconds: also some ago, or in less than ten minutes. */
  tokenOf(namespace: string, account: string, seconds: number): Promise<string>;
  /** Another node, until it is stopped: then it stays, and is not ready. It needs the controllers. */
  addNode(node: FakeNode): Promise<{ stop(): Promise<void> }>;
  /** Runs kubectl as an admin of the cluster. @param object for `-f -` */
  kubectl(args: readonly string[], object?: object): Promise<string>;
  /** The network of `realNodes`. @throws Error There are none */
  network(): NodeNetwork;
  /** One of `realNodes`. @throws Error There is none of this name */
  realNode(name: string): RunningNode;
  /** Starts a real node again, after `stop`, maybe with other data. */
  startRealNode(node: RealNode): Promise<RunningNode>;
  /** `kill -9` of the API server. */
  killApiServer(): Promise<void>;
  /** Starts it again, and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** Resolves with the last that etcd printed. */
  untilEtcdEnds(): Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts one. Without controllers and nodes, objects are admitted and stored, and no pod runs; with them, pods are scheduled,
 * and do what the tags of their images say.
 *
 * @param program of `peer('control-plane')`
 * @param kubectl of `peer('kubectl')`
 */
export async function startControlPlane(
  program: string,
  kubectl: string,
  { nodes = [], realNodes = [], folder, ...given }: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  const { controllers = nodes.length + realNodes.length > 0 } = given;
  const dir = folder ?? (await mkdtemp(join(tmpdir(), 'skolo-control-plane-')));
  const [etcdPort, peerPort] = [await freeTcpPort(), await freeTcpPort()];
  const kubeletPort = await freeTcpPort();
  const { port = await freeTcpPort() } = given;
  const certificates = join(dir, 'certificates');
  const accountKey = join(dir, 'service-accounts.pem');
  const previous = await readFile(accountKey, 'utf8').catch(() => undefined);
  const signingKey = previous ?? rsaKey();
  const authority = join(certificates, 'authority.crt');
  const egress = join(dir, 'egress.json');
  const kubeletClient = join(dir, 'kubelet-client.pem');
  const heartbeatMs = nodes.length > 20 ? 10_000 : 1_000;
  const started: Process[] = [];
  let etcd: Process | undefined;
  let apiServer: Process | undefined;
  const real = new Map<string, RunningNode>();
  let nodeNetwork: NodeNetwork | undefined;
  let users = 0;
  let kubeconfig = '';

  function start(...args: string[]): Process {
    const one = new Process(program, args, { ...process.env, ...rarelyCollected });
    started.push(one);
    return one;
  }

  async function certificateOf(user: string, groups: readonly string[]): Promise<Buffer> {
    const { stdout: pem } = await run(program, [
      'certificate',
      ...['--dir', certificates, '--user', user, '--groups', groups.join(',')],
    ]);
    return Buffer.from(pem);
  }

  async function kubeconfigOf(user: string, groups: readonly string[] = []): Promise<string> {
    const pem = await certificateOf(user, groups);
    users += 1;
    const file = join(dir, `kubeconfig-${users}`);
    const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority': authority };
    await writeFile(file, kubeconfigText(cluster, pem), { mode: 0o600 });
    return file;
  }

  async function asAdmin(args: readonly string[], object?: object): Promise<string> {
    const options = { maxBuffer: 1 << 26 };
    const child = run(kubectl, [`--kubeconfig=${kubeconfig}`, ...args], options);
    child.child.stdin?.end(object === undefined ? '' : JSON.stringify(object));
    return (await child).stdout;
  }

  /** The API server connects to real nodes through their network, and signs in to them. */
  async function startNetwork(): Promise<NodeNetwork> {
    const pem = await certificateOf('kube-apiserver', ['system:masters']);
    await writeFile(kubeletClient, pem, { mode: 0o600 });
    const transport = { uds: { udsName: join(dir, 'egress.sock') } };
    const connection = { proxyProtocol: 'HTTPConnect', transport };
    await writeFile(
      egress,
      JSON.stringify({
        apiVersion: 'apiserver.k8s.io/v1beta1',
        kind: 'EgressSelectorConfiguration',
        egressSelections: [{ name: 'cluster', connection }],
      }),
    );
    const ca = await readFile(authority, 'base64');
    return startNodeNetwork({
      dir,
      port,
      authority,
      nodes: realNodes,
      remove: folder === undefined,
      kubeconfigOf: async (user, groups) => {
        const server = `https://${bridgeAddress}:${port}`;
        // No certificate has the address of the bridge.
        const name = { 'tls-server-name': 'kubernetes' };
        const cluster = { server, 'certificate-authority-data': ca, ...name };
        return kubeconfigText(cluster, await certificateOf(user, groups));
      },
      async isReady(node) {
        const path = '-o=jsonpath={.status.conditions[?(@.type=="Ready")].status}';
        return (await asAdmin(['get', 'node', node, '--ignore-not-found', path])) === 'True';
      },
    });
  }

  async function startRealNode(node: RealNode): Promise<RunningNode> {
    if (!nodeNetwork) throw new Error('there are no real nodes');
    const started = await nodeNetwork.start(node);
    real.set(node.name, started);
    const labels = Object.entries(node.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    if (labels.length > 0) await asAdmin(['label', 'node', node.name, ...labels, '--overwrite']);
    return started;
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
      iat: now + Math.min(0, seconds) - 1,
      nbf: now + Math.min(0, seconds) - 1,
      exp: now + seconds,
    };
    const signed = `${head}.${Buffer.from(JSON.stringify(moved)).toString('base64url')}`;
    return `${signed}.${createSign('sha256').update(signed).sign(signingKey, 'base64url')}`;
  }

  async function startApiServer(): Promise<void> {
    apiServer = start(
      'apiserver',
      ...['--etcd-servers', `http://127.0.0.1:${etcdPort}`],
      ...['--bind-address', '127.0.0.1', '--secure-port', `${port}`],
      ...['--tls-cert-file', join(certificates, 'server.crt')],
      ...['--tls-private-key-file', join(certificates, 'server.key')],
      ...['--client-ca-file', authority],
      ...['--service-account-issuer', 'https://kubernetes.default.svc'],
      ...[
        '--service-account-key-file',
        accountKey,
        '--service-account-signing-key-file',
        accountKey,
      ],
      ...['--authorization-mode', 'Node,RBAC', '--enable-admission-plugins', 'NodeRestriction'],
      ...['--service-cluster-ip-range', '10.43.0.0/16'],
      // Of fake and of real kubelets.
      ...['--kubelet-preferred-address-types', 'ExternalIP,InternalIP'],
      ...(nodeNetwork
        ? [
            ...['--endpoint-reconciler-type', 'master-count', '--advertise-address', bridgeAddress],
            ...['--egress-selector-config-file', egress],
            ...['--kubelet-client-certificate', kubeletClient],
            ...['--kubelet-client-key', kubeletClient],
          ]
        : // Written to no object, and asked by nobody; without it the server looks for a default route.
          ['--endpoint-reconciler-type', 'none', '--advertise-address', '192.0.2.1']),
      // The agents of machines are privileged pods, as on k3s.
      '--allow-privileged',
    );
    await apiServer.until('to be ready', () => {
      etcd?.mustRun();
      return isReady(port);
    });
  }

  async function startNodes(list: readonly FakeNode[], at: number): Promise<Process> {
    // A node that is there already keeps what it has: without a map, it would lose its labels.
    const usual = { architecture: 'arm64', labels: {}, annotations: {} };
    const file = join(dir, `nodes-${at}.json`);
    await writeFile(file, JSON.stringify(list.map((node) => ({ ...usual, ...node }))));
    const kubelets = start(
      'nodes',
      ...['--dir', certificates, '--kubeconfig', kubeconfig, '--nodes', file],
      ...['--port', `${at}`, '--heartbeat', `${heartbeatMs}ms`],
    );
    await kubelets.until('all nodes to be ready', () => isReady(at));
    return kubelets;
  }

  async function close() {
    await nodeNetwork?.close();
    // The last one first: without etcd, an API server waits for a minute before it ends.
    for (const one of started.reverse()) await one.stop();
    if (folder === undefined) await rm(dir, { recursive: true, force: true });
  }

  async function isReady(at: number): Promise<boolean> {
    const ca = await readFile(authority);
    return new Promise((resolve) => {
      const request = get({ host: '127.0.0.1', port: at, path: '/readyz', ca, agent: false });
      request.setTimeout(5_000, () => request.destroy());
      request.on('error', () => resolve(false));
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
    });
  }

  try {
    // The last file that is made.
    if (previous === undefined) {
      await mkdir(certificates, { recursive: true });
      await run(program, ['certificates', '--dir', certificates]);
      await writeFile(accountKey, signingKey, { mode: 0o600 });
    }
    kubeconfig = await kubeconfigOf('admin', ['system:masters']);
    if (realNodes.length > 0) nodeNetwork = await startNetwork();
    etcd = start(
      'etcd',
      ...['--data-dir', join(dir, 'etcd')],
      ...['--port', `${etcdPort}`, '--peer-port', `${peerPort}`],
    );
    await startApiServer();
    if (controllers) {
      const common = ['--kubeconfig', kubeconfig, '--leader-elect=false', '--secure-port', '0'];
      start(
        'controllers',
        ...common,
        ...['--service-account-private-key-file', accountKey, '--root-ca-file', authority],
        ...['--kube-api-qps', '500', '--kube-api-burst', '500'],
        // A dead node is found out within seconds.
        ...['--node-monitor-period', '1s', '--node-monitor-grace-period', `${heartbeatMs * 4}ms`],
      );
      start('scheduler', ...common, '--kube-api-qps', '500', '--kube-api-burst', '500');
    }
    if (nodes.length > 0) await startNodes(nodes, kubeletPort);
    await Promise.all(realNodes.map(startRealNode));
    return {
      kubeconfig,
      port,
      kubeconfigOf,
      tokenOf,
      async addNode(node) {
        const at = await freeTcpPort();
        const kubelet = await startNodes([node], at);
        return { stop: () => kubelet.stop() };
      },
      kubectl: asAdmin,
      network: () => found(nodeNetwork, 'there are no real nodes'),
      realNode: (name) => found(real.get(name), `${name}: no such real node`),
      startRealNode,
      killApiServer: async () => apiServer?.stop(),
      startApiServer,
      untilEtcdEnds: etcd.untilEnd.bind(etcd),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function rsaKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

function found<T>(what: T | undefined, why: string): T {
  if (what === undefined) throw new Error(why);
  return what;
}

/** @param pem the certificate and the key */
function kubeconfigText(cluster: Record<string, string>, pem: Buffer): string {
  const user = {
    'client-certificate-data': pem.toString('base64'),
    'client-key-data': pem.toString('base64'),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}

/** A real Kubernetes control plane (test/control-plane), on loopback, with everything in a temporary folder. */
import { execFile } from 'node:child_process';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { feed } from '@skolo/base/run';
import { freeTcpPort } from '../free-port.ts';
import { Process } from '../process.ts';
import {
  bridgeAddress,
  type NodeNetwork,
  type RealNode,
  type RunningNode,
  startNodeNetwork,
} from './real-nodes.ts';

const run = promisify(execFile);

/** In its folder. */
const egressFile = 'egress.json';
const kubeletClientFile = 'kubelet-client.pem';

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
  options: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  const dir = options.folder ?? (await mkdtemp(join(tmpdir(), 'skolo-control-plane-')));
  const started = new ControlPlane(
    { program, kubectl, dir, port: options.port ?? (await freeTcpPort()) },
    options,
  );
  try {
    await started.start();
    return started;
  } catch (error) {
    await started.close();
    throw error;
  }
}

interface Place {
  program: string;
  kubectl: string;
  dir: string;
  port: number;
}

/** A node that sends no heartbeat for so long is dead: longer than a busy computer stalls. */
const leastGraceMs = 20_000;

export class ControlPlane {
  /** A file for KUBECONFIG; its user may do everything. */
  kubeconfig = '';
  /** The API server's, on 127.0.0.1. It keeps it when it is started again. */
  readonly port: number;
  private readonly program: string;
  private readonly kubectlProgram: string;
  private readonly dir: string;
  private readonly nodes: readonly FakeNode[];
  private readonly realNodes: readonly RealNode[];
  private readonly hasControllers: boolean;
  private readonly isTemporary: boolean;
  private readonly heartbeatMs: number;
  private readonly certificates: string;
  private readonly authority: string;
  private readonly accountKey: string;
  private signingKey = '';
  private readonly started: Process[] = [];
  private etcd: Process | undefined;
  private etcdPort = 0;
  private apiServer: Process | undefined;
  private nodeNetwork: NodeNetwork | undefined;
  private readonly real = new Map<string, RunningNode>();
  private users = 0;

  constructor({ program, kubectl, dir, port }: Place, options: ControlPlaneOptions) {
    const { nodes = [], realNodes = [], folder } = options;
    this.program = program;
    this.kubectlProgram = kubectl;
    this.dir = dir;
    this.port = port;
    this.nodes = nodes;
    this.realNodes = realNodes;
    this.hasControllers = options.controllers ?? nodes.length + realNodes.length > 0;
    this.isTemporary = folder === undefined;
    this.heartbeatMs = nodes.length > 20 ? 10_000 : 1_000;
    this.certificates = join(dir, 'certificates');
    this.authority = join(this.certificates, 'authority.crt');
    this.accountKey = join(dir, 'service-accounts.pem');
  }

  /** @internal */
  async start(): Promise<void> {
    const [etcdPort, peerPort] = [await freeTcpPort(), await freeTcpPort()];
    await this.makeCertificates();
    this.kubeconfig = await this.kubeconfigOf('admin', ['system:masters']);
    if (this.realNodes.length > 0) this.nodeNetwork = await this.startNetwork();
    this.etcdPort = etcdPort;
    this.etcd = this.run(
      'etcd',
      ...['--data-dir', join(this.dir, 'etcd')],
      ...['--port', `${etcdPort}`, '--peer-port', `${peerPort}`],
    );
    await this.startApiServer();
    if (this.hasControllers) this.startControllers();
    if (this.nodes.length > 0) await this.startNodes(this.nodes);
    await Promise.all(this.realNodes.map((node) => this.startRealNode(node)));
  }

  /** Makes another such file, for a user with a certificate: `system:node:NAME` of the group `system:nodes` is a kubelet. */
  async kubeconfigOf(user: string, groups: readonly string[] = []): Promise<string> {
    const pem = await this.certificateOf(user, groups);
    this.users += 1;
    const file = join(this.dir, `kubeconfig-${this.users}`);
    const server = `https://127.0.0.1:${this.port}`;
    const cluster = { server, 'certificate-authority': this.authority };
    await writeFile(file, kubeconfigText(cluster, pem), { mode: 0o600 });
    return file;
  }

  /** A token of an account, as the API server makes it, that expires in so many seconds: also some ago, or in less than ten minutes. */
  async tokenOf(namespace: string, account: string, seconds: number): Promise<string> {
    const { stdout } = await run(this.kubectlProgram, [
      `--kubeconfig=${this.kubeconfig}`,
      'create',
      'token',
      account,
      '-n',
      namespace,
    ]);
    const [head = '', claims = ''] = stdout.trim().split('.');
    const now = Math.floor(Date.now() / 1000);
    const moved = {
      ...JSON.parse(Buffer.from(claims, 'base64url').toString()),
      iat: now + Math.min(0, seconds) - 1,
      nbf: now + Math.min(0, seconds) - 1,
      exp: now + seconds,
    };
    const signed = `${head}.${Buffer.from(JSON.stringify(moved)).toString('base64url')}`;
    const signature = createSign('sha256').update(signed).sign(this.signingKey, 'base64url');
    return `${signed}.${signature}`;
  }

  /** Another node, until it is stopped: then it stays, and is not ready. It needs the controllers. */
  async addNode(node: FakeNode): Promise<{ stop(): Promise<void> }> {
    const kubelet = await this.startNodes([node]);
    return { stop: () => kubelet.stop() };
  }

  /** Runs kubectl as an admin of the cluster. @param object for `-f -` */
  async kubectl(args: readonly string[], object?: object): Promise<string> {
    const options = { maxBuffer: 1 << 26 };
    const child = run(this.kubectlProgram, [`--kubeconfig=${this.kubeconfig}`, ...args], options);
    feed(child.child, object === undefined ? '' : JSON.stringify(object));
    return (await child).stdout;
  }

  /** The network of `realNodes`. @throws Error There are none */
  network(): NodeNetwork {
    return found(this.nodeNetwork, 'there are no real nodes');
  }

  /** One of `realNodes`. @throws Error There is none of this name */
  realNode(name: string): RunningNode {
    return found(this.real.get(name), `${name}: no such real node`);
  }

  /** Starts a real node again, after `stop`, maybe with other data. */
  async startRealNode(node: RealNode): Promise<RunningNode> {
    const started = await this.network().start(node);
    this.real.set(node.name, started);
    const labels = Object.entries(node.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    if (labels.length > 0) {
      await this.kubectl(['label', 'node', node.name, ...labels, '--overwrite']);
    }
    return started;
  }

  /** `kill -9` of the API server. */
  async killApiServer(): Promise<void> {
    await this.apiServer?.stop();
  }

  /** Starts it, maybe again, and waits until it is ready. */
  async startApiServer(): Promise<void> {
    this.apiServer = this.run('apiserver', ...this.apiServerFlags());
    await this.apiServer.until('to be ready', () => {
      this.etcd?.mustRun();
      return this.isReady(this.port);
    });
  }

  /** Resolves with the last that etcd printed. */
  async untilEtcdEnds(): Promise<string> {
    return await found(this.etcd, 'etcd was not started').untilEnd();
  }

  readonly close = async (): Promise<void> => {
    await this.nodeNetwork?.close();
    // The last one first: without etcd, an API server waits for a minute before it ends.
    for (const one of this.started.reverse()) await one.stop();
    if (this.isTemporary) await rm(this.dir, { recursive: true, force: true });
  };

  private run(...args: string[]): Process {
    const one = new Process(this.program, args, { ...process.env, ...rarelyCollected });
    this.started.push(one);
    return one;
  }

  /** Unless the folder has them. The key of accounts is the last file that is made. */
  private async makeCertificates(): Promise<void> {
    const previous = await readFile(this.accountKey, 'utf8').catch(() => undefined);
    this.signingKey = previous ?? rsaKey();
    if (previous !== undefined) return;
    await mkdir(this.certificates, { recursive: true });
    await run(this.program, ['certificates', '--dir', this.certificates]);
    await writeFile(this.accountKey, this.signingKey, { mode: 0o600 });
  }

  private async certificateOf(user: string, groups: readonly string[]): Promise<Buffer> {
    const { stdout: pem } = await run(this.program, [
      'certificate',
      ...['--dir', this.certificates, '--user', user, '--groups', groups.join(',')],
    ]);
    return Buffer.from(pem);
  }

  /** The API server connects to real nodes through their network, and signs in to them. */
  private async startNetwork(): Promise<NodeNetwork> {
    const { dir, port, authority, realNodes } = this;
    const pem = await this.certificateOf('kube-apiserver', ['system:masters']);
    await writeFile(join(dir, kubeletClientFile), pem, { mode: 0o600 });
    const transport = { uds: { udsName: join(dir, 'egress.sock') } };
    const connection = { proxyProtocol: 'HTTPConnect', transport };
    await writeFile(
      join(dir, egressFile),
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
      remove: this.isTemporary,
      kubeconfigOf: async (user, groups) => {
        const server = `https://${bridgeAddress}:${port}`;
        // No certificate has the address of the bridge.
        const name = { 'tls-server-name': 'kubernetes' };
        const cluster = { server, 'certificate-authority-data': ca, ...name };
        return kubeconfigText(cluster, await this.certificateOf(user, groups));
      },
      isReady: async (node) => {
        const path = '-o=jsonpath={.status.conditions[?(@.type=="Ready")].status}';
        return (await this.kubectl(['get', 'node', node, '--ignore-not-found', path])) === 'True';
      },
    });
  }

  private apiServerFlags(): string[] {
    const { certificates, accountKey, dir } = this;
    const kubeletClient = join(dir, kubeletClientFile);
    return [
      ...['--etcd-servers', `http://127.0.0.1:${this.etcdPort}`],
      ...['--bind-address', '127.0.0.1', '--secure-port', `${this.port}`],
      ...['--tls-cert-file', join(certificates, 'server.crt')],
      ...['--tls-private-key-file', join(certificates, 'server.key')],
      ...['--client-ca-file', this.authority],
      ...['--service-account-issuer', 'https://kubernetes.default.svc'],
      ...['--service-account-key-file', accountKey],
      ...['--service-account-signing-key-file', accountKey],
      ...['--authorization-mode', 'Node,RBAC', '--enable-admission-plugins', 'NodeRestriction'],
      ...['--service-cluster-ip-range', '10.43.0.0/16'],
      // Of fake and of real kubelets.
      ...['--kubelet-preferred-address-types', 'ExternalIP,InternalIP'],
      ...(this.nodeNetwork
        ? [
            ...['--endpoint-reconciler-type', 'master-count', '--advertise-address', bridgeAddress],
            ...['--egress-selector-config-file', join(dir, egressFile)],
            ...['--kubelet-client-certificate', kubeletClient],
            ...['--kubelet-client-key', kubeletClient],
          ]
        : // Written to no object, and asked by nobody; without it the server looks for a default route.
          ['--endpoint-reconciler-type', 'none', '--advertise-address', '192.0.2.1']),
      // The agents of machines are privileged pods, as on k3s.
      '--allow-privileged',
    ];
  }

  private startControllers(): void {
    const { kubeconfig, accountKey, authority, heartbeatMs } = this;
    const common = ['--kubeconfig', kubeconfig, '--leader-elect=false', '--secure-port', '0'];
    this.run(
      'controllers',
      ...common,
      ...['--service-account-private-key-file', accountKey, '--root-ca-file', authority],
      ...['--kube-api-qps', '500', '--kube-api-burst', '500'],
      // A dead node is found out soon, but none dies because the computer was busy.
      ...[
        '--node-monitor-period',
        '1s',
        '--node-monitor-grace-period',
        `${Math.max(heartbeatMs * 4, leastGraceMs)}ms`,
      ],
    );
    this.run('scheduler', ...common, '--kube-api-qps', '500', '--kube-api-burst', '500');
  }

  private async startNodes(list: readonly FakeNode[]): Promise<Process> {
    const port = await freeTcpPort();
    // A node that is there already keeps what it has: without a map, it would lose its labels.
    const usual = { architecture: 'arm64', labels: {}, annotations: {} };
    const file = join(this.dir, `nodes-${port}.json`);
    await writeFile(file, JSON.stringify(list.map((node) => ({ ...usual, ...node }))));
    const kubelets = this.run(
      'nodes',
      ...['--dir', this.certificates, '--kubeconfig', this.kubeconfig, '--nodes', file],
      ...['--port', `${port}`, '--heartbeat', `${this.heartbeatMs}ms`],
    );
    await kubelets.until('all nodes to be ready', () => this.isReady(port));
    return kubelets;
  }

  private async isReady(port: number): Promise<boolean> {
    const ca = await readFile(this.authority);
    return new Promise((resolve) => {
      const request = get({ host: '127.0.0.1', port, path: '/readyz', ca, agent: false });
      request.setTimeout(5_000, () => request.destroy());
      request.on('error', () => resolve(false));
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
    });
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

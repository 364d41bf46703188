/** A jumphost with the units as installed, and a fake k3s. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Computer } from '@skolo/simulators';
import { z } from 'zod';
import type { Faults, PodSpec } from './fake-k3s.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const fakeK3s = fileURLToPath(new URL('fake-k3s.ts', import.meta.url));

/** Directory of the fake k3s's files. */
const state = '/var/lib/rancher/k3s';
const address = '192.168.1.8';
const podAddress = '10.42.0.2';

export const rack = `
rack: rack4
timezone: UTC
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost-rack4, address: ${address}, aliases: [metadata], identity: bots }
identities:
  bots: { project: my-project, email: bots@my-project.iam.gserviceaccount.com, credentials: { fixed: secrets/token.json } }
logins:
  pdus: { username: admin, password: { env: PDU_PASSWORD } }
access: { tokens: { file: secrets/tokens.yaml } }
equipment:
  pdu-1: { model: synaccess, address: 192.168.1.30, login: pdus, outlets: 8 }
machines: {}
services:
  metadata-server: { callers: [{ cidr: 127.0.0.0/8, identity: bots }] }
`;

export const token = 'ya29.of-a-test';

const secrets = {
  'metadata-server': { 'token.json': token },
  'power-cycle-daemon': { 'tokens.yaml': 'tokens: []\n', PDU_PASSWORD: 'a "b" $c' },
};

const items = (...keys: string[]) => keys.map((key) => ({ key, path: `secrets/${key}` }));

function deployment(name: string, env: object[], keys: string[]) {
  const sources = [
    { configMap: { name: 'rack', items: [{ key: 'rack.yaml', path: 'rack.yaml' }] } },
    { secret: { name, optional: true, items: items(...keys, 'not-there') } },
  ];
  const volumes = [{ name: 'etc-skolo', projected: { sources } }];
  const spec = { hostNetwork: name === 'metadata-server', containers: [{ name, env }], volumes };
  return { spec: { replicas: 1, template: { spec } } };
}

function objects() {
  const base64 = (values: Record<string, string>) => ({
    data: Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  });
  const variable = {
    name: 'PDU_PASSWORD',
    valueFrom: {
      secretKeyRef: { name: 'power-cycle-daemon', key: 'PDU_PASSWORD', optional: true },
    },
  };
  const apps = (namespace: string, name: string) =>
    `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
  const core = (namespace: string, kind: string, name: string) =>
    `/api/v1/namespaces/${namespace}/${kind}/${name}`;
  return {
    [apps('skolo-node', 'metadata-server')]: deployment('metadata-server', [], ['token.json']),
    [apps('skolo', 'power-cycle-daemon')]: deployment(
      'power-cycle-daemon',
      [variable],
      ['tokens.yaml'],
    ),
    [core('skolo-node', 'configmaps', 'rack')]: { data: { 'rack.yaml': rack } },
    [core('skolo', 'configmaps', 'rack')]: { data: { 'rack.yaml': rack } },
    [core('skolo-node', 'secrets', 'metadata-server')]: base64(secrets['metadata-server']),
    [core('skolo', 'secrets', 'power-cycle-daemon')]: base64(secrets['power-cycle-daemon']),
    [leasePath]: lease(''),
    '/api/v1/namespaces/skolo': { metadata: { name: 'skolo' } },
    '/api/v1/namespaces/skolo-node': { metadata: { name: 'skolo-node' } },
    [core('skolo', 'services', 'power-cycle-daemon')]: {
      metadata: { name: 'power-cycle-daemon' },
      spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
    },
  };
}

const leasePath = '/apis/coordination.k8s.io/v1/namespaces/skolo/leases/skolo-push';

function lease(holderIdentity: string) {
  return { metadata: { resourceVersion: `of ${holderIdentity}` }, spec: { holderIdentity } };
}

const node = '/usr/bin/node';
const pods: Record<string, PodSpec> = {
  'metadata-server': {
    namespace: 'skolo-node',
    properties: [],
    command: [
      node,
      '/opt/skolo/services/metadata-server/dist/main.js',
      '--rack',
      '/var/lib/pods/metadata-server/rack.yaml',
    ],
    readiness: 'http://127.0.0.1:20010/readyz',
  },
  'power-cycle-daemon': {
    namespace: 'skolo',
    properties: ['-p', 'User=10001', '-p', 'NetworkNamespacePath=/run/netns/pods'],
    command: [
      node,
      '/opt/skolo/services/power-cycle-daemon/dist/main.js',
      '--rack',
      '/var/lib/pods/power-cycle-daemon/rack.yaml',
    ],
    readiness: `http://${podAddress}:20012/readyz`,
    catchPort: [
      'iptables-nft',
      'OUTPUT',
      '-d',
      address,
      '-p',
      'tcp',
      '--dport',
      '9210',
      '-j',
      'DNAT',
      '--to-destination',
      podAddress,
    ],
  },
};

const k3sUnit = `
[Unit]
Description=fake k3s
After=network.service
StartLimitIntervalSec=0
[Service]
ExecStart=${node} /opt/fake/fake-k3s.ts ${state}
# As that of k3s: containers go on without it.
KillMode=process
Restart=always
RestartSec=3
[Install]
WantedBy=multi-user.target
`;

/** The rack's network, and that of the pods. */
const networkUnit = `
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip address add ${address}/24 dev lo
ExecStart=ip netns add pods
ExecStart=ip link add pods type veth peer name eth0 netns pods
ExecStart=ip address add 10.42.0.1/24 dev pods
ExecStart=ip link set pods up
ExecStart=ip -n pods address add ${podAddress}/24 dev eth0
ExecStart=ip -n pods link set eth0 up
ExecStart=ip -n pods link set lo up
ExecStart=ip -n pods route add default via 10.42.0.1
[Install]
WantedBy=multi-user.target
`;

/** Seconds instead of minutes. */
const impatient = `
SKOLO_FALLBACK_BOOT_SECONDS=0
SKOLO_FALLBACK_SILENT_SECONDS=3
SKOLO_FALLBACK_READY_SECONDS=2
SKOLO_FALLBACK_FAILBACK_SECONDS=15
SKOLO_FALLBACK_RETRY_SECONDS=4
SKOLO_FALLBACK_SYNC_SECONDS=2
`;

const metadataDeployment = '/apis/apps/v1/namespaces/skolo-node/deployments/metadata-server';
const powerService = '/api/v1/namespaces/skolo/services/power-cycle-daemon';
const Deployment = z.looseObject({ spec: z.looseObject({ replicas: z.number() }) });
const Service = z.object({ spec: z.object({ type: z.string() }) });

export class Jumphost {
  readonly computer: Computer;

  private constructor(computer: Computer) {
    this.computer = computer;
  }

  /**
   * On, with k3s and its two pods starting, and the units installed as in their README.
   *
   * @param bundles a directory written by `npm run bundle`
   */
  static async start(nspawn: string, bundles: string): Promise<Jumphost> {
    const computer = await Computer.make(nspawn);
    const jumphost = new Jumphost(computer);
    try {
      for (const name of ['metadata-server', 'power-cycle-daemon', 'fallback']) {
        await computer.copy(join(bundles, name, 'opt/skolo'), '/opt/skolo');
      }
      await computer.copy(join(repository, 'deploy'), '/opt/skolo/deploy');
      await jumphost.makeK3s();
      await computer.write('/etc/default/skolo-fallback', impatient);
      const often = '[Timer]\nOnBootSec=\nOnUnitInactiveSec=\nOnBootSec=1s\nOnUnitInactiveSec=3s\n';
      await computer.write('/etc/systemd/system/skolo-fallback.timer.d/often.conf', often);
      // This halves the cost of starting a program.
      const cache = '[Manager]\nDefaultEnvironment=NODE_COMPILE_CACHE=/var/cache/node\n';
      await computer.write('/etc/systemd/system.conf.d/cache.conf', cache);
      await computer.boot();
      return jumphost;
    } catch (error) {
      await computer.scrap();
      throw error;
    }
  }

  private async makeK3s(): Promise<void> {
    const { computer } = this;
    const folder = join(computer.root, state);
    await mkdir(folder, { recursive: true });
    await mkdir(join(computer.root, '/opt/fake'));
    await copyFile(fakeK3s, join(computer.root, '/opt/fake/fake-k3s.ts'));
    await computer.write('/opt/fake/package.json', '{ "type": "module" }');
    await computer.write(`${state}/objects.json`, JSON.stringify(objects()));
    await computer.write(`${state}/pods.json`, JSON.stringify(pods));
    await makeCertificates(folder);
    await computer.write('/etc/rancher/k3s/k3s.yaml', await kubeconfig(folder), 0o600);
    for (const [name, keys] of Object.entries(secrets)) {
      await computer.write(`/var/lib/pods/${name}/rack.yaml`, rack);
      for (const [key, value] of Object.entries(keys)) {
        await computer.write(`/var/lib/pods/${name}/secrets/${key}`, value);
      }
    }
    await computer.write('/etc/systemd/system/network.service', networkUnit);
    await computer.write('/etc/systemd/system/k3s.service', k3sUnit);
    const wants = join(computer.root, '/etc/systemd/system/multi-user.target.wants');
    await mkdir(wants, { recursive: true });
    for (const unit of ['network.service', 'k3s.service']) {
      await run('ln', ['-s', `/etc/systemd/system/${unit}`, wants]);
    }
  }

  /** From its next boot on, it has the times of an installation. */
  async bePatient(): Promise<void> {
    await this.computer.write('/etc/default/skolo-fallback', '');
    await rm(join(this.computer.root, '/etc/systemd/system/skolo-fallback.timer.d/often.conf'));
  }

  /** Sets the faults of k3s. */
  async trouble(faults: Faults): Promise<void> {
    await this.computer.write(`${state}/faults.json`, JSON.stringify(faults));
  }

  /** Sets what the metadata server's Deployment requests. */
  async replicas(): Promise<number> {
    return Deployment.parse((await this.objects())[metadataDeployment]).spec.replicas;
  }

  /** Only while k3s is off, because it keeps its state in memory. */
  async setReplicas(replicas: number): Promise<void> {
    const all = await this.objects();
    const deployment = Deployment.parse(all[metadataDeployment]);
    deployment.spec.replicas = replicas;
    const changed = { ...all, [metadataDeployment]: deployment };
    await this.computer.write(`${state}/objects.json`, JSON.stringify(changed));
  }

  /** Restarts k3s, which keeps its state in memory. */
  async setLease(holder: string): Promise<void> {
    await this.computer.run('systemctl', 'stop', 'k3s');
    const changed = { ...(await this.objects()), [leasePath]: lease(holder) };
    await this.computer.write(`${state}/objects.json`, JSON.stringify(changed));
    await this.computer.run('systemctl', 'start', 'k3s');
    const readyz = 'curl -sk -o /dev/null https://127.0.0.1:6443';
    await this.computer.run('sh', '-c', `until ${readyz}; [ $? != 7 ]; do sleep 0.2; done`);
  }

  /** Of the power-cycle daemon's public port. */
  async serviceType(): Promise<string> {
    return Service.parse((await this.objects())[powerService]).spec.type;
  }

  private async objects(): Promise<Record<string, unknown>> {
    return z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(await this.computer.read(`${state}/objects.json`)));
  }

  async fallback(...args: string[]) {
    return await this.computer.run('/usr/local/sbin/skolo-fallback', ...args);
  }

  async isActive(unit: string): Promise<boolean> {
    return (await this.computer.run('systemctl', 'is-active', unit)).text.trim() === 'active';
  }

  /** The fallback's log since boot. */
  async journal(identifier = 'skolo-fallback'): Promise<string> {
    return (await this.computer.run('journalctl', '--quiet', '--output=cat', '-t', identifier))
      .text;
  }

  /** A token, as a bot gets it. */
  async askToken(): Promise<string> {
    const path = '/computeMetadata/v1/instance/service-accounts/default/token';
    return (await this.get('127.0.0.1', 80, path)).body;
  }

  /** Status at the power-cycle daemon's public port, as seen from the rack; 0 without an answer. */
  async askPower(): Promise<number> {
    return (await this.get(address, 9210, '/v1/machines')).status;
  }

  /** With the shell: Node takes ten times as long to start, and tests do this often. */
  private async get(host: string, port: number, path: string) {
    const head = `GET ${path} HTTP/1.0\\r\\nHost: ${host}\\r\\nMetadata-Flavor: Google\\r\\n\\r\\n`;
    const script = `exec 3<>/dev/tcp/${host}/${port} && printf '${head}' >&3 && cat <&3`;
    const { text } = await this.computer.run('timeout', '30', 'bash', '-c', script);
    const [, status, body = text] = /^HTTP\/1\.\d (\d+).*?\r\n\r\n(.*)$/s.exec(text) ?? [];
    return { status: Number(status ?? 0), body };
  }
}

/** An authority, and a server and a client certificate signed by it, like those of k3s. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '30',
  ];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=k3s-ca',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  for (const name of ['server', 'client']) {
    const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
    await openssl('req', '-x509', ...key, ...signed, '-subj', `/CN=${name}`, ...files);
  }
}

/** In the layout of k3s. */
async function kubeconfig(folder: string): Promise<string> {
  const data = async (file: string) => (await readFile(join(folder, file))).toString('base64');
  const text = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${await data('ca.crt')}
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: ${await data('client.crt')}
    client-key-data: ${await data('client.key')}
`;
  await rm(join(folder, 'client.key'));
  return text;
}

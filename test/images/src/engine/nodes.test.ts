/** Images as pods of the overlay of rack4, on real nodes: as Kubernetes starts, probes and ends them. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type ControlPlane,
  type GoogleOAuth,
  makeServiceAccountKey,
  peer,
  type RunningNode,
  type SimulatedSwarming,
  startControlPlane,
  startGoogleOAuth,
  startSwarming,
  whyNoRealNodes,
} from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { root } from '../paths.ts';
import { imageName, type Target } from './build.ts';
import { useDocker } from './docker.ts';
import { theEngine } from './testing.ts';

const run = promisify(execFile);
const inFull = Boolean(process.env.SKOLO_LONG);
const why = whyNoRealNodes();
const machine = { name: 'skia-rpi2-rack4-shelf1-001', address: '192.168.1.101' };
const jumphost = { name: 'jumphost-rack4', address: '192.168.1.8' };
const hooks = join(root, 'services/swarming-client/python/skolo_bot_config.py');
const scope = 'https://www.googleapis.com/auth/userinfo.email';
const netBindService = 0x400n;

interface Workload {
  image: Target;
  namespace: 'skolo' | 'skolo-node';
  /** As the kernel has it. */
  user: number;
  capabilities: bigint;
  memoryMib: number;
}

const service = (image: Target, memoryMib: number): Workload => ({
  image,
  namespace: 'skolo',
  user: 10_001,
  capabilities: 0n,
  memoryMib,
});

const sample: Workload[] = [
  {
    ...service('metadata-server', 256),
    namespace: 'skolo-node',
    user: 0,
    capabilities: netBindService,
  },
];
const others = [
  service('power-cycle-daemon', 256),
  service('router-backup', 512),
  service('alert-to-pubsub', 256),
  service('machine-state', 384),
];
const workloads = inFull ? [...sample, ...others] : sample;

const KubernetesObject = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })),
        containerStatuses: z.array(
          z.looseObject({
            restartCount: z.int(),
            lastState: z.object({
              terminated: z.object({ exitCode: z.int(), reason: z.string() }).optional(),
            }),
          }),
        ),
      }),
    }),
  ),
});

let plane: ControlPlane;
let google: GoogleOAuth;
let nodes: { jumphost: RunningNode; machine: RunningNode };
let swarming: SimulatedSwarming;

/** Objects of the overlay, with those workloads only, and a bot server that there is. */
async function overlay(): Promise<z.infer<typeof KubernetesObject>[]> {
  const folder = join(root, 'kube/racks/rack4');
  const options = { maxBuffer: 1 << 26 };
  const { stdout } = await run(peer('kubectl') ?? '', ['kustomize', folder], options);
  const names: readonly string[] = ['swarming-client', ...workloads.map(({ image }) => image)];
  const server = `server: http://127.0.0.1:${swarming.port}`;
  const text = stdout.replaceAll(/^( +)taskGraceSeconds: /gm, `$1${server}\n$&`);
  return parseAllDocuments(text)
    .map((document) => KubernetesObject.parse(document.toJS()))
    .filter(({ kind }) => kind !== 'HelmChartConfig')
    .filter(({ kind, metadata }) => {
      return !['Deployment', 'DaemonSet'].includes(kind) || names.includes(metadata.name);
    });
}

/** Loads the images that were built into the nodes, under the names that the overlay has for them. */
async function importImages(objects: readonly unknown[]): Promise<void> {
  const prepared = inject('prepared');
  if (prepared.is !== 'ready') return;
  const { access } = prepared;
  const docker = useDocker(access);
  const text = JSON.stringify(objects);
  for (const image of ['swarming-client', ...workloads.map(({ image }) => image)] as const) {
    const name = text.match(new RegExp(`"(registry\\.example\\.com/skolo/${image}:[^"]+)"`))?.[1];
    if (name === undefined) throw new Error(`the overlay has no image ${image}`);
    const file = join(access.dir, `${image}.tar`);
    await docker(['tag', imageName(access, image, 'amd64'), name]);
    await docker(['save', '--output', file, name]);
    await nodes[image === 'swarming-client' ? 'machine' : 'jumphost'].importImages(file);
  }
}

/** What `skolo jumphost prepare` makes on a jumphost before k3s. */
async function prepareJumphost(node: RunningNode): Promise<void> {
  const text = await readFile(join(root, 'deploy/jumphost/skolo.tmpfiles.conf'), 'utf8');
  for (const [, folder, mode, user] of text.matchAll(/^d (\/var\/lib\/\S+) (\d+) (\w+)/gm)) {
    const id = user === 'root' ? '0' : '10001';
    await node.run('install', '-d', '-m', mode ?? '', '-o', id, '-g', id, folder ?? '');
  }
}

async function podOf({ image, namespace }: Pick<Workload, 'image' | 'namespace'>) {
  const selector = `app.kubernetes.io/name=${image}`;
  const text = await plane.kubectl(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'json']);
  return Pods.parse(JSON.parse(text)).items[0];
}

/** Whether it is ready, or all that can be known of why it is not. */
async function stateOf(workload: Pick<Workload, 'image' | 'namespace'>): Promise<string> {
  const pod = await podOf(workload);
  const ready = pod?.status.conditions.find(({ type }) => type === 'Ready')?.status;
  return ready === 'True' ? 'ready' : JSON.stringify(pod?.status);
}

describe.skipIf(why)('on real nodes', { timeout: 300_000 }, () => {
  beforeAll(async () => {
    if (inject('prepared').is !== 'ready') return;
    plane = await startControlPlane(peer('control-plane') ?? '', peer('kubectl') ?? '', {
      realNodes: [
        { ...jumphost, labels: { 'node-restriction.kubernetes.io/skolo-jumphost': 'true' } },
        {
          ...machine,
          taints: [{ key: 'skolo/machine', value: 'true', effect: 'NoSchedule' }],
        },
      ],
    });
    nodes = {
      jumphost: plane.realNode(jumphost.name),
      machine: plane.realNode(machine.name),
    };
    await prepareJumphost(nodes.jumphost);
    // A name of the rack's own DNS.
    await nodes.machine.run('sh', '-c', `echo ${jumphost.address} metadata >> /etc/hosts`);
    google = await startGoogleOAuth();
    await nodes.jumphost.forward(Number(new URL(google.url).port));
    swarming = await startSwarming({
      accepts: (given, bot) =>
        bot === machine.name && given !== undefined && google.isValid(given, scope),
      hookScript: await readFile(hooks, 'utf8'),
    });
    await nodes.machine.forward(swarming.port);
    const objects = await overlay();
    await importImages(objects);
    const keys = ['bots', 'jumphost'].map((name) => {
      const email = `${name}@my-project.iam.gserviceaccount.com`;
      const options = { email, project: 'my-project', tokenUri: google.tokenUrl };
      const key = makeServiceAccountKey(options);
      google.addServiceAccountKey(key);
      return [`${name}.json`, JSON.stringify(key)];
    });
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'metadata-server', namespace: 'skolo-node' },
      stringData: Object.fromEntries(keys),
    };
    const items = [...objects.filter(({ kind }) => kind === 'Namespace'), ...objects, secret];
    const list = { apiVersion: 'v1', kind: 'List', items };
    await plane.kubectl(['apply', '--server-side', '-f', '-'], list);
  }, 240_000);
  afterAll(async () => {
    await plane?.close();
    await swarming?.close();
    await google?.close();
  });

  describe.each(workloads)('$image', (workload) => {
    const { image, namespace, user, capabilities, memoryMib } = workload;

    it('becomes ready, with the rights and limits of its manifest and no others', async ({
      skip,
    }) => {
      theEngine(skip);
      await expect.poll(() => stateOf(workload), { timeout: 90_000, interval: 500 }).toBe('ready');

      const pod = (await podOf(workload))?.metadata.name ?? '';
      const inside = (command: string) =>
        plane.kubectl(['exec', '-n', namespace, pod, '-c', image, '--', 'sh', '-c', command]);
      const status = await inside('cat /proc/1/status');
      const field = (name: string) => status.match(new RegExp(`^${name}:\\s*(\\S+)`, 'm'))?.[1];
      expect(Number(field('Uid'))).toBe(user);
      expect(BigInt(`0x${field('CapBnd')}`)).toBe(capabilities);
      expect(field('NoNewPrivs')).toBe('1');
      expect(field('Seccomp')).toBe('2');
      expect(await inside('touch /opt/skolo/file 2>&1 || true')).toContain('Read-only file system');
      const limit = await inside('cat /sys/fs/cgroup/memory/memory.limit_in_bytes');
      expect(Number(limit)).toBe(memoryMib * 1024 * 1024);
    });
  });

  it('metadata-server answers with the identity of the address that asks', async ({ skip }) => {
    theEngine(skip);
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'caller', namespace: 'default' },
      spec: {
        nodeName: jumphost.name,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'pause', image: 'test.skolo/pause:1' }],
      },
    };
    await plane.kubectl(['create', '-f', '-'], pod);
    await plane.kubectl(['wait', '--for=condition=Ready', 'pod/caller', '--timeout=60s']);
    const path = 'jsonpath={.status.podIP}';
    const address = await plane.kubectl(['get', 'pod', 'caller', '-o', path]);
    await plane.network().addAddresses('192.168.1.102', '192.168.1.99');
    const email = (name: string) => `${name}@my-project.iam.gserviceaccount.com 200`;

    const outside = async (from: string) => {
      const enter = ['--net', '--target', `${plane.network().pid}`];
      return (await run('nsenter', [...enter, 'sh', '-c', ask(from)])).stdout;
    };

    // As a pod of the machine's network does, and one of the jumphost's.
    expect(await nodes.machine.run('sh', '-c', ask(machine.address))).toBe(email('bots'));
    expect(await nodes.jumphost.run('sh', '-c', ask(jumphost.address))).toBe(email('jumphost'));
    expect(await nodes.jumphost.run('sh', '-c', askInPod(address))).toBe(email('jumphost'));
    // A machine outside of the cluster, and an address that rack.yaml does not have.
    expect(await outside('192.168.1.102')).toBe(email('bots'));
    expect(await outside('192.168.1.99')).toMatch(/ 403$/);
  });

  it('the agent becomes ready, has processes and devices of its machine, and ends', async ({
    skip,
  }) => {
    theEngine(skip);
    const agent = { image: 'swarming-client', namespace: 'skolo-node' } as const;
    await expect.poll(() => stateOf(agent), { timeout: 120_000, interval: 500 }).toBe('ready');
    const pod = (await podOf(agent))?.metadata.name ?? '';
    const look = 'cat /proc/1/cmdline; ls -d /dev/bus/usb /dev/kmsg';

    const found = await plane.kubectl(['exec', '-n', 'skolo-node', pod, '--', 'sh', '-c', look]);

    // The first process is that of the node.
    expect(found).toMatch(/node-init.*\/dev\/bus\/usb\n\/dev\/kmsg/s);
    // Without a task, it ends at once.
    await plane.kubectl(['delete', 'pod', '-n', 'skolo-node', pod, '--timeout=60s']);
  });

  it.for(workloads)(
    '$image ends by itself, within its grace period',
    async (workload, { skip }) => {
      theEngine(skip);
      const { name = '' } = (await podOf(workload))?.metadata ?? {};
      // kubelet would kill it after 30 s.
      await plane.kubectl(['delete', 'pod', '-n', workload.namespace, name, '--timeout=20s']);
    },
  );
});

/** For a shell: asks the metadata server for an account, from an address; prints it and the status of the answer. */
function ask(from: string): string {
  const url = `http://${jumphost.address}/computeMetadata/v1/instance/service-accounts/default/email`;
  return `curl -s -w ' %{http_code}' --interface ${from} -H 'Metadata-Flavor: Google' ${url}`;
}

/** The same in the network namespace of the pod with the address. */
function askInPod(address: string): string {
  return `for net in /run/netns/*; do
  if nsenter --net=$net ip -4 address | grep -q ' ${address}/'; then exec nsenter --net=$net ${ask(address)}; fi
done`;
}

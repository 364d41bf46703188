/**
 * The overlay of rack4 with chrony, on two real nodes: its jumphost and one machine. Images of ours are those that were built, images of
 * others are made of Debian's programs, and what the cloud has is on loopback of this computer.
 */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serviceNames } from '@skolo/rack';
import {
  bridgeAddress,
  type ControlPlane,
  type GoogleOAuth,
  type GooglePubSub,
  makeServiceAccountKey,
  peer,
  type RunningNode,
  type SimulatedSwarming,
  startControlPlane,
  startGoogleOAuth,
  startGooglePubSub,
  startSwarming,
} from '@skolo/simulators';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { copyWithComponents } from '../../../kube/src/kustomize.ts';
import { root } from '../paths.ts';
import { baseName } from './base.ts';
import { imageName, type Target } from './build.ts';
import { useDocker } from './docker.ts';
import type { EngineAccess } from './engine.ts';

const run = promisify(execFile);
export const machine = { name: 'skia-rpi2-rack4-shelf1-001', address: '192.168.1.101' };
export const jumphost = { name: 'jumphost-rack4', address: '192.168.1.8' };
export const topic = 'projects/my-project/topics/prometheus-alerts';
const scope = 'https://www.googleapis.com/auth/userinfo.email';

const debianImages = ['prometheus', 'alertmanager', 'blackbox-exporter', 'node-exporter'] as const;
type DebianImage = (typeof debianImages)[number];

/** Images of others, and the program of Debian that is in their place. */
const debian: Record<DebianImage, { program: string | undefined; at: string; folder?: string }> = {
  prometheus: { program: peer('prometheus'), at: '/bin/prometheus' },
  alertmanager: {
    program: peer('alertmanager'),
    at: '/bin/alertmanager',
    // Its templates, which the program of others contains.
    folder: '/usr/share/prometheus/alertmanager',
  },
  'blackbox-exporter': { program: peer('blackbox-exporter'), at: '/bin/blackbox_exporter' },
  'node-exporter': { program: peer('node-exporter'), at: '/bin/node_exporter' },
};
/** All workloads of the overlay that can run here. */
export const allWorkloads: readonly (Target | DebianImage)[] = [
  ...serviceNames,
  'chrony',
  ...debianImages,
];

/** What no node of ours has is replaced; TESTED.md says what is not verified therefore. */
function replacements(swarmingPort: number, pubsubPort: number, apiPort: number) {
  return [
    // A reboot by the kernel would be one of this computer.
    [
      /^( +)taskGraceSeconds: /gm,
      `$1server: http://127.0.0.1:${swarmingPort}\n$1reboot: reject\n$&`,
    ],
    // Neither phone nor power over Ethernet.
    [/^ +device: \{ kind: android, power: usb\/1-1\.2 \}.*\n/gm, ''],
    [
      /^( +)name: alert-to-pubsub\n +ports:/gm,
      `$1env: [{ name: PUBSUB_EMULATOR_HOST, value: "${bridgeAddress}:${pubsubPort}" }]\n$&`,
    ],
    [/docker\.io\/prom\/([a-z-]+):\S+/g, 'test.skolo/debian-$1:1'],
    // Debian's Prometheus is too old for relabelling rules of a single Alertmanager.
    [
      /^ +- static_configs: \[\{ targets: \["alert-to-pubsub\.skolo\.svc:8001"\] \}\][\s\S]*?action: keep\n/gm,
      '',
    ],
    [/tls_config: \{ ca_file: \S+ \}/g, 'tls_config: { insecure_skip_verify: true }'],
    [`${jumphost.address}:6443`, `${bridgeAddress}:${apiPort}`],
    // Without -x it would set the clock of this computer.
    [/^( +)- allow \$\(SKOLO_RACK_SUBNET\)\n/gm, '$&$1command: [/usr/sbin/chronyd, -x, -d]\n'],
  ] as const;
}

const KubernetesObject = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        deletionTimestamp: z.string().optional(),
      }),
      spec: z.object({
        nodeName: z.string().optional(),
        containers: z.array(z.object({ image: z.string() })),
      }),
      status: z.object({
        startTime: z.coerce.date().optional(),
        conditions: z
          .array(
            z.object({
              type: z.string(),
              status: z.string(),
              lastTransitionTime: z.coerce.date(),
            }),
          )
          .default([]),
        containerStatuses: z.array(z.looseObject({ restartCount: z.int() })).default([]),
      }),
    }),
  ),
});
export type Pod = z.infer<typeof Pods>['items'][number];

export interface RackOnNodes {
  plane: ControlPlane;
  nodes: { jumphost: RunningNode; machine: RunningNode };
  /** Of the overlay, as it was applied. */
  objects: readonly object[];
  google: GoogleOAuth;
  swarming: SimulatedSwarming;
  pubsub: GooglePubSub;
  /** The latest pod of a workload that is not ending. */
  podOf(workload: string): Promise<Pod | undefined>;
  /** Whether a workload is ready, or all that can be known of why it is not. */
  stateOf(workload: string): Promise<string>;
  /** Everything ends at once, and starts from its disks, by images that are there. It needs a folder. */
  restart(prepare: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export async function startRackOnNodes(
  access: EngineAccess,
  workloads: readonly (Target | DebianImage)[],
  folder?: string,
): Promise<RackOnNodes> {
  const opened: { close(): Promise<void> }[] = [];
  async function close() {
    for (const one of opened.reverse()) await one.close();
  }
  try {
    const google = await startGoogleOAuth();
    opened.push(google);
    const swarming = await startSwarming({
      accepts: (given, bot) =>
        bot === machine.name && given !== undefined && google.isValid(given, scope),
      hookScript: await readFile(
        join(root, 'services/swarming-client/python/skolo_bot_config.py'),
        'utf8',
      ),
    });
    opened.push(swarming);
    const pubsub = await startGooglePubSub({ topics: [topic] });
    opened.push(pubsub);
    const start = async (port?: number) => {
      const plane = await startPlane(folder, port);
      opened.push(plane);
      const nodes = {
        jumphost: plane.realNode(jumphost.name),
        machine: plane.realNode(machine.name),
      };
      await prepareNodes(nodes);
      await nodes.jumphost.forward(Number(new URL(google.url).port));
      await nodes.machine.forward(swarming.port);
      await plane.network().forward(pubsub.port);
      return { plane, nodes };
    };
    const { plane, nodes } = await start();
    const objects = await overlay(workloads, replacements(swarming.port, pubsub.port, plane.port));
    await importImages(access, nodes, workloads, JSON.stringify(objects));
    await plane.kubectl(['apply', '-f', join(root, 'test/control-plane/coredns.yaml')]);
    const items = [
      ...objects.filter(({ kind }) => kind === 'Namespace'),
      ...objects,
      secretOfKeys(google),
    ];
    const list = { apiVersion: 'v1', kind: 'List', items };
    await plane.kubectl(['apply', '--server-side', '-f', '-'], list);
    const rack: RackOnNodes = {
      plane,
      nodes,
      objects,
      google,
      swarming,
      pubsub,
      close,
      ...podsOf(() => rack.plane),
      async restart(prepare) {
        // The control plane was opened last.
        await opened.pop()?.close();
        await prepare();
        Object.assign(rack, await start(plane.port));
      },
    };
    return rack;
  } catch (error) {
    await close();
    throw error;
  }
}

function startPlane(folder?: string, port?: number): Promise<ControlPlane> {
  const dataOf = ({ name }: { name: string }) =>
    folder === undefined ? {} : { data: join(folder, `${name}-disk`) };
  return startControlPlane(peer('control-plane') ?? '', peer('kubectl') ?? '', {
    ...(folder !== undefined && { folder }),
    ...(port !== undefined && { port }),
    realNodes: [
      {
        ...jumphost,
        ...dataOf(jumphost),
        labels: { 'node-restriction.kubernetes.io/skolo-jumphost': 'true' },
      },
      {
        ...machine,
        ...dataOf(machine),
        taints: [{ key: 'skolo/machine', value: 'true', effect: 'NoSchedule' }],
      },
    ],
  });
}

function podsOf(plane: () => ControlPlane): Pick<RackOnNodes, 'podOf' | 'stateOf'> {
  async function podOf(workload: string) {
    const ofWorkload = ['-l', `app.kubernetes.io/name=${workload}`];
    const inOrder = '--sort-by=.metadata.creationTimestamp';
    const args = ['get', 'pods', '-A', ...ofWorkload, inOrder, '-o', 'json'];
    const { items } = Pods.parse(JSON.parse(await plane().kubectl(args)));
    return items.findLast(({ metadata }) => metadata.deletionTimestamp === undefined);
  }
  return {
    podOf,
    async stateOf(workload) {
      const pod = await podOf(workload);
      const ready = pod?.status.conditions.find(({ type }) => type === 'Ready')?.status;
      return ready === 'True' ? 'ready' : JSON.stringify(pod?.status);
    },
  };
}

/** Objects of the overlay, with those workloads only. */
async function overlay(
  workloads: readonly string[],
  changes: ReturnType<typeof replacements>,
): Promise<z.infer<typeof KubernetesObject>[]> {
  const copy = copyWithComponents('rack4', ['chrony']);
  const options = { maxBuffer: 1 << 26 };
  const folder = join(copy, 'racks/rack4');
  const { stdout } = await run(peer('kubectl') ?? '', ['kustomize', folder], options);
  await rm(copy, { recursive: true });
  const text = changes.reduce((before, [what, by]) => {
    const after = before.replaceAll(what, by);
    if (after === before) throw new Error(`the overlay has no ${what} any more`);
    return after;
  }, stdout);
  return parseAllDocuments(text)
    .map((document) => KubernetesObject.parse(document.toJS()))
    .filter(({ kind, metadata }) => {
      return !['Deployment', 'DaemonSet'].includes(kind) || workloads.includes(metadata.name);
    })
    .filter(({ kind }) => kind !== 'HelmChartConfig');
}

/** Loads images into the nodes, under the names that the overlay has for them. */
async function importImages(
  access: EngineAccess,
  nodes: RackOnNodes['nodes'],
  workloads: readonly (Target | DebianImage)[],
  text: string,
): Promise<void> {
  const docker = useDocker(access);
  const needed = new Set([
    ...workloads,
    // Beside chrony there is one.
    ...(workloads.includes('chrony') ? (['node-exporter'] as const) : []),
  ]);
  const onMachine = ['swarming-client', 'node-exporter'];
  const names = new Map<string, string>();
  for (const name of needed) names.set(name, await nameImage(name));
  const file = join(access.dir, 'nodes.tar');
  const isOn = {
    jumphost: (name: string) => name !== 'swarming-client',
    machine: (name: string) => onMachine.includes(name),
  };
  for (const node of ['jumphost', 'machine'] as const) {
    const there = [...names].flatMap(([name, image]) => (isOn[node](name) ? [image] : []));
    // Together, images share their layers.
    await docker(['save', '--output', file, ...there]);
    await nodes[node].importImages(file);
  }
  await rm(file);

  async function nameImage(name: Target | DebianImage): Promise<string> {
    if (isDebian(name)) return await makeDebianImage(access, name);
    const image =
      text.match(new RegExp(`"(registry\\.example\\.com/skolo/${name}:[^"]+)"`))?.[1] ??
      `test.skolo/${name}:1`;
    await docker(['tag', imageName(access, name, 'amd64'), image]);
    return image;
  }
}

function isDebian(name: Target | DebianImage): name is DebianImage {
  return debianImages.some((each) => each === name);
}

/** @returns its name */
async function makeDebianImage(access: EngineAccess, name: DebianImage): Promise<string> {
  const { program, at, folder: more } = debian[name];
  if (program === undefined) throw new Error(`Debian's ${name} is not installed`);
  const folder = join(access.dir, `debian-${name}`);
  await mkdir(folder, { recursive: true });
  await copyFile(program, join(folder, 'program'));
  if (more !== undefined) await cp(more, join(folder, 'more'), { recursive: true });
  const lines = [
    `FROM ${baseName('amd64')}`,
    `COPY program ${at}`,
    ...(more === undefined ? [] : [`COPY more ${more}`]),
    `ENTRYPOINT ["${at}"]`,
  ];
  await writeFile(join(folder, 'Dockerfile'), lines.join('\n'));
  const image = `test.skolo/debian-${name}:1`;
  await useDocker(access)(['build', '--quiet', '--tag', image, folder]);
  return image;
}

/** What `skolo jumphost prepare` makes on a jumphost before k3s, and a name of the rack's own DNS. */
async function prepareNodes(nodes: RackOnNodes['nodes']): Promise<void> {
  const text = await readFile(join(root, 'deploy/jumphost/skolo.tmpfiles.conf'), 'utf8');
  for (const [, folder, mode, user] of text.matchAll(/^d (\/var\/lib\/\S+) (\d+) (\w+)/gm)) {
    const id = user === 'root' ? '0' : '10001';
    const owner = ['-m', mode ?? '', '-o', id, '-g', id];
    await nodes.jumphost.run('install', '-d', ...owner, folder ?? '');
  }
  await nodes.machine.run('sh', '-c', `echo ${jumphost.address} metadata >> /etc/hosts`);
}

function secretOfKeys(google: GoogleOAuth): object {
  const keys = ['bots', 'jumphost'].map((name) => {
    const email = `${name}@my-project.iam.gserviceaccount.com`;
    const options = { email, project: 'my-project', tokenUri: google.tokenUrl };
    const key = makeServiceAccountKey(options);
    google.addServiceAccountKey(key);
    return [`${name}.json`, JSON.stringify(key)];
  });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'metadata-server', namespace: 'skolo-node' },
    stringData: Object.fromEntries(keys),
  };
}

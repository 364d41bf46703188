/** Installs the testbed in a cluster, each part separately, so that a failed one does not stop the others. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { errorText, pause } from '@skolo/base';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { judge } from '../push/gate.ts';
import { isWorkload, type KubeObject, listText, titleOf } from '../push/objects.ts';
import { leftOvers } from '../push/plan.ts';
import { renderOverlay } from '../push/prepare.ts';
import { applyChanges, deleteObjects, getObjects, type Rack, readForGate } from '../push/rack.ts';
import { problemText, progressText } from '../push/rollout.ts';
import { isRejected } from '../way/kubectl.ts';
import { type ClusterFacts, type Nfs, readFacts, readOne, Volume } from './facts.ts';
import { kinds, type Part, parts, readTestbed, testbedLabel } from './parts.ts';

export interface PartResult {
  part: string;
  state: 'ready' | 'skipped' | 'failed';
  changed: number;
  /** For states other than `ready`. */
  why?: string;
}

export interface UpOptions {
  /** `kube/testbed` of the clone. */
  folder: string;
  /** By default, the one from an earlier `up`. */
  nfs?: Nfs | undefined;
  /** Adds Jenkins, which later runs keep. */
  jenkins: boolean;
  /** Time limit for all pods to become ready. */
  withinMs: number;
  pollMs: number;
  signal: AbortSignal;
  report(text: string): void;
}

/** @throws FleetError Nothing was changed. @throws KubectlError The cluster cannot be queried. @throws The signal's reason. */
export async function testbedUp(cluster: Rack, options: UpOptions): Promise<PartResult[]> {
  const { signal } = options;
  const before = await readFacts(cluster);
  rejectOtherNfs(before.nfs, options.nfs);
  const nfs = options.nfs ?? before.nfs;
  const wanted = { ...before, hasJenkins: before.hasJenkins || options.jenkins };
  const begun: { part: Part; objects: KubeObject[]; changed: number }[] = [];
  const results = new Map<string, PartResult>();
  for (const part of parts) {
    const { name } = part;
    const left = reasonToLeave(part, wanted, nfs);
    if (left !== undefined) {
      results.set(name, { part: name, changed: 0, ...left });
      continue;
    }
    try {
      const rendered = await renderOverlay(cluster, join(options.folder, name), testbedLabel);
      const objects = nfs ? rendered.map((object) => withNfs(object, nfs)) : rendered;
      if (part.hasPassword) await makePassword(cluster, name);
      const changed = await applyChanges(cluster, objects);
      options.report(`${name}: ${changed.length} of ${objects.length} objects changed`);
      begun.push({ part, objects, changed: changed.length });
    } catch (error) {
      signal.throwIfAborted();
      const why = await withPortOwner(cluster, errorText(error));
      results.set(name, { part: name, state: 'failed', changed: 0, why });
    }
  }
  // The objects of a failed part are unknown.
  if (![...results.values()].some(({ state }) => state === 'failed')) {
    await prune(
      cluster,
      begun.flatMap(({ objects }) => objects),
      options,
    );
  }
  const deadline = performance.now() + options.withinMs;
  const waited = begun.map(async ({ part: { name }, objects, changed }) => {
    const workloads = objects.filter(isWorkload);
    const why = await untilReady(cluster, name, workloads, deadline, options);
    const state = why === undefined ? ('ready' as const) : ('failed' as const);
    results.set(name, { part: name, state, changed, ...(why !== undefined && { why }) });
  });
  await Promise.all(waited);
  return parts.flatMap(({ name }) => results.get(name) ?? []);
}

/** Volumes would stay on the previous server, contrary to their class. */
function rejectOtherNfs(before: Nfs | undefined, now: Nfs | undefined) {
  if (!before || !now || (before.server === now.server && before.path === now.path)) return;
  throw new FleetError(
    `the testbed's volumes are on ${before.server}:${before.path}; omit --nfs, or delete the volumes first with skolo pi testbed down --volumes`,
  );
}

function reasonToLeave(
  { name, isOptional, hasClaims }: Part,
  { defaultClass, hasMetricsServer, hasJenkins }: ClusterFacts,
  nfs: Nfs | undefined,
): Pick<PartResult, 'state' | 'why'> | undefined {
  const skip = (why: string) => ({ state: 'skipped' as const, why });
  if (name === 'metrics-server' && hasMetricsServer) return skip('the cluster already has one');
  if (isOptional && !hasJenkins) return skip('not requested; add it with --jenkins');
  if (nfs) return undefined;
  if (name === 'storage') {
    return skip(
      defaultClass === undefined
        ? 'no NFS server specified'
        : `claims use the default StorageClass ${defaultClass}`,
    );
  }
  if (!hasClaims || defaultClass !== undefined) return undefined;
  return {
    state: 'failed',
    why: 'this part requires a volume, but the cluster has no default StorageClass; specify an NFS server with --nfs SERVER:/PATH',
  };
}

const Service = z.looseObject({
  spec: z.looseObject({
    ports: z.array(z.looseObject({ nodePort: z.int().optional() })).default([]),
  }),
});

/** Kubernetes does not say which Service has a node port. */
async function withPortOwner(cluster: Rack, why: string): Promise<string> {
  const port = /nodePort: Invalid value: (\d+): provided port is already allocated/.exec(why)?.[1];
  if (port === undefined) return why;
  const services = await getObjects(cluster, ['services', '--all-namespaces']);
  const owner = services.find((each) =>
    Service.parse(each).spec.ports.some(({ nodePort }) => `${nodePort}` === port),
  );
  if (owner === undefined) return why;
  return `node port ${port} belongs to ${titleOf(owner)}; give that Service another nodePort, and run the command again`;
}

const Env = z.looseObject({ name: z.string(), value: z.string().optional() });
const Provisioner = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(z.looseObject({ env: z.array(Env).default([]) })),
      }),
    }),
  }),
});

/** The part `storage` with a server instead of the placeholder. */
function withNfs(object: KubeObject, nfs: Nfs): KubeObject {
  const { kind, metadata } = object;
  if (kind === 'PersistentVolume' && metadata.name === 'testbed-nfs') {
    return { ...object, spec: { ...Volume.parse(object).spec, nfs } };
  }
  if (kind !== 'Deployment' || metadata.name !== 'nfs-provisioner') return object;
  const changed = Provisioner.parse(structuredClone(object));
  for (const container of changed.spec.template.spec.containers) {
    for (const each of container.env) {
      if (each.name === 'NFS_SERVER') each.value = nfs.server;
      if (each.name === 'NFS_PATH') each.value = nfs.path;
    }
  }
  return { ...object, ...changed };
}

/** A generated password, passed over standard input. An existing one stays. */
async function makePassword(cluster: Rack, name: string): Promise<void> {
  const namespace = 'testbed';
  if (await readOne(cluster, ['secret', name, '-n', namespace])) return;
  const labels = { 'app.kubernetes.io/part-of': testbedLabel };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels },
    stringData: { password: randomBytes(18).toString('base64url') },
  };
  await createOnce(() => cluster.kubectl(['create', '-f', '-'], { input: listText([secret]) }));
}

/** For retries: a call whose response was lost may have created the object. */
export async function createOnce(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isRejected(error, 'AlreadyExists')) throw error;
  }
}

async function prune(cluster: Rack, wanted: readonly KubeObject[], { report }: UpOptions) {
  const live = await readTestbed(cluster, kinds);
  const left = leftOvers(live, wanted, testbedLabel);
  if (left.length > 0)
    report(`deleting objects from earlier versions: ${left.map(titleOf).join(', ')}`);
  await deleteObjects(cluster, left);
}

/** @returns why a part is not ready */
async function untilReady(
  cluster: Rack,
  part: string,
  workloads: readonly KubeObject[],
  deadline: number,
  { pollMs, signal, report }: UpOptions,
): Promise<string | undefined> {
  let said = '';
  let left = workloads;
  for (;;) {
    try {
      const verdicts = await judgeAll(cluster, left);
      const failed = verdicts.find(({ verdict }) => verdict.state === 'failed');
      if (failed) return `${titleOf(failed.workload)}: ${problemText(failed.verdict)}`;
      const waiting = verdicts.filter(({ verdict }) => verdict.state === 'waiting');
      const [first] = waiting;
      if (!first) return undefined;
      const text = `${titleOf(first.workload)}: ${progressText(first.verdict)}`;
      if (text !== said) report(`${part}: ${text}`);
      said = text;
      if (performance.now() > deadline) {
        return `${titleOf(first.workload)}: did not become ready in time: ${problemText(first.verdict)}`;
      }
      left = waiting.map(({ workload }) => workload);
    } catch (error) {
      signal.throwIfAborted();
      return errorText(error);
    }
    await pause(pollMs, signal);
  }
}

export async function judgeAll(cluster: Rack, workloads: readonly KubeObject[]) {
  const byNamespace = Map.groupBy(workloads, ({ metadata }) => metadata.namespace);
  const found = await Promise.all(
    [...byNamespace].map(async ([namespace, own]) => {
      const objects = await readForGate(cluster, namespace);
      return own.map((workload) => ({
        workload,
        verdict: judge({ kind: workload.kind, name: workload.metadata.name }, objects),
      }));
    }),
  );
  return found.flat();
}

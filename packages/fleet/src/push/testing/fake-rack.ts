/**
 * A cluster that records, for tests of many racks: it answers what push asks of kubectl from memory. What Kubernetes itself
 * does is tested with a real one.
 */
import { isObject } from '@skolo/base';
import { type Kubectl, KubectlError } from '../../way/kubectl.ts';
import { type KubeObject, keyOf, readAnswer } from '../objects.ts';

export interface FakeRack {
  kubectl: Kubectl;
  /** What was changed, in order: `apply Deployment skolo/service`. */
  changes: string[];
  /** The image that a workload runs. */
  image(name: string): string | undefined;
  /** Somebody sets an image by hand. */
  setImage(name: string, image: string): void;
  /** From the next change on, or from now on, it cannot be reached; undefined: it can. */
  lost: 'at-next-change' | 'now' | undefined;
}

interface Options {
  /** Runs kustomize. */
  kubectl: Kubectl;
  /** New pods of images with this text crash. */
  crashing?: string;
  /** A machine that does not respond. */
  dead?: string;
}

export const machines = ['rpi-1', 'rpi-2', 'rpi-3'];

export function createFakeRack({ kubectl: real, crashing, dead }: Options): FakeRack {
  const objects = new Map<string, KubeObject>();
  const byHand = new Map<string, string>();
  let lease: KubeObject | undefined;
  let version = 0;

  function change(object: KubeObject, verb: string) {
    if (rack.lost === 'at-next-change') rack.lost = 'now';
    mustBeReachable();
    const { kind, metadata } = object;
    rack.changes.push(`${verb} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
  }

  function mustBeReachable() {
    if (rack.lost === 'now') throw new KubectlError('connection refused', 'Unreachable');
  }

  function apply(input: string, isDry: boolean): KubeObject[] {
    return readAnswer(input).map((object) => {
      if (isDry) return owned(object);
      change(object, 'apply');
      byHand.delete(keyOf(object));
      objects.set(keyOf(object), object);
      return object;
    });
  }

  function live(object: KubeObject): KubeObject {
    const image = byHand.get(keyOf(object));
    if (image === undefined) return owned(object);
    const edited = withImage(object, image);
    const hand = fieldsOf({ spec: edited.spec });
    return {
      ...edited,
      metadata: {
        ...edited.metadata,
        managedFields: [
          { manager: 'skolo', operation: 'Apply', fieldsV1: { 'f:metadata': { 'f:labels': {} } } },
          { manager: 'kubectl-set', operation: 'Update', fieldsV1: hand },
        ],
      },
    };
  }

  /** Deployments, DaemonSets and their pods, all of the newest version. */
  function running(namespace: string): KubeObject[] {
    const workloads = [...objects.values()].filter(
      ({ kind, metadata }) =>
        metadata.namespace === namespace && ['Deployment', 'DaemonSet'].includes(kind),
    );
    return [...nodes(dead), ...workloads.flatMap((object) => withPods(live(object), crashing))];
  }

  async function kubectl(...call: Parameters<Kubectl>): Promise<string> {
    const [args, { input = '', signal } = {}] = call;
    signal?.throwIfAborted();
    const [verb, what = ''] = args;
    if (verb === 'kustomize') return await real(args);
    mustBeReachable();
    if (verb === 'api-resources') return kinds;
    if (verb === 'apply') return list(apply(input, args.includes('--dry-run=server')));
    if (verb === 'delete') {
      for (const object of readAnswer(input)) {
        change(object, 'delete');
        objects.delete(keyOf(object));
      }
      return '';
    }
    if (verb === 'create' || verb === 'replace') {
      const [given] = readAnswer(input);
      if (given === undefined) throw new Error('no lease');
      version += 1;
      lease = { ...given, metadata: { ...given.metadata, resourceVersion: `${version}` } };
      return JSON.stringify(lease);
    }
    if (what === 'lease') return lease ? JSON.stringify(lease) : '';
    if (what === 'nodes') return list(nodes(dead));
    if (what === '--raw') throw new KubectlError('no Prometheus', 'NotFound');
    if (what === '-f') {
      const all = readAnswer(input).flatMap((each) => objects.get(keyOf(each)) ?? []);
      return list(all.map(live));
    }
    if (args.includes('-n')) return list(running(args[args.indexOf('-n') + 1] ?? ''));
    return list([...objects.values()].map(live));
  }

  const rack: FakeRack = {
    kubectl,
    changes: [],
    lost: undefined,
    image(name) {
      const found = [...objects.values()].find(
        ({ kind, metadata }) =>
          metadata.name === name && ['Deployment', 'DaemonSet'].includes(kind),
      );
      return found && imageOf(live(found));
    },
    setImage(name, image) {
      for (const [key, { metadata }] of objects) {
        if (metadata.name === name && key.startsWith('apps/')) byHand.set(key, image);
      }
    },
  };
  return rack;
}

const kinds = 'deployments deploy apps/v1 true Deployment\nconfigmaps cm v1 true ConfigMap\n';

function list(items: readonly KubeObject[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

/** All that it has is ours. */
function owned(object: KubeObject): KubeObject {
  const fieldsV1 = fieldsOf(object);
  const managedFields = [{ manager: 'skolo', operation: 'Apply', fieldsV1 }];
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** Lists are one value here. */
function fieldsOf(value: unknown): Record<string, unknown> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'managedFields')
      .map(([name, child]) => [`f:${name}`, fieldsOf(child)]),
  );
}

interface Template {
  template: { spec: { containers: [{ image: string }] } };
}

function imageOf({ spec }: KubeObject): string {
  return (spec as Template).template.spec.containers[0].image;
}

function withImage(object: KubeObject, image: string): KubeObject {
  const spec = structuredClone(object.spec) as Template;
  spec.template.spec.containers[0].image = image;
  return { ...object, spec };
}

function nodes(dead: string | undefined): KubeObject[] {
  return ['jumphost', ...machines].map((name) => {
    const conditions = [{ type: 'Ready', status: name === dead ? 'Unknown' : 'True' }];
    const nodeInfo = { operatingSystem: 'linux', architecture: 'arm64' };
    const labels: Record<string, string> = name === 'jumphost' ? { jumphost: 'true' } : {};
    const metadata = { name, labels };
    return { apiVersion: 'v1', kind: 'Node', metadata, status: { conditions, nodeInfo } };
  });
}

function withPods(workload: KubeObject, crashing: string | undefined): KubeObject[] {
  const { kind, metadata } = workload;
  const isSet = kind === 'DaemonSet';
  const hash = isSet ? 'controller-revision-hash' : 'pod-template-hash';
  const uid = `${kind} ${metadata.name}`;
  const revisionUid = isSet ? uid : `${uid} 1`;
  const isCrashing = crashing !== undefined && imageOf(workload).includes(crashing);
  const waiting = { reason: 'CrashLoopBackOff' };
  const status = isCrashing
    ? { containerStatuses: [{ name: 'one', state: { waiting } }] }
    : { conditions: [{ type: 'Ready', status: 'True' }] };
  const owned = (owner: string) => ({ labels: { [hash]: '1' }, ownerReferences: [{ uid: owner }] });
  return [
    {
      ...workload,
      metadata: { ...metadata, uid, generation: 1 },
      status: { observedGeneration: 1, desiredNumberScheduled: machines.length },
    },
    {
      apiVersion: 'apps/v1',
      kind: isSet ? 'ControllerRevision' : 'ReplicaSet',
      metadata: { name: `${metadata.name}-1`, uid: revisionUid, ...owned(uid) },
    },
    ...(isSet ? machines : ['jumphost']).map((nodeName) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${metadata.name}-${nodeName}`, ...owned(revisionUid) },
      spec: { nodeName },
      status,
    })),
  ];
}

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

export function createFakeRack(options: Options): FakeRack {
  return new RecordingRack(options);
}

class RecordingRack implements FakeRack {
  readonly kubectl: Kubectl = (...call) => this.answer(...call);
  readonly changes: string[] = [];
  lost: FakeRack['lost'];
  private readonly real: Kubectl;
  private readonly crashing: string | undefined;
  private readonly dead: string | undefined;
  private readonly objects = new Map<string, KubeObject>();
  private readonly byHand = new Map<string, string>();
  private lease: KubeObject | undefined;
  private version = 0;

  constructor({ kubectl, crashing, dead }: Options) {
    this.real = kubectl;
    this.crashing = crashing;
    this.dead = dead;
  }

  image(name: string): string | undefined {
    const found = [...this.objects.values()].find(
      ({ kind, metadata }) => metadata.name === name && ['Deployment', 'DaemonSet'].includes(kind),
    );
    return found && imageOf(this.live(found));
  }

  setImage(name: string, image: string): void {
    for (const [key, { metadata }] of this.objects) {
      if (metadata.name === name && key.startsWith('apps/')) this.byHand.set(key, image);
    }
  }

  private async answer(...call: Parameters<Kubectl>): Promise<string> {
    const [args, { input = '', signal } = {}] = call;
    signal?.throwIfAborted();
    const [verb, what = ''] = args;
    if (verb === 'kustomize') return await this.real(args);
    this.mustBeReachable();
    if (verb === 'api-resources') return kinds;
    if (verb === 'apply') return list(this.apply(input, args.includes('--dry-run=server')));
    if (verb === 'delete') {
      for (const object of readAnswer(input)) {
        this.change(object, 'delete');
        this.objects.delete(keyOf(object));
      }
      return '';
    }
    if (verb === 'create' || verb === 'replace') return this.storeLease(input);
    return this.get(what, args, input);
  }

  private storeLease(input: string): string {
    const [given] = readAnswer(input);
    if (given === undefined) throw new Error('no lease');
    this.version += 1;
    this.lease = { ...given, metadata: { ...given.metadata, resourceVersion: `${this.version}` } };
    return JSON.stringify(this.lease);
  }

  private get(what: string, args: readonly string[], input: string): string {
    if (what === 'lease') return this.lease ? JSON.stringify(this.lease) : '';
    if (what === 'secret') {
      const found = [...this.objects.values()].find(({ kind }) => kind === 'Secret');
      return found ? JSON.stringify(found) : '';
    }
    if (what === 'nodes') return list(nodes(this.dead));
    if (what === '--raw') throw new KubectlError('no Prometheus', 'NotFound');
    if (what === '-f') {
      const all = readAnswer(input).flatMap((each) => this.objects.get(keyOf(each)) ?? []);
      return list(all.map((each) => this.live(each)));
    }
    if (args.includes('-n')) return list(this.running(args[args.indexOf('-n') + 1] ?? ''));
    return list([...this.objects.values()].map((each) => this.live(each)));
  }

  private change(object: KubeObject, verb: string) {
    // What the push leaves of itself.
    if (object.kind === 'Secret') return;
    if (this.lost === 'at-next-change') this.lost = 'now';
    this.mustBeReachable();
    const { kind, metadata } = object;
    this.changes.push(`${verb} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
  }

  private mustBeReachable() {
    if (this.lost === 'now') throw new KubectlError('connection refused', 'Unreachable');
  }

  private apply(input: string, isDry: boolean): KubeObject[] {
    return readAnswer(input).map((object) => {
      if (isDry) return owned(object);
      this.change(object, 'apply');
      this.byHand.delete(keyOf(object));
      this.objects.set(keyOf(object), object);
      return object;
    });
  }

  private live(object: KubeObject): KubeObject {
    const image = this.byHand.get(keyOf(object));
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
  private running(namespace: string): KubeObject[] {
    const workloads = [...this.objects.values()].filter(
      ({ kind, metadata }) =>
        metadata.namespace === namespace && ['Deployment', 'DaemonSet'].includes(kind),
    );
    return [
      ...nodes(this.dead),
      ...workloads.flatMap((object) => withPods(this.live(object), this.crashing)),
    ];
  }
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

/**
 * Decides what a push would change or delete. Compares an object as it is (`live`) with how the API server would create it (`planned`,
 * from a dry run on the server). Pure.
 */
import { z } from 'zod';
import {
  differences,
  FieldChange,
  type FieldSet,
  Fields,
  pathsOf,
  pick,
  union,
} from './field-set.ts';
import { type FieldOwner, KubeObject, keyOf } from './objects.ts';

/** The field manager of all that push applies. */
export const fieldManager = 'skolo';

/** `kubectl apply`, client-side or server-side: before the first push, it created the objects; later, a person ran it. */
const applies = new Set(['kubectl-client-side-apply', 'kubectl']);

/** `kubectl rollout restart` does not change the configuration. */
const byHand = /^(kubectl(?!-rollout)|k9s|Lens)/;

const byPeople = /^(kubectl|k9s|Lens)/;

/** Client-side `kubectl apply` owns them, and overlays do not contain them. */
const ofOthers = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.daemonset.template.generation',
]);

export const ObjectPlan = z.object({
  key: z.string(),
  /** As the overlay has it. */
  wanted: KubeObject,
  action: z.enum(['create', 'change', 'keep']),
  /** Our own changes. */
  changes: z.array(FieldChange),
  /** Our fields with a value that somebody set in the cluster; the push resets them. */
  setBack: z.array(FieldChange),
  /** Fields that somebody added manually. They stay. */
  added: z.array(z.object({ path: z.string(), writtenBy: z.string() })),
  /** What the rack runs now, for a rollback; absent: the push creates the object. */
  before: KubeObject.exactOptional(),
});
export type ObjectPlan = z.infer<typeof ObjectPlan>;

/**
 * @param wanted as the overlay has it
 * @param live with managedFields; undefined: it does not exist
 * @param planned with managedFields; undefined: its namespace does not exist yet
 */
export function planObject(
  wanted: KubeObject,
  live: KubeObject | undefined,
  planned: KubeObject | undefined,
): ObjectPlan {
  const key = keyOf(wanted);
  if (live === undefined || planned === undefined) {
    return { key, wanted, action: 'create', changes: [], setBack: [], added: [] };
  }
  const owners = ownersOf(live);
  const ours = union(ownFields(owners), ownFields(ownersOf(planned)));
  const own = ofOurs(owners);
  const others = owners.filter((owner) => !own.includes(owner));
  const all = differences(ours, content(live), content(planned), others);
  const setBack = all.filter(({ writtenBy }) => writtenBy !== undefined);
  return {
    key,
    wanted,
    action: all.length > 0 ? 'change' : 'keep',
    changes: all.filter(({ writtenBy }) => writtenBy === undefined),
    setBack,
    added: addedByHand(others, setBack),
    before: KubeObject.parse(pick(content(live), ours)),
  };
}

/** The part of an object that we own, with which it can be created again. */
export function ownPart(live: KubeObject): KubeObject {
  return KubeObject.parse(pick(content(live), ownFields(ownersOf(live))));
}

function ownFields(owners: readonly FieldOwner[]): FieldSet {
  return ofOurs(owners)
    .map(({ fieldsV1 }) => fieldsV1)
    .reduce(union, identity);
}

/** Fields that people wrote after we applied the object. */
export function writtenAfterUs({ metadata: { managedFields = [] } }: KubeObject): FieldChange[] {
  const applied = managedFields.find(isApplied)?.time ?? '';
  return managedFields
    .filter(({ manager, subresource }) => byPeople.test(manager) && subresource !== 'status')
    .filter(({ time = '' }) => time >= applied)
    .flatMap(writtenFields);
}

/** In every object that is applied. */
const identity = {
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': { 'f:name': {}, 'f:namespace': {} },
};

function addedByHand(others: readonly FieldOwner[], setBack: readonly FieldChange[]) {
  const known = new Set(setBack.map(({ path }) => path));
  return others
    .filter(({ manager }) => byHand.test(manager))
    .flatMap(writtenFields)
    .filter(({ path }) => !known.has(path));
}

function writtenFields({ manager, fieldsV1 }: FieldOwner) {
  return pathsOf(fieldsV1).map((path) => ({ path, writtenBy: manager }));
}

function ownersOf({ metadata }: KubeObject): FieldOwner[] {
  return (metadata.managedFields ?? []).filter(({ subresource }) => subresource === undefined);
}

/** Which of an object's owners are ours. The API server names fields that had no owner at our first apply `before-first-apply`. */
function ofOurs(owners: readonly FieldOwner[]): FieldOwner[] {
  const isPushed = owners.some(({ manager }) => manager === fieldManager);
  return owners.filter(
    ({ manager }) =>
      manager === fieldManager ||
      manager === 'before-first-apply' ||
      (!isPushed && applies.has(manager)),
  );
}

/**
 * An object that an earlier `kubectl apply` owns, with our manager as its owner; undefined if nothing must be done. Without it, a
 * field that was removed from the overlay would stay, because its earlier owner keeps it. `kubectl apply --server-side` does the same, but
 * not for a dry run.
 */
export function adopted(live: KubeObject): KubeObject | undefined {
  const all = live.metadata.managedFields ?? [];
  const ours = ofOurs(ownersOf(live));
  const first = ours.find(({ manager }) => manager !== fieldManager);
  if (first === undefined) return undefined;
  const fieldsV1 = ours.map((owner) => owner.fieldsV1).reduce(union, {});
  const own = { ...first, manager: fieldManager, operation: 'Apply', fieldsV1: ownOnly(fieldsV1) };
  const { metadata } = content(live);
  return {
    ...live,
    metadata: {
      ...metadata,
      managedFields: [own, ...all.filter((owner) => !ours.includes(owner))],
    },
  };
}

function isApplied({ manager, operation, subresource }: FieldOwner): boolean {
  return manager === fieldManager && operation === 'Apply' && subresource === undefined;
}

/** Without annotations that are not configuration. */
function ownOnly(set: FieldSet): FieldSet {
  const drop = (part: FieldSet, path: readonly string[]): FieldSet =>
    Object.fromEntries(
      Object.entries(part).flatMap(([key, below]) => {
        if (path.length === 0) return ofOthers.has(key.slice(2)) ? [] : [[key, below]];
        return [[key, key === path[0] ? drop(Fields.parse(below), path.slice(1)) : below]];
      }),
    );
  return drop(set, ['f:metadata', 'f:annotations']);
}

/** Without annotations that are not configuration. */
function content(object: KubeObject): KubeObject {
  const { annotations } = object.metadata;
  if (annotations === undefined) return object;
  const own = Object.entries(annotations).filter(([name]) => !ofOthers.has(name));
  return { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(own) } };
}

/** The changes that a push would make to a rack. */
export const RackPlan = z.object({
  objects: z.array(ObjectPlan),
  /** Our objects that were removed from the overlay. */
  deletions: z.array(KubeObject),
  /** Pods of changing workloads that are unhealthy before the push. */
  unhealthy: z.array(z.object({ key: z.string(), node: z.string(), cause: z.string() })),
  /** Machines that do not respond before the push. */
  silent: z.array(z.string()),
  /** Services that another program serves, as text. */
  held: z.array(z.string()),
});
export type RackPlan = z.infer<typeof RackPlan>;

/** The label that names the owner of an object. */
export const partOf = 'app.kubernetes.io/part-of';

/**
 * Objects that the overlay no longer contains, with our label, and applied by us or by an earlier `kubectl apply`.
 *
 * @param live all objects of the deletable kinds with the label
 * @param owner value of the label
 */
export function leftOvers(
  live: readonly KubeObject[],
  wanted: readonly KubeObject[],
  owner = 'skolo',
): KubeObject[] {
  const keys = new Set(wanted.map(keyOf));
  return live
    .filter((object) => object.metadata.labels?.[partOf] === owner)
    .filter((object) => ofOurs(ownersOf(object)).length > 0)
    .filter((object) => !keys.has(keyOf(object)) && isDeletable(object));
}

/**
 * Kinds that push deletes. Never Namespaces, PersistentVolumes, PersistentVolumeClaims, Secrets and
 * CustomResourceDefinitions, because they contain data or other objects.
 */
export const deletableKinds = [
  'v1/ConfigMap',
  'v1/Service',
  'v1/ServiceAccount',
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding',
  'apps/v1/DaemonSet',
  'apps/v1/Deployment',
  'helm.cattle.io/v1/HelmChartConfig',
  'networking.k8s.io/v1/Ingress',
  'networking.k8s.io/v1/NetworkPolicy',
  'rbac.authorization.k8s.io/v1/ClusterRole',
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding',
  'rbac.authorization.k8s.io/v1/Role',
  'rbac.authorization.k8s.io/v1/RoleBinding',
  'scheduling.k8s.io/v1/PriorityClass',
  'storage.k8s.io/v1/StorageClass',
  'traefik.io/v1alpha1/Middleware',
];

export function isDeletable({ apiVersion, kind }: KubeObject): boolean {
  return deletableKinds.includes(`${apiVersion}/${kind}`);
}

/** Maximum number of deletions that need no confirmation of their number. */
export const deletionsWithoutQuestion = 10;

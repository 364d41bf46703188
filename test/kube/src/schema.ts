/**
 * Objects against the schemas of the Kubernetes API, as strict as the API server with `--validate=strict`: a field that no
 * schema knows is an error. The validators of kubernetes-models do not mind unknown fields, so they are watched: what they
 * never look at, no schema knows.
 */
// One by one: all of them together take seconds to load.
import { ValidatingAdmissionPolicy } from 'kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy';
import { ValidatingAdmissionPolicyBinding } from 'kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding';
import { APIService } from 'kubernetes-models/apiregistration.k8s.io/v1/APIService';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { CronJob } from 'kubernetes-models/batch/v1/CronJob';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { ClusterRole } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole';
import { ClusterRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding';
import { Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role';
import { RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding';
import { PriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1/PriorityClass';
import { StorageClass } from 'kubernetes-models/storage.k8s.io/v1/StorageClass';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { PersistentVolume } from 'kubernetes-models/v1/PersistentVolume';
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { z } from 'zod';
import { type Manifest, titleOf } from './manifest.ts';

/** Validates itself, and throws what is wrong. */
type Model = new (data: never) => { validate(): void };

const models = new Map<string, Model>([
  ['admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy', ValidatingAdmissionPolicy],
  [
    'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding',
    ValidatingAdmissionPolicyBinding,
  ],
  ['apiregistration.k8s.io/v1 APIService', APIService],
  ['apps/v1 DaemonSet', DaemonSet],
  ['apps/v1 Deployment', Deployment],
  ['apps/v1 StatefulSet', StatefulSet],
  ['batch/v1 CronJob', CronJob],
  ['networking.k8s.io/v1 Ingress', Ingress],
  ['networking.k8s.io/v1 NetworkPolicy', NetworkPolicy],
  ['rbac.authorization.k8s.io/v1 ClusterRole', ClusterRole],
  ['rbac.authorization.k8s.io/v1 ClusterRoleBinding', ClusterRoleBinding],
  ['rbac.authorization.k8s.io/v1 Role', Role],
  ['rbac.authorization.k8s.io/v1 RoleBinding', RoleBinding],
  ['scheduling.k8s.io/v1 PriorityClass', PriorityClass],
  ['storage.k8s.io/v1 StorageClass', StorageClass],
  ['v1 ConfigMap', ConfigMap],
  ['v1 Namespace', Namespace],
  ['v1 PersistentVolume', PersistentVolume],
  ['v1 PersistentVolumeClaim', PersistentVolumeClaim],
  ['v1 Service', Service],
  ['v1 ServiceAccount', ServiceAccount],
]);

/** Fields that kubernetes-models has lost: its schemas are without descriptions, also where that is the name of a field. */
const lost = new Set(['scheduling.k8s.io/v1 PriorityClass /description']);

const metadata = z.strictObject({
  name: z.string(),
  namespace: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
});

/** Kinds of k3s and of Traefik, as far as we use them. */
const custom = new Map<string, z.ZodType>([
  [
    'helm.cattle.io/v1 HelmChartConfig',
    z.strictObject({
      apiVersion: z.string(),
      kind: z.string(),
      metadata,
      spec: z.strictObject({ valuesContent: z.string() }),
    }),
  ],
  [
    'traefik.io/v1alpha1 Middleware',
    z.strictObject({
      apiVersion: z.string(),
      kind: z.string(),
      metadata,
      spec: z.strictObject({
        basicAuth: z.strictObject({
          secret: z.string(),
          realm: z.string().optional(),
          removeHeader: z.boolean().optional(),
        }),
      }),
    }),
  ],
]);

const Thrown = z.looseObject({
  errors: z.array(
    z.looseObject({ instancePath: z.string().default(''), message: z.string().default('wrong') }),
  ),
});

/** What the API server would reject. */
export function schemaProblems(object: Manifest): string[] {
  const kind = `${object.apiVersion} ${object.kind}`;
  const title = titleOf(object);
  const schema = custom.get(kind);
  if (schema) {
    const { error } = schema.safeParse(object);
    return (error?.issues ?? []).map(
      ({ path, message }) => `${title}: /${path.join('/')} ${message}`,
    );
  }
  const Kind = models.get(kind);
  if (!Kind) return [`${title}: no schema for ${kind}; name it in test/kube/src/schema.ts`];
  // Whether it is one is what it finds out.
  const { watched, unread } = watch(new Kind(object as never), '');
  const wrong = validate(watched).map((problem) => `${title}: ${problem}`);
  const unknown = unread().filter((path) => !lost.has(`${kind} ${path}`));
  return [...wrong, ...unknown.map((path) => `${title}: ${path} is no field of ${kind}`)];
}

function validate(model: { validate(): void }): string[] {
  try {
    model.validate();
    return [];
  } catch (error) {
    const { data } = Thrown.safeParse(error);
    if (!data) throw error;
    return data.errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
  }
}

/** The same object, which knows what of it was never read. */
function watch<T extends object>(value: T, path: string): { watched: T; unread(): string[] } {
  const left = new Set(Object.keys(value));
  const below = new Map<string | symbol, { watched: unknown; unread(): string[] }>();
  const watched = new Proxy(value, {
    get(target, key, receiver) {
      if (typeof key === 'string') left.delete(key);
      const found: unknown = Reflect.get(target, key, receiver);
      if (typeof found !== 'object' || found === null || !Object.hasOwn(target, key)) return found;
      const known = below.get(key) ?? watch(found, `${path}/${String(key)}`);
      below.set(key, known);
      return known.watched;
    },
  });
  return {
    watched,
    unread: () => [
      ...[...left].map((key) => `${path}/${key}`),
      ...[...below.values()].flatMap(({ unread }) => unread()),
    ],
  };
}

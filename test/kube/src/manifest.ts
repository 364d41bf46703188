/** Kubernetes objects as `kubectl kustomize` prints them, with the fields that policies look at. */
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const Labels = z.record(z.string(), z.string());

export const Selector = z.looseObject({
  matchLabels: Labels.optional(),
  matchExpressions: z
    .array(
      z.looseObject({
        key: z.string(),
        operator: z.string(),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});
export type Selector = z.infer<typeof Selector>;

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: Labels.optional(),
    annotations: Labels.optional(),
  }),
});
export type Manifest = z.infer<typeof Manifest>;

const Capabilities = z.looseObject({
  add: z.array(z.string()).optional(),
  drop: z.array(z.string()).optional(),
});

const Seccomp = z.looseObject({ type: z.string() });

const SecurityContext = z.looseObject({
  privileged: z.boolean().optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  runAsNonRoot: z.boolean().optional(),
  runAsUser: z.number().optional(),
  procMount: z.string().optional(),
  capabilities: Capabilities.optional(),
  seccompProfile: Seccomp.optional(),
  seLinuxOptions: z.looseObject({}).optional(),
  appArmorProfile: z.looseObject({ type: z.string() }).optional(),
});

const KeyRef = z.looseObject({
  name: z.string(),
  key: z.string().optional(),
  optional: z.boolean().optional(),
});

const PortOrName = z.union([z.number(), z.string()]);

const Probe = z.looseObject({
  httpGet: z
    .looseObject({ path: z.string().optional(), port: PortOrName, host: z.string().optional() })
    .optional(),
  terminationGracePeriodSeconds: z.number().optional(),
});

const Quantities = z.record(z.string(), z.union([z.string(), z.number()]));

const Container = z.looseObject({
  name: z.string(),
  image: z.string().optional(),
  imagePullPolicy: z.string().optional(),
  terminationMessagePolicy: z.string().optional(),
  ports: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        containerPort: z.number(),
        hostPort: z.number().optional(),
        protocol: z.string().default('TCP'),
      }),
    )
    .default([]),
  env: z
    .array(
      z.looseObject({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z
          .looseObject({ secretKeyRef: KeyRef.optional(), configMapKeyRef: KeyRef.optional() })
          .optional(),
      }),
    )
    .default([]),
  envFrom: z
    .array(z.looseObject({ secretRef: KeyRef.optional(), configMapRef: KeyRef.optional() }))
    .default([]),
  resources: z
    .looseObject({ requests: Quantities.optional(), limits: Quantities.optional() })
    .default({}),
  livenessProbe: Probe.optional(),
  readinessProbe: Probe.optional(),
  startupProbe: Probe.optional(),
  securityContext: SecurityContext.default({}),
  volumeMounts: z
    .array(
      z.looseObject({ name: z.string(), mountPath: z.string(), subPath: z.string().optional() }),
    )
    .default([]),
});
type Container = z.infer<typeof Container>;

const Source = z.looseObject({
  configMap: KeyRef.optional(),
  secret: KeyRef.optional(),
  serviceAccountToken: z.looseObject({}).optional(),
});

const Volume = z.looseObject({
  name: z.string(),
  configMap: KeyRef.optional(),
  secret: z.looseObject({ secretName: z.string(), optional: z.boolean().optional() }).optional(),
  projected: z.looseObject({ sources: z.array(Source) }).optional(),
  persistentVolumeClaim: z.looseObject({ claimName: z.string() }).optional(),
  hostPath: z.looseObject({ path: z.string() }).optional(),
  emptyDir: z.looseObject({ sizeLimit: PortOrName.optional() }).optional(),
});

const PodSpec = z.looseObject({
  containers: z.array(Container),
  initContainers: z.array(Container).default([]),
  volumes: z.array(Volume).default([]),
  hostNetwork: z.boolean().default(false),
  hostPID: z.boolean().default(false),
  hostIPC: z.boolean().default(false),
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  enableServiceLinks: z.boolean().optional(),
  priorityClassName: z.string().optional(),
  terminationGracePeriodSeconds: z.number().optional(),
  dnsPolicy: z.string().optional(),
  imagePullSecrets: z.array(KeyRef).default([]),
  nodeSelector: Labels.default({}),
  tolerations: z
    .array(
      z.looseObject({
        key: z.string().optional(),
        operator: z.string().optional(),
        effect: z.string().optional(),
        tolerationSeconds: z.number().optional(),
      }),
    )
    .default([]),
  affinity: z
    .looseObject({
      nodeAffinity: z
        .looseObject({
          requiredDuringSchedulingIgnoredDuringExecution: z
            .looseObject({ nodeSelectorTerms: z.array(Selector) })
            .optional(),
        })
        .optional(),
    })
    .optional(),
  securityContext: SecurityContext.extend({
    sysctls: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
  }).default({}),
});
export type PodSpec = z.infer<typeof PodSpec>;

const WorkloadSpec = z.looseObject({
  selector: Selector.optional(),
  strategy: z.looseObject({ type: z.string() }).optional(),
  updateStrategy: z
    .looseObject({
      rollingUpdate: z.looseObject({ maxUnavailable: PortOrName.optional() }).optional(),
    })
    .optional(),
  template: z.looseObject({
    metadata: z.looseObject({ labels: Labels.default({}) }).default({ labels: {} }),
    spec: PodSpec,
  }),
});

/** A CronJob has its pods one level deeper. */
const CronJobSpec = z.looseObject({ jobTemplate: z.looseObject({ spec: WorkloadSpec }) });

const workloadKinds = new Set([
  'Deployment',
  'DaemonSet',
  'StatefulSet',
  'ReplicaSet',
  'Job',
  'CronJob',
]);

/** Something that makes pods. */
export interface Workload {
  /** For people: `Deployment skolo/prometheus`. */
  title: string;
  kind: string;
  name: string;
  namespace: string;
  spec: z.infer<typeof WorkloadSpec>;
  labels: Record<string, string>;
  pod: PodSpec;
}

/** Documents of a YAML text, read as Kubernetes reads them. */
export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    const problem = document.errors[0];
    if (problem) throw problem;
    const value: unknown = document.toJS();
    return value === null ? [] : [Manifest.parse(value)];
  });
}

/** `Deployment skolo/prometheus`. */
export function titleOf({ kind, metadata: { name, namespace } }: Manifest): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** The objects that make pods. A bare Pod is rejected: no policy would check it. */
export function workloadsOf(objects: readonly Manifest[]): Workload[] {
  const known = read.get(objects) ?? readWorkloads(objects);
  read.set(objects, known);
  return known;
}

/** Every policy asks for them. */
const read = new WeakMap<readonly Manifest[], Workload[]>();

function readWorkloads(objects: readonly Manifest[]): Workload[] {
  return objects.flatMap((object) => {
    if (object.kind === 'Pod') {
      throw new Error(`${titleOf(object)}: no policy knows this kind; make it a Deployment`);
    }
    if (!workloadKinds.has(object.kind)) return [];
    const spec =
      object.kind === 'CronJob'
        ? CronJobSpec.parse(object.spec).jobTemplate.spec
        : WorkloadSpec.parse(object.spec);
    return [
      {
        title: titleOf(object),
        kind: object.kind,
        name: object.metadata.name,
        namespace: object.metadata.namespace ?? 'default',
        spec,
        labels: spec.template.metadata.labels,
        pod: spec.template.spec,
      },
    ];
  });
}

/** Whether its pods run until somebody ends them. Pods of a Job end by themselves, and nobody selects them. */
export function isEndless({ kind }: Workload): boolean {
  return kind !== 'Job' && kind !== 'CronJob';
}

/** All containers of a pod, those that run first included. */
export function containersOf({ pod }: Workload): Container[] {
  return [...pod.initContainers, ...pod.containers];
}

/** The part of a kind's objects that a policy reads. */
export function readKind<T>(
  objects: readonly Manifest[],
  kind: string,
  schema: z.ZodType<T>,
): { object: Manifest; title: string; name: string; namespace: string; read: T }[] {
  return objects
    .filter((object) => object.kind === kind)
    .map((object) => ({
      object,
      title: titleOf(object),
      name: object.metadata.name,
      namespace: object.metadata.namespace ?? 'default',
      read: schema.parse(object),
    }));
}

/** Whether labels are what a selector asks for. */
export function selects(selector: Selector, labels: Record<string, string>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          throw new Error(`a selector cannot ask ${operator}`);
      }
    })
  );
}
